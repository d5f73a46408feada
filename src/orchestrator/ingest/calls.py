"""Calls that were told of: transcription callbacks name only the call, so what was told of it is remembered."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from dataclasses import replace

import asyncpg

from orchestrator.domain.messages import Direction
from orchestrator.ingest.attributes import Attribute, AttributeName
from orchestrator.ingest.voice import Call, CallKey, Ends
from orchestrator.kernel.unit import Unit, Units

_KEPT = 10_000


class Calls:
    """What is known of calls before their events are landed.

    The two ends of a call are all but fixed, so this process keeps them in memory: to know them costs a fragment no
    statement. Where a call belongs may be told to another process at any time, and is never kept.
    """

    def __init__(self, units: Units) -> None:
        self._units = units
        self._ends: OrderedDict[CallKey, Call] = OrderedDict()

    async def learn(self, told: Call) -> Call:
        """What is known of a call, with what a webhook tells of it now.

        The two ends are remembered at once, unless an attribute comes with them: then nothing is before the attribute
        has been found to lead somewhere (`attaching`).
        """
        known = self._ends.get(told.key)
        if known is None or told.ends not in (None, known.ends) or told.direction not in (None, known.direction):
            async with self._units.begin() as unit:
                if told.ends is not None and told.attribute is None:
                    found = await remember(unit, [told])
                else:
                    found = await recall(unit, [told.key])
            known = found.get(told.key) or Call(told.account_id, told.sid)
            self.keep(known)
        return replace(known, ends=told.ends or known.ends, direction=told.direction or known.direction)

    def keep(self, call: Call) -> None:
        """Keep the ends of a call that is remembered."""
        if call.ends is None or call.direction is None:
            return  # another process may yet be told
        self._ends[call.key] = Call(call.account_id, call.sid, call.ends, call.direction)
        if len(self._ends) > _KEPT:
            self._ends.popitem(last=False)


async def recall(unit: Unit, keys: Collection[CallKey]) -> dict[CallKey, Call]:
    """What is remembered of these calls."""
    rows = await unit.driver.fetch(
        """
        select account_id, sid, sender, recipient, direction, configuration_id, conversation_id, attached_to
        from calls where (account_id, sid) in (select * from unnest($1::text[], $2::text[]))
        """,
        [account_id for account_id, _ in keys],
        [sid for _, sid in keys],
    )
    return _by_key(rows)


async def remember(unit: Unit, calls: Collection[Call]) -> dict[CallKey, Call]:
    """Keep what is told of calls; returns all that is known of them now.

    What is told later wins, and what is not told stays as it was.
    """
    told = sorted(calls, key=lambda call: call.key)
    rows = await unit.driver.fetch(
        """
        insert into calls as known
          (account_id, sid, sender, recipient, direction, configuration_id, conversation_id, attached_to, updated_at)
        select account_id, sid, sender, recipient, direction, configuration_id, conversation_id, attached_to, $9
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[])
          as told (account_id, sid, sender, recipient, direction, configuration_id, conversation_id, attached_to)
        on conflict (account_id, sid) do update
          set sender = coalesce(excluded.sender, known.sender),
              recipient = coalesce(excluded.recipient, known.recipient),
              direction = coalesce(excluded.direction, known.direction),
              configuration_id = case when excluded.conversation_id is null
                                      then coalesce(excluded.configuration_id, known.configuration_id) end,
              conversation_id = case when excluded.configuration_id is null
                                     then coalesce(excluded.conversation_id, known.conversation_id) end,
              attached_to = coalesce(excluded.attached_to, known.attached_to),
              updated_at = excluded.updated_at
        returning account_id, sid, sender, recipient, direction, configuration_id, conversation_id, attached_to
        """,
        [call.account_id for call in told],
        [call.sid for call in told],
        [call.ends and call.ends.sender for call in told],
        [call.ends and call.ends.recipient for call in told],
        [call.direction for call in told],
        [_value(call.attribute, AttributeName.CONFIGURATION) for call in told],
        [_value(call.attribute, AttributeName.CONVERSATION) for call in told],
        [call.attached_to for call in told],
        unit.now,
    )
    return _by_key(rows)


def _value(attribute: Attribute | None, name: AttributeName) -> str | None:
    return attribute.value if attribute is not None and attribute.name is name else None


def _by_key(rows: Iterable[asyncpg.Record]) -> dict[CallKey, Call]:
    return {(row["account_id"], row["sid"]): _from_row(row) for row in rows}


def _from_row(row: asyncpg.Record) -> Call:
    attribute = None
    if row["configuration_id"] is not None:
        attribute = Attribute(AttributeName.CONFIGURATION, row["configuration_id"])
    elif row["conversation_id"] is not None:
        attribute = Attribute(AttributeName.CONVERSATION, row["conversation_id"])
    return Call(
        row["account_id"],
        row["sid"],
        None if row["sender"] is None else Ends(row["sender"], row["recipient"]),
        Direction(row["direction"]) if row["direction"] else None,
        attribute,
        row["attached_to"],
    )
