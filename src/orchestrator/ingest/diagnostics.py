"""What went wrong with a customer's profile without stopping the message: kept apart, to be found without a trace.

Codes and levels are Twilio's (memory.md section 6.4 of the contract), and so is the `errorReason`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from orchestrator.conversations.model import Conversation
from orchestrator.ingest.identifying import CREATION_FAILED, LOOKUP_FAILED, SKIPPED
from orchestrator.ingest.landing import Landing, Side
from orchestrator.kernel.ids import DIAGNOSTIC, new_id
from orchestrator.kernel.unit import Unit

WARNING, ERROR = "WARNING", "ERROR"
_LEVELS = {SKIPPED: WARNING, LOOKUP_FAILED: WARNING, CREATION_FAILED: ERROR}


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One row."""

    account_id: str
    conversation_id: str
    resource_id: str
    """The provider's id of the message; of a call of which nothing is said yet, the call's."""
    code: int
    details: dict[str, Any]
    """`errorReason`, and whom it is about: `channel`, `address`, `storeId`, …"""


async def note(unit: Unit, landed: Sequence[tuple[Landing, Conversation]]) -> None:
    """Keep what went wrong with these landings, each with the conversation it reached."""
    found = [one for landing, conversation in landed for one in diagnostics_of(landing, conversation.id)]
    if not found:
        return
    await unit.driver.execute(
        """
        insert into diagnostics
          (account_id, id, code, level, resource_id, conversation_id, details, occurred_at)
        select account_id, id, code, level, resource_id, conversation_id, details, $8
        from unnest($1::text[], $2::text[], $3::int[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
          as new (account_id, id, code, level, resource_id, conversation_id, details)
        """,
        [one.account_id for one in found],
        [new_id(DIAGNOSTIC) for _ in found],
        [one.code for one in found],
        [_LEVELS[one.code] for one in found],
        [one.resource_id for one in found],
        [one.conversation_id for one in found],
        [orjson.dumps(one.details).decode() for one in found],
        unit.now,
    )


def diagnostics_of(landing: Landing, conversation_id: str) -> Iterator[Diagnostic]:
    """What there is to tell of a landing, in the order in which it went wrong."""
    message = landing.message
    for code, details in _findings(landing):
        yield Diagnostic(
            message.account_id,
            conversation_id,
            message.resource_id,
            code,
            {**details, "storeId": landing.settings.memory_store_id or None},
        )


def _findings(landing: Landing) -> Iterator[tuple[int, dict[str, Any]]]:
    customer = landing.customer
    for code in landing.diagnostics:
        if customer is not None:
            yield code, {"errorReason": _reason(code, landing), **_about(customer)}
        else:
            reason = "both sides have a profile, and nothing tells which of them is the customer"
            yield code, {"errorReason": reason, **_about(landing.author), "facing": landing.recipient.address.address}
    resolution = customer.resolution if customer is not None else None
    if customer is not None and resolution is not None and resolution.ambiguous:
        yield (
            SKIPPED,
            {
                "errorReason": "several profiles match; one was taken, and they are not merged",
                **_about(customer),
                "profileId": resolution.profile_id,
                "others": list(resolution.ambiguous),
            },
        )


def _about(side: Side) -> dict[str, Any]:
    return {"channel": side.address.channel, "address": side.address.address}


def _reason(code: int, landing: Landing) -> str:
    store_id = landing.settings.memory_store_id
    if code == LOOKUP_FAILED:
        return f"memory store {store_id} is not there or not ACTIVE, so the customer could not be looked up"
    if code == CREATION_FAILED:
        return f"memory store {store_id} is not there or not ACTIVE, so the customer got no profile"
    return "an address of this kind identifies nobody" if store_id else "no memory store is named"
