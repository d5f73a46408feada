"""Which provider messages were seen: the first one with an id counts; what nobody captured leaves a trace."""

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from orchestrator.domain.messages import InboundMessage
from orchestrator.kernel.ids import UNCAPTURED, new_id
from orchestrator.kernel.unit import Unit


async def claim(unit: Unit, messages: Sequence[InboundMessage]) -> list[InboundMessage]:
    """The messages that are seen for the first time. A unit that sees one at the same instant waits for us."""
    first = {(message.account_id, message.resource_id): message for message in reversed(messages)}
    ordered = sorted(first)
    rows = await unit.driver.fetch(
        """
        insert into receipts (account_id, resource_id, received_at)
        select account_id, resource_id, $3 from unnest($1::text[], $2::text[]) as seen (account_id, resource_id)
        on conflict do nothing
        returning account_id, resource_id
        """,
        [account_id for account_id, _ in ordered],
        [resource_id for _, resource_id in ordered],
        unit.now,
    )
    claimed = {(row["account_id"], row["resource_id"]) for row in rows}
    return [message for key, message in reversed(first.items()) if key in claimed]


async def note_uncaptured(unit: Unit, messages: Sequence[InboundMessage]) -> None:
    """Keep a trace of messages that no capture rule wanted."""
    if not messages:
        return
    await unit.driver.execute(
        """
        insert into uncaptured (account_id, id, resource_id, trace, received_at)
        select account_id, id, resource_id, trace, $5
        from unnest($1::text[], $2::text[], $3::text[], $4::jsonb[]) as new (account_id, id, resource_id, trace)
        """,
        [message.account_id for message in messages],
        [new_id(UNCAPTURED) for _ in messages],
        [message.resource_id for message in messages],
        [orjson.dumps(_trace(message)).decode() for message in messages],
        unit.now,
    )


def _trace(message: InboundMessage) -> dict[str, Any]:
    return {
        "outcome": "UNCAPTURED",
        "reason": "no capture rule of any configuration matches",
        "channel": message.channel,
        "from": message.author.address,
        "to": message.recipient.address,
        "channelId": message.channel_id,
        "attributes": dict(message.attributes),
    }


async def note_unusable(unit: Unit, fields: Mapping[str, str], resource_id: str, reason: str) -> None:
    """Keep one trace of a webhook that cannot become a communication; a better one with its id still can."""
    told = ("From", "To", "CallSid", "NumMedia", "TranscriptionEvent", "SequenceId", "Track")
    trace = {"outcome": "UNCAPTURED", "reason": reason, **{name: fields[name] for name in told if name in fields}}
    await unit.driver.execute(
        """
        insert into uncaptured (account_id, id, resource_id, trace, received_at)
        select $1::text, $2::text, $3::text, $4::jsonb, $5::timestamptz
        where not exists (select from uncaptured where account_id = $1 and resource_id = $3)
        """,
        fields["AccountSid"],
        new_id(UNCAPTURED),
        resource_id,
        orjson.dumps(trace).decode(),
        unit.now,
    )
