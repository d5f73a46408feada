"""What time brings: what is due and not done yet, and when something is due next.

Of all accounts, because there is one clock for all; only the next step of a conversation is told account by account.
"""

from dataclasses import astuple, dataclass
from datetime import UTC, datetime, timedelta

from orchestrator.conversations import service as conversations
from orchestrator.domain.lifecycle import Transition, next_transition
from orchestrator.kernel.unit import Unit
from orchestrator.worker import Leases

_AT_ONCE = 100
"""Conversations to look at."""
_SOON = timedelta(seconds=1)
"""No claim: clocks of two machines may differ by a little."""
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Left:
    """How much is due or under way."""

    conversations: int = 0
    deliveries: int = 0
    actions: int = 0
    messages: int = 0
    extractions: int = 0

    @property
    def is_nothing(self) -> bool:
        return not any(astuple(self))


async def left(unit: Unit, leases: Leases) -> Left:
    """What is due by now and not done yet, or is being done.

    A delivery says that it is claimed. Of other jobs, those are taken for claimed that are due when a claim of this
    moment would lapse, which while the clock stands is all of them; or are due later though nothing has failed.
    """
    row = await unit.driver.fetchrow(_LEFT, unit.now, leases.actions, leases.messages, leases.extractions, _SOON)
    assert row is not None
    return Left(**dict(row))


# What waits for a delivery, an action or a job before it is not due itself. Deliveries that do are put off by the
# delivery loop as soon as it looks at them, so they are not told apart here.
_LEFT = """
select
  (select count(*) from conversations where status <> 'CLOSED' and next_transition_at <= $1) as conversations,
  (select count(*) from deliveries d left join callback_endpoints e using (account_id, url)
   where d.status = 'PENDING' and case when d.next_attempt_at > $1 then d.claimed
                                  else e.paused_until is null or e.paused_until <= $1 end) as deliveries,
  (select count(*) from actions a
   where a.status = 'PENDING' and (a.handed_over_at is not null or a.next_attempt_at = $1 + $2::interval
     or a.next_attempt_at <= $1 and not exists (
       select from actions head
       where head.account_id = a.account_id and head.conversation_id = a.conversation_id
         and head.status = 'PENDING' and head.id < a.id))) as actions,
  (select count(*) from messages
   where next_attempt_at <= $1 or next_attempt_at = $1 + $3::interval
     or next_attempt_at > $1 + $5::interval and attempts = 0) as messages,
  (select count(*) from extraction_jobs j
   where $4::interval is not null and j.status = 'PENDING' and (
     j.next_attempt_at = $1 + $4::interval
     or j.next_attempt_at > $1 + $5::interval and j.failure_reason is null
     or j.next_attempt_at <= $1 and not exists (
       select from extraction_jobs head
       where head.account_id = j.account_id and head.conversation_id = j.conversation_id
         and head.status = 'PENDING' and head.sequence < j.sequence))) as extractions
"""


async def next_deadline(unit: Unit, *, with_attempts: bool) -> datetime | None:
    """When the clock has something to bring next, after now: to conversations, or another attempt at something."""
    statement = f"{_NEXT_LOOK} union all {_NEXT_ATTEMPT}" if with_attempts else _NEXT_LOOK
    found: datetime | None = await unit.driver.fetchval(f"select min(at) from ({statement}) as due (at)", unit.now)  # noqa: S608 - constants
    return found


_NEXT_LOOK = """
  select min(next_transition_at) from conversations where status <> 'CLOSED' and next_transition_at > $1
"""
_NEXT_ATTEMPT = """
  select min(greatest(d.next_attempt_at, e.paused_until))
  from deliveries d left join callback_endpoints e using (account_id, url)
  where d.status = 'PENDING' and greatest(d.next_attempt_at, e.paused_until) > $1
  union all
  select min(next_attempt_at) from actions where status = 'PENDING' and next_attempt_at > $1
  union all
  select min(next_attempt_at) from messages where next_attempt_at > $1
  union all
  select min(next_attempt_at) from extraction_jobs where status = 'PENDING' and next_attempt_at > $1
"""


@dataclass(frozen=True, slots=True)
class Deadline:
    """The next step of a conversation."""

    conversation_id: str
    step: Transition


async def next_of_account(unit: Unit, account_id: str) -> Deadline | None:
    """What time will bring next to a conversation of the account, if nothing is said in it until then.

    Looks are planned no later than steps, so those that are planned after the first step need not be judged.
    """
    first: Deadline | None = None
    rows = await _planned(unit, account_id, _LONG_AGO, "")
    while rows and (first is None or rows[0][1] < first.step.at):
        found = await conversations.find_all(unit, [(account_id, conversation_id) for conversation_id, _ in rows])
        for conversation in found.values():
            step = next_transition(conversation.life)
            if step is not None and (first is None or step.at < first.step.at):
                first = Deadline(conversation.id, step)
        rows = await _planned(unit, account_id, rows[-1][1], rows[-1][0])
    return first


async def next_of_conversation(unit: Unit, account_id: str, conversation_id: str) -> Deadline | None:
    """What time will bring next to one conversation; None where it has ended or is not there."""
    key = (account_id, conversation_id)
    found = (await conversations.find_all(unit, [key])).get(key)
    step = next_transition(found.life) if found is not None else None
    return None if step is None else Deadline(conversation_id, step)


async def _planned(unit: Unit, account_id: str, after: datetime, after_id: str) -> list[tuple[str, datetime]]:
    """Open conversations by their next look, from one on."""
    rows = await unit.driver.fetch(
        """
        select id, next_transition_at from conversations
        where account_id = $1 and status <> 'CLOSED' and (next_transition_at, id) > ($2, $3)
        order by next_transition_at, id limit $4
        """,
        account_id,
        after,
        after_id,
        _AT_ONCE,
    )
    return [(row["id"], row["next_transition_at"]) for row in rows]
