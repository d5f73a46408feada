"""Idempotency keys: a request that is sent again under its key gets the first answer again, and nothing is done.

A key counts for one account, method and path, for 24 hours (contract: conversations.md section 2.4). It is taken
before anything else is looked at, and in the unit of the request: a refusal gives it back, and whoever brings it at the
same moment waits for this unit's end.
"""

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Header, Request, Response
from pydantic.json_schema import SkipJsonSchema
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from orchestrator.kernel.errors import BadRequest, Conflict, NotFound
from orchestrator.kernel.http import AccountId, Answered, InUnit, Origin
from orchestrator.kernel.unit import Unit
from orchestrator.operations import service
from orchestrator.operations.accepted import accepted
from orchestrator.operations.dry_run import DryRun
from orchestrator.operations.service import Operation
from orchestrator.tables.configuration import idempotency_keys

KEPT = timedelta(hours=24)
"""How long a key counts."""

_UUID = r"^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$"
_LONGEST_PATH = 1_000
"""In bytes; longer than that of any resource, and short enough for the table's index."""


@dataclass(frozen=True, slots=True)
class Key:
    """One use of a client's key."""

    account_id: str
    method: str
    path: str
    text: str

    @property
    def row(self) -> dict[str, str]:
        """The primary key."""
        return {"account_id": self.account_id, "method": self.method, "path": self.path, "key": self.text}


@dataclass(frozen=True, slots=True)
class Acceptance:
    """The answer to a request that is done as an operation, for the route to give."""

    unit: Unit
    account_id: str
    origin: str
    key: Key | None

    async def of(self, operation: Operation) -> Response:
        """The 202 of this operation; from the unit's commit on, the answer to everybody who brings the key again."""
        if self.key is not None:
            await _remember(self.unit, self.key, operation.id)
        return accepted(operation, self.origin)


KeyText = Annotated[
    str | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="A UUID of the client's choice. For 24 hours, the same request under the same key is answered "
        "as it was the first time and does nothing more; another body under it is a 409.",
        json_schema_extra={"pattern": _UUID},
    ),
]


async def acceptance(
    request: Request, account_id: AccountId, unit: InUnit, origin: Origin, text: KeyText = None
) -> Acceptance:
    """What the route answers with. Raises Answered for a repeat; BadRequest, Conflict.

    A route names it as its first parameter: the key comes before the resource of the path, which may be gone by now.
    """
    if text is None:
        return Acceptance(unit, account_id, origin, None)
    key = Key(account_id, request.method, _path(request), _canonical(text))
    operation = await _take(unit, key, await _digest(request))
    if operation is not None:
        raise Answered(accepted(operation, origin))
    return Acceptance(unit, account_id, origin, key)


AnswersOnce = Annotated[Acceptance, Depends(acceptance)]


async def acceptance_unless_dry(
    request: Request, account_id: AccountId, unit: InUnit, origin: Origin, dry_run: DryRun, text: KeyText = None
) -> Acceptance:
    """The same, where there are dry runs: these neither take a key nor ask what was answered under it."""
    if not dry_run:
        return await acceptance(request, account_id, unit, origin, text)
    if text is not None:
        _canonical(text)
    return Acceptance(unit, account_id, origin, None)


AnswersOnceUnlessDry = Annotated[Acceptance, Depends(acceptance_unless_dry)]


async def _take(unit: Unit, key: Key, digest: bytes) -> Operation | None:
    """Take the key; when it is taken, the operation that it was answered with. Raises Conflict for another body.

    Waits for a unit that has the key and has not ended. A key past its time is as good as new.
    """
    table = idempotency_keys
    fresh = {"digest": digest, "operation_id": None, "created_at": unit.now}
    statement = insert(table).values(**key.row, **fresh)
    free = statement.on_conflict_do_update(
        index_elements=table.primary_key.columns, set_=fresh, where=table.c.created_at < unit.now - KEPT
    )
    if (await unit.connection.execute(free.returning(table.c.key))).first() is not None:
        return None
    known = (await unit.connection.execute(select(table).filter_by(**key.row))).one()
    if known.digest != digest:
        raise Conflict(
            f"Idempotency-Key {key.text} has been used for {key.method} {key.path} with another body; "
            "send the same body, or take another key",
            params={"field": "Idempotency-Key", "value": key.text},
        )
    return await service.find(unit, key.account_id, known.operation_id)


async def _remember(unit: Unit, key: Key, operation_id: str) -> None:
    await unit.connection.execute(update(idempotency_keys).filter_by(**key.row).values(operation_id=operation_id))


def _canonical(text: str) -> str:
    if not re.fullmatch(_UUID, text):
        raise BadRequest(
            "Idempotency-Key must be a UUID, such as 1b4e28ba-2fa1-11d2-883f-0016d3cca427",
            params={"field": "Idempotency-Key", "value": text[:200]},
        )
    return text.lower()


def _path(request: Request) -> str:
    """The path in one spelling, which can be stored: what the client has escaped may be anything."""
    path = quote(request.scope["path"])
    if len(path) > _LONGEST_PATH:
        raise NotFound("there is nothing at a path of this length")
    return path


async def _digest(request: Request) -> bytes:
    """SHA-256 of the JSON, however its members are ordered and spaced. The body of a DELETE means nothing.

    FastAPI has read the JSON by now, and refused what is none; no body at all it will refuse later.
    """
    body = await request.json() if request.method != "DELETE" and await request.body() else None
    try:
        text = json.dumps(body, sort_keys=True, separators=(",", ":"))
    except RecursionError as error:
        raise BadRequest("(body): the JSON is nested too deeply", params={"field": "(body)"}) from error
    return hashlib.sha256(text.encode()).digest()
