"""Which provider messages were seen: the first one with an id counts. What nobody captured leaves a trace."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from orchestrator.domain.messages import DeliveryStatus, InboundMessage
from orchestrator.kernel.ids import UNCAPTURED, new_id
from orchestrator.kernel.unit import Unit

MessageKey = tuple[str, str]
"""Account id, the provider's id of the message."""
Reported = Mapping[MessageKey, DeliveryStatus]
"""How far messages had got before they themselves came."""
Trace = Mapping[str, Any]
"""Why something landed nowhere."""


async def claim(unit: Unit, messages: Sequence[InboundMessage]) -> tuple[list[InboundMessage], Reported]:
    """The messages that are seen for the first time, and what was reported of them before.

    A unit that sees one at the same instant waits for us. Calls of which nothing is said yet have no receipt: they are
    all let through.
    """
    first = {_key(message): message for message in reversed(messages) if message.content}
    rows = await _claim(unit, sorted(first)) if first else {}
    fresh = [one for one in messages if not one.content or (_key(one) in rows and first[_key(one)] is one)]
    return fresh, {key: DeliveryStatus(status) for key, status in rows.items() if status is not None}


async def _claim(unit: Unit, keys: Sequence[MessageKey]) -> dict[MessageKey, str | None]:
    rows = await unit.driver.fetch(
        """
        insert into receipts (account_id, resource_id, received_at)
        select account_id, resource_id, $3 from unnest($1::text[], $2::text[]) as seen (account_id, resource_id)
        on conflict (account_id, resource_id) do update set is_seen = true, received_at = excluded.received_at
          where not receipts.is_seen
        returning account_id, resource_id, early_status
        """,
        [account_id for account_id, _ in keys],
        [resource_id for _, resource_id in keys],
        unit.now,
    )
    return {(row["account_id"], row["resource_id"]): row["early_status"] for row in rows}


def _key(message: InboundMessage) -> MessageKey:
    return (message.account_id, message.resource_id)


async def note_uncaptured(unit: Unit, uncaptured: Sequence[tuple[InboundMessage, Trace]]) -> None:
    """Keep the traces of messages that landed nowhere."""
    if not uncaptured:
        return
    await unit.driver.execute(
        """
        insert into uncaptured (account_id, id, resource_id, trace, received_at)
        select account_id, id, resource_id, trace, $5
        from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) as new (account_id, id, resource_id, trace)
        """,
        [message.account_id for message, _ in uncaptured],
        [new_id(UNCAPTURED) for _ in uncaptured],
        [message.resource_id for message, _ in uncaptured],
        [orjson.dumps(trace).decode() for _, trace in uncaptured],
        unit.now,
    )


async def note_once(unit: Unit, account_id: str, resource_id: str | None, trace: Trace) -> None:
    """Keep the trace of a webhook that cannot become a communication, unless one is kept that says the same of it.

    A better webhook with its id still can become one.
    """
    await unit.driver.execute(
        """
        insert into uncaptured (account_id, id, resource_id, trace, received_at)
        select $1::text, $2::text, $3::text, $4::jsonb, $5::timestamptz
        where not exists (select from uncaptured where account_id = $1 and resource_id = $3
                            and trace ->> 'reason' = $4::jsonb ->> 'reason')
        """,
        account_id,
        new_id(UNCAPTURED),
        resource_id,
        orjson.dumps(trace).decode(),
        unit.now,
    )
