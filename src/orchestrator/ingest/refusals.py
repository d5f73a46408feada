"""Webhooks that were proved to be an account's and then refused: the account finds them, and why, among its traces."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from orchestrator.ingest import receipts, unlanded
from orchestrator.ingest.fields import LONGEST_SID, Fields
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.telemetry import LANDINGS
from orchestrator.kernel.unit import Units

_IDS = ("MessageSid", "SmsMessageSid", "SmsSid", "CallSid")


@asynccontextmanager
async def noting_refusals(units: Units, fields: Fields) -> AsyncIterator[None]:
    """A block in which a webhook is dealt with whose signature was verified. A refusal is kept, and raised on."""
    try:
        yield
    except BadRequest as error:
        LANDINGS.labels("none", "refused").inc()
        async with units.begin() as unit:
            trace = unlanded.refused(fields, error)
            await receipts.note_once(unit, fields["AccountSid"], _resource_id(fields), trace)
        raise


def _resource_id(fields: Fields) -> str | None:
    """The message or the call, if it is named by something that can be an id."""
    given = (fields.get(name, "").strip() for name in _IDS)
    return next((text for text in given if 0 < len(text) <= LONGEST_SID), None)
