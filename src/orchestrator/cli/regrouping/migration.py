"""The steps are taken: each looks at what is there, so that a run after a break goes on."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from orchestrator.cli.api import Api, Refused
from orchestrator.cli.errors import CommandFailed
from orchestrator.cli.regrouping.plan import NEW, Kind, Plan, Step
from orchestrator.cli.regrouping.state import (
    CONFIGURATIONS,
    CONVERSATIONS,
    State,
    Wish,
    open_conversations,
)

_AT_ONCE = 8
"""Conversations that are being closed at the same time."""
_ROUNDS = 5
"""How often what was opened meanwhile is closed too."""
_LOOKED_AT = 200
"""Conversations of the new configuration that are searched for messages which both captured."""

Tell = Callable[[str, int, int], None]
"""What is being done, how much of it is done, and how much there is."""


@dataclass(slots=True)
class Outcome:
    """What came of it."""

    new_id: str | None = None
    done: list[Step] = field(default_factory=list)
    closed: int = 0
    left_open: int = 0
    """Conversations that were left to their timers."""
    captured_twice: list[dict[str, Any]] = field(default_factory=list)
    """Messages that came while both configurations had the rules, each with its two conversations."""


@dataclass(slots=True)
class Migration:
    """One run."""

    api: Api
    wish: Wish
    state: State
    plan: Plan
    tell: Tell = lambda what, done, of: None
    outcome: Outcome = field(default_factory=Outcome)
    given: Mapping[str, Any] | None = None
    """What the channels of the new configuration were before this run gave them rules."""

    async def run(self) -> Outcome:
        """Take all steps. Raises CommandFailed, with what is left to do."""
        self.outcome.new_id = self.state.new["id"] if self.state.new else None
        for step in self.plan.steps:
            self.tell(step.kind.value, 0, step.count)
            await self._take(step)
            if self.outcome.left_open:
                break
            self.outcome.done.append(step)
        if any(step.kind is Kind.TAKE for step in self.plan.steps):
            self.outcome.captured_twice = await self._captured_twice()
        if not self.wish.closes:
            await self._count_left()
        return self.outcome

    async def _take(self, step: Step) -> None:
        match step.kind:
            case Kind.CREATE:
                accepted = await self.api.post(step.path, step.body)
                self.outcome.new_id = accepted["related"]["configurationId"]
            case Kind.GIVE:
                await self._patch(step)
                self.given = {
                    channel: self.plan.new["channelSettings"].get(channel)
                    for channel in (step.body or {})["channelSettings"]
                }
            case Kind.TAKE:
                await self._take_rules(step)
            case Kind.CLOSE:
                await self._close()
            case Kind.DELETE:
                await self._delete(step)
            case _:
                await self._patch(step)

    async def _patch(self, step: Step) -> None:
        headers = {} if step.if_version is None else {"If-Match": f'"{step.if_version}"'}
        path = step.path.replace(NEW, str(self.outcome.new_id))
        await self.api.request("PATCH", path, json=step.body, headers=headers)

    async def _take_rules(self, step: Step) -> None:
        """Both have the rules now. If the old one is refused to lose them, the new one gives them back.

        Where nobody knows what became of the request, nothing is given back: it may be that the old one has lost them.
        """
        try:
            await self._patch(step)
        except Refused as refused:
            if refused.status >= 500 or self.given is None:
                raise self._unsettled(refused) from refused
            await self.api.patch(f"{CONFIGURATIONS}/{self.outcome.new_id}", {"channelSettings": self.given})
            raise CommandFailed(f"{refused}; nothing is captured twice. Run the same command again") from refused
        except CommandFailed as failed:
            raise self._unsettled(failed) from failed

    def _unsettled(self, failed: CommandFailed) -> CommandFailed:
        return CommandFailed(
            f"{failed}; {self.outcome.new_id} and {self.wish.old_id} may both capture until the command is run again"
        )

    async def _close(self) -> None:
        """Close what is open, and what traffic that was on its way has opened meanwhile."""
        for _ in range(_ROUNDS):
            found = await open_conversations(self.api, self.wish.old_id)
            if not found:
                return
            await self._close_all(found)
        raise self._still_used()

    async def _close_all(self, found: tuple[str, ...]) -> None:
        gate, done = asyncio.Semaphore(_AT_ONCE), 0

        async def close(conversation_id: str) -> None:
            nonlocal done
            async with gate:
                was_open = await self._closed(conversation_id)
            self.outcome.closed += was_open
            done += 1
            self.tell(Kind.CLOSE.value, done, len(found))

        ended = await asyncio.gather(*map(close, found), return_exceptions=True)
        for error in ended:
            if isinstance(error, BaseException):
                raise error

    async def _closed(self, conversation_id: str) -> bool:
        """Whether it was open until now; one that ended or was deleted meanwhile is as good."""
        try:
            await self.api.patch(f"{CONVERSATIONS}/{conversation_id}", {"status": "CLOSED"})
        except Refused as refused:
            if refused.status not in {400, 404}:
                raise
            return False
        return True

    async def _delete(self, step: Step) -> None:
        """Delete it; what was opened in the last moment is closed first, or left."""
        for _ in range(_ROUNDS):
            try:
                await self.api.delete(step.path)
            except Refused as refused:
                if refused.status != 409:
                    raise
            else:
                return
            if not self.wish.closes:
                await self._count_left()
                return
            await self._close()
        raise self._still_used()

    async def _count_left(self) -> None:
        self.outcome.left_open = len(await open_conversations(self.api, self.wish.old_id))

    async def _captured_twice(self) -> list[dict[str, Any]]:
        """What lies in a conversation of either configuration: it came between two requests, or after a break."""
        found = []
        conversations = await self.api.get(CONVERSATIONS, pageSize=str(_LOOKED_AT), status="ACTIVE,INACTIVE")
        for conversation in conversations["conversations"]:
            if conversation["configurationId"] != self.outcome.new_id:
                continue
            path = f"{CONVERSATIONS}/{conversation['id']}/Communications"
            async for said in self.api.every(path, "communications"):
                twin = await self._twin(said["resourceId"])
                if twin is not None:
                    found.append({"resourceId": said["resourceId"], "conversations": [twin, conversation["id"]]})
        return found

    async def _twin(self, resource_id: str | None) -> str | None:
        """The conversation of the old configuration that has this message too."""
        if resource_id is None:
            return None
        holders = (await self.api.get(CONVERSATIONS, channelId=resource_id))["conversations"]
        return next((str(one["id"]) for one in holders if one["configurationId"] == self.wish.old_id), None)

    def _still_used(self) -> CommandFailed:
        return CommandFailed(
            f"configuration {self.wish.old_id} still gets new conversations, though it has no rules: something names "
            f"it, such as TwiML or code. Have that name {self.outcome.new_id}, and run the same command again"
        )
