"""Taking the file of an import: kept in pieces, each in a short transaction of its own, and never whole in memory.

An upload holds the import by a lease that each piece renews. One that breaks off leaves nothing, and may be repeated;
where its process died with it, what it left is thrown away by the next one, or by the importer once the URL expires.
"""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from starlette.requests import ClientDisconnect

from orchestrator.kernel.errors import BadRequest, Conflict, NotFound, OrchestratorError
from orchestrator.kernel.ids import IMPORT, is_id
from orchestrator.kernel.secrets import digest
from orchestrator.kernel.unit import Unit, Units
from orchestrator.memory.stores import serving_store

log = structlog.get_logger(__name__)

CHUNK = 1024 * 1024
"""Bytes of a piece."""
LEASE = timedelta(seconds=60)
"""Without a new piece for so long, an upload counts as broken off as soon as there is another one."""


class UploadRefused(OrchestratorError):
    """The upload URL is not good any more.

    What to do: announce the import again; its URL is good for 30 minutes, and for one file.
    """

    status = 403
    code = 20403


@dataclass(slots=True)
class Upload:
    """A file on its way."""

    account_id: str
    store_id: str
    import_id: str
    file_size: int
    """Bytes, as announced."""
    until: datetime
    """When the hold on the import lapses; whoever has it changed it last."""
    kept: int = 0
    """Pieces."""


async def take_file(
    units: Units,
    url: tuple[str, str],
    body: AsyncIterator[bytes],
    *,
    length: int | None,
    wake: Callable[[], None],
) -> None:
    """Keep a file for the importer, which is woken. The URL has the import's id and a token, `length` is in bytes.

    Raises NotFound, UploadRefused, BadRequest for another size than was announced, Conflict while the file is being
    uploaded by somebody else. Then nothing of the file is kept.
    """
    async with units.begin() as unit:
        upload = await _begin(unit, *url, length)
    try:
        await _receive(units, upload, body, wake)
    except ClientDisconnect as error:
        await _let_go(units, upload)
        raise BadRequest("the upload broke off") from error
    except Exception:
        await _let_go(units, upload)
        raise


async def _begin(unit: Unit, import_id: str, token: str, length: int | None) -> Upload:
    row = await unit.driver.fetchrow(
        "select * from profile_imports where upload_token_hash = $1 and id = $2 for update",
        digest(token),
        import_id if is_id(import_id, IMPORT) else "",
    )
    if row is None:
        raise NotFound("there is no import that has this upload URL")
    if row["uploaded_at"] is not None:
        raise UploadRefused("this upload URL has taken its file")
    if row["status"] != "PENDING" or row["upload_expires_at"] <= unit.now:
        raise UploadRefused("this upload URL has expired")
    if length is not None and length != row["file_size"]:
        raise _wrong_size(length, row["file_size"])
    if row["next_attempt_at"] is not None and row["next_attempt_at"] > unit.now:
        raise Conflict("the file is being uploaded already")
    upload = Upload(row["account_id"], row["store_id"], row["id"], row["file_size"], unit.now + LEASE)
    await unit.driver.execute(
        "update profile_imports set next_attempt_at = $4 where account_id = $1 and store_id = $2 and id = $3",
        *_key(upload),
        upload.until,
    )
    await _throw_away(unit, upload)
    return upload


async def _receive(units: Units, upload: Upload, body: AsyncIterator[bytes], wake: Callable[[], None]) -> None:
    received, buffer = 0, bytearray()
    async for part in body:
        received += len(part)
        if received > upload.file_size:
            raise _wrong_size(f"more than {upload.file_size}", upload.file_size)
        buffer += part
        while len(buffer) > CHUNK:
            await _keep(units, upload, bytes(buffer[:CHUNK]))
            del buffer[:CHUNK]
    if received < upload.file_size:
        raise _wrong_size(received, upload.file_size)
    await _keep(units, upload, bytes(buffer), wake)


async def _keep(units: Units, upload: Upload, content: bytes, wake: Callable[[], None] | None = None) -> None:
    """Write a piece. With `wake` it is the last one: then the importer may begin."""
    async with units.begin() as unit:
        await serving_store(unit, upload.account_id, upload.store_id, writing=True)
        until = unit.now if wake else unit.now + LEASE
        if not await _hold(unit, upload, until, uploaded_at=unit.now if wake else None):
            raise Conflict("another upload of this file has begun")
        await unit.driver.execute(
            "insert into profile_import_chunks (account_id, store_id, import_id, number, content) "
            "values ($1, $2, $3, $4, $5)",
            *_key(upload),
            upload.kept,
            content,
        )
        if wake:
            unit.after_commit.append(wake)
    upload.until = until
    upload.kept += 1


async def _hold(unit: Unit, upload: Upload, until: datetime | None, *, uploaded_at: datetime | None = None) -> bool:
    """Hold the import until another moment, or not any more; False when another upload has it."""
    held = await unit.driver.fetchval(
        """
        update profile_imports
        set next_attempt_at = $5, uploaded_at = $6, updated_at = coalesce($6, updated_at)
        where account_id = $1 and store_id = $2 and id = $3 and next_attempt_at = $4 and uploaded_at is null
        returning true
        """,
        *_key(upload),
        upload.until,
        until,
        uploaded_at,
    )
    return held is not None


async def _let_go(units: Units, upload: Upload) -> None:
    """Leave nothing, so that the upload can be repeated at once."""
    async with units.begin() as unit:
        if await _hold(unit, upload, None):
            await _throw_away(unit, upload)
    log.info("upload not taken", import_id=upload.import_id)


async def _throw_away(unit: Unit, upload: Upload) -> None:
    await unit.driver.execute(
        "delete from profile_import_chunks where account_id = $1 and store_id = $2 and import_id = $3", *_key(upload)
    )


def _key(upload: Upload) -> tuple[str, str, str]:
    return upload.account_id, upload.store_id, upload.import_id


def _wrong_size(found: int | str, announced: int) -> BadRequest:
    return BadRequest(f"the file has {found} bytes, and {announced} were announced")
