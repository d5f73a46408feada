"""Calls that were told of: transcription callbacks name only the call, so its two ends are remembered."""

from collections import OrderedDict

from orchestrator.domain.messages import Direction
from orchestrator.ingest.twilio import Call
from orchestrator.kernel.unit import Units

_KEPT = 10_000


class Calls:
    """Remembers calls in the database, and those of this process in memory: a fragment costs no statement then."""

    def __init__(self, units: Units) -> None:
        self._units = units
        self._known: OrderedDict[tuple[str, str], Call] = OrderedDict()

    async def remember(self, call: Call) -> None:
        """Keep a call. What was told first of its direction stays, if later webhooks do not tell."""
        if self._known.get((call.account_id, call.sid)) == call:
            return
        async with self._units.begin() as unit:
            row = await unit.driver.fetchrow(
                """
                insert into calls (account_id, sid, sender, recipient, direction, updated_at)
                values ($1, $2, $3, $4, $5, $6)
                on conflict (account_id, sid) do update
                  set sender = excluded.sender, recipient = excluded.recipient, updated_at = excluded.updated_at,
                      direction = coalesce(excluded.direction, calls.direction)
                returning direction
                """,
                call.account_id,
                call.sid,
                call.sender,
                call.recipient,
                call.direction,
                unit.now,
            )
        assert row is not None
        self._keep(Call(call.account_id, call.sid, call.sender, call.recipient, _direction(row["direction"])))

    async def find(self, account_id: str, sid: str) -> Call | None:
        """The call, if a webhook has told of it."""
        if (call := self._known.get((account_id, sid))) is not None:
            return call
        async with self._units.begin() as unit:
            row = await unit.driver.fetchrow(
                "select sender, recipient, direction from calls where account_id = $1 and sid = $2", account_id, sid
            )
        if row is None:
            return None
        return self._keep(Call(account_id, sid, row["sender"], row["recipient"], _direction(row["direction"])))

    def _keep(self, call: Call) -> Call:
        if call.direction is None:
            return call  # another process may yet be told
        self._known[call.account_id, call.sid] = call
        if len(self._known) > _KEPT:
            self._known.popitem(last=False)
        return call


def _direction(text: str | None) -> Direction | None:
    return Direction(text) if text else None
