"""Whatever happens, in whatever order: every message lands where the model says, and time does what the model says.

The real service in this process, with a clock that stands still until it is turned, against `tests.model.talks`.
"""

import asyncio
import dataclasses
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestrator.kernel.ids import MEMORY_STORE, new_id, new_sid
from orchestrator.lifecycle.sweep import sweep_all
from tests.model.talks import CHANNELS, GROUPINGS, Model, Said, Talk, Timeouts
from tests.support import traffic
from tests.support.app import Service, api_client, running_service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.factories import OUR_NUMBER, configuration_body

Result = TypeVar("Result")

CONFIGURATIONS = "/v2/ControlPlane/Configurations"
NUMBERS = ("+15551234567", "+15559876543", "+15550000003")
TIMEOUTS: tuple[Timeouts | None, ...] = ((10, 60), (10, 60), (None, 30), (10, None), (5, 5), (None, None), None)
"""None: the channel is not captured."""
some_number, some_channel = st.sampled_from(NUMBERS), st.sampled_from(CHANNELS)
any_one = st.integers(0, 1_000)


class Conversations(RuleBasedStateMachine):
    """One account, two or three people, one number of ours."""

    service: Service
    run: Callable[[Coroutine[Any, Any, Any]], Any]

    @initialize()
    def begin(self) -> None:
        self.clock: StoppedClock = stop_clock(self.service)
        self.model = Model({grouping: dict.fromkeys(CHANNELS, (10, 60)) for grouping in GROUPINGS})
        self.heard: list[tuple[Said, dict[str, str]]] = []
        self.store = new_id(MEMORY_STORE)
        account = self.run(self.service.new_account())
        api = api_client(self.service.app, (account.account_id, account.auth_token))
        self.service = dataclasses.replace(self.service, account=account, api=api)
        self.configurations = {grouping: self.configure(grouping) for grouping in GROUPINGS}

    def teardown(self) -> None:
        if hasattr(self, "configurations"):
            self.let_timers_run()
            self.run(self.service.api.aclose())

    @rule(number=some_number, channel=some_channel, is_ours=st.booleans())
    def say(self, number: str, channel: str, *, is_ours: bool) -> None:
        said, sid = Said(number, channel), new_sid("SM")
        prefix = "whatsapp:" if channel == "WHATSAPP" else ""
        sender, to = (OUR_NUMBER, number) if is_ours and channel != "VOICE" else (number, OUR_NUMBER)
        if channel == "VOICE":
            sid = self.run(traffic.speech(self.service, sender, to))
        else:
            self.run(traffic.message(self.service, prefix + sender, prefix + to, MessageSid=sid))
            self.heard.append((said, {"sender": prefix + sender, "to": prefix + to, "MessageSid": sid}))
        self.must_have_landed(sid, list(self.model.hear(said, self.clock.now())))
        self.clock.advance(seconds=1)  # no two are said at the same moment

    @precondition(lambda self: self.heard)
    @rule(number=any_one)
    def say_again(self, number: int) -> None:
        """The provider repeats itself, however long ago it was."""
        self.run(traffic.message(self.service, **self.heard[number % len(self.heard)][1]))

    @rule(minutes=st.sampled_from([1, 4, 5, 9, 10, 30, 59]))
    def wait(self, minutes: int) -> None:
        self.clock.advance(minutes=minutes)

    @precondition(lambda self: self.open_talks())
    @rule(number=any_one, step=st.sampled_from([0, 1]), early=st.booleans())
    def wait_for_a_deadline(self, number: int, step: int, *, early: bool) -> None:
        """Until the very moment, or just not."""
        talks = self.open_talks()
        left = talks[number % len(talks)].deadline(step) - self.clock.now()
        if left.total_seconds() > 2:
            self.clock.advance(seconds=left.total_seconds() - early)

    @rule()
    def let_timers_run(self) -> None:
        self.run(sweep_all(self.service.units))
        for talk in self.model.talks:
            talk.grow_old(self.clock.now())
        self.compare()

    @precondition(lambda self: self.open_talks())
    @rule(number=any_one, status=st.sampled_from(["ACTIVE", "INACTIVE", "CLOSED"]))
    def change(self, number: int, status: str) -> None:
        talks = self.open_talks()
        talk = talks[number % len(talks)]
        self.run(traffic.change(self.service, {"id": talk.id}, status=status))
        talk.status = status

    @precondition(lambda self: self.model.talks)
    @rule(number=any_one)
    def delete(self, number: int) -> None:
        talk = self.model.talks.pop(number % len(self.model.talks))
        self.expect(202, "DELETE", f"/v2/Conversations/{talk.id}")

    @rule(grouping=st.sampled_from(GROUPINGS), channel=some_channel, timeouts=st.sampled_from(TIMEOUTS))
    def reconfigure(self, grouping: str, channel: str, timeouts: Timeouts | None) -> None:
        """From now on; what is open stays as it began."""
        if timeouts is None:
            self.model.timeouts[grouping].pop(channel, None)
        else:
            self.model.timeouts[grouping][channel] = timeouts
        self.expect(202, "PUT", f"{CONFIGURATIONS}/{self.configurations[grouping]}", self.body(grouping))

    @rule(one=some_number, other=some_number)
    def find_out(self, one: str, other: str) -> None:
        """That two numbers are one person's."""
        path = f"/v1/Stores/{self.store}/Profiles"
        known = self.expect(200, "POST", f"{path}/Lookup", {"idType": "phone", "value": one})["profiles"]
        if known:
            self.expect(202, "POST", f"{path}/{known[0]}/Identifiers", {"idType": "phone", "value": other})
            self.model.link(one, other)

    def must_have_landed(self, channel_id: str, talks: list[Talk]) -> None:
        found = self.run(traffic.conversations(self.service, channelId=channel_id))
        landed = {one["configurationId"]: one["id"] for one in found}
        meant = {self.configurations[talk.grouping]: talk.id for talk in talks}
        for talk in talks:
            # A new one has no id yet: any that the model does not know.
            if not talk.id and (new := landed.get(self.configurations[talk.grouping])):
                assert new not in {known.id for known in self.model.talks}
                meant[self.configurations[talk.grouping]] = talk.id = new
        assert landed == meant

    def compare(self) -> None:
        """Everything that can be seen of every conversation."""
        found = self.run(traffic.conversations(self.service, pageSize=1000))
        query = "select conversation_id, count(*) from communications where account_id = $1 group by 1"
        rows = self.run(self.service.fetch(query, self.service.account.account_id))
        messages = {row["conversation_id"]: row["count"] for row in rows}
        seen = {one["id"]: (one["status"], messages[one["id"]]) for one in found}
        assert seen == {talk.id: (talk.status, talk.messages) for talk in self.model.talks}

    def open_talks(self) -> list[Talk]:
        return [talk for talk in self.model.talks if talk.is_open(self.clock.now())]

    def configure(self, grouping: str) -> str:
        return str(self.expect(202, "POST", CONFIGURATIONS, self.body(grouping))["related"]["configurationId"])

    def body(self, grouping: str) -> dict[str, Any]:
        channels = {
            channel: traffic.channel(*traffic.both_ways(), inactive=inactive, closed=closed)
            for channel, (inactive, closed) in self.model.timeouts[grouping].items()
        }
        return configuration_body(conversationGroupingType=grouping, memoryStoreId=self.store, channelSettings=channels)

    def expect(self, status: int, method: str, path: str, body: Any = None) -> Any:
        answer = self.run(self.service.api.request(method, path, json=body))
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest.fixture
def machine(database_url: str) -> Iterator[type[Conversations]]:
    """The machine with a service of its own, in an event loop of its own: Hypothesis calls without one."""
    with asyncio.Runner() as runner:
        context = running_service(database_url)

        class Machine(Conversations):
            service = runner.run(context.__aenter__())
            run = staticmethod(runner.run)

        yield Machine
        runner.run(context.__aexit__(None, None, None))


@pytest.mark.parametrize(
    ("examples", "steps"),
    [(12, 20), pytest.param(400, 40, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])],
    ids=["few", "many"],
)
def test_everything_lands_where_the_model_says(machine: type[Conversations], examples: int, steps: int) -> None:
    run_state_machine_as_test(machine, settings=settings(max_examples=examples, stateful_step_count=steps))
