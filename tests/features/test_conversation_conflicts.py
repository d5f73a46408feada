"""One open conversation for each grouping key: what is in each other's way, and where traffic lands."""

from typing import Any

import pytest

from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import (
    agent,
    close,
    conflict,
    create,
    customer,
    keys_of,
    on,
    post,
    sms,
    someone,
    whatsapp,
)
from tests.support.factories import make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE, KIRAN, OTHER_PHONE, US

PAIR = (customer(sms(KIRAN)), agent(sms(US)))
DESK = "+16505550100"
PROFILE = "mem_profile_01kgh3m8qce0m9x2t6v4b7r5zn"


@pytest.fixture(params=[BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL, BY_PROFILE])
async def configuration_id(service: Service, request: pytest.FixtureRequest) -> str:
    """A configuration of each grouping type."""
    return await make_configuration(service, conversationGroupingType=request.param)


class TestUnderEachGroupingType:
    async def test_the_second_of_a_pair_is_refused_and_nothing_is_written(
        self, service: Service, configuration_id: str
    ) -> None:
        first = await create(service, *PAIR, configurationId=configuration_id)
        before = await traffic.row_counts(service)
        stranger = customer(sms(OTHER_PHONE), name="needs a profile")
        for participants in (PAIR, PAIR[::-1], (stranger, *PAIR)):
            conflict(await post(service, *participants, configurationId=configuration_id, name="second"), first)
        assert await traffic.row_counts(service) == before
        assert await traffic.conversations(service) == [first]

    async def test_inactive_is_in_the_way_and_closed_is_not(self, service: Service, configuration_id: str) -> None:
        first = await create(service, *PAIR, configurationId=configuration_id)
        await traffic.change(service, first, status="INACTIVE")
        conflict(await post(service, *PAIR, configurationId=configuration_id), first)
        await close(service, first)
        second = await create(service, *PAIR, configurationId=configuration_id)
        assert len(await keys_of(service, second)) == 1
        conflict(await post(service, *PAIR, configurationId=configuration_id), second)

    async def test_one_past_its_closing_time_is_closed_and_makes_room(
        self, service: Service, configuration_id: str
    ) -> None:
        first = await create(service, *PAIR, configurationId=configuration_id)
        service.clock.advance(minutes=60)
        second = await create(service, *PAIR, configurationId=configuration_id)
        statuses = [(one["id"], one["status"]) for one in await traffic.conversations(service)]
        assert statuses == [(first["id"], "CLOSED"), (second["id"], "ACTIVE")]
        assert (await traffic.event_types(service, first))[-1] == "CONVERSATION_UPDATED"
        assert len(await keys_of(service, second)) == 1

    async def test_the_sweep_makes_room(self, service: Service, configuration_id: str) -> None:
        await create(service, *PAIR, configurationId=configuration_id)
        service.clock.advance(minutes=10)
        await sweep_all(service.units)
        assert (await traffic.only_conversation(service))["status"] == "INACTIVE"
        service.clock.advance(minutes=50)
        await sweep_all(service.units)
        await create(service, *PAIR, configurationId=configuration_id)

    async def test_traffic_joins_what_a_caller_created(self, service: Service, configuration_id: str) -> None:
        created = await create(service, *PAIR, configurationId=configuration_id)
        await traffic.change(service, created, status="INACTIVE")
        for ends in ((KIRAN, US), (US, KIRAN)):
            await traffic.message(service, *ends)
        joined = await traffic.only_conversation(service)
        assert (joined["id"], joined["status"]) == (created["id"], "ACTIVE")
        assert joined["participants"] == created["participants"], "the caller's word on who they are stays"
        said = await traffic.communications(service, joined)
        ids = [one["id"] for one in created["participants"]]
        assert [one["author"]["participantId"] for one in said] == ids

    async def test_what_traffic_opened_is_in_a_callers_way(self, service: Service, configuration_id: str) -> None:
        await traffic.message(service, KIRAN, US)
        opened = await traffic.only_conversation(service)
        conflict(await post(service, *PAIR, configurationId=configuration_id), opened)

    async def test_configurations_and_inline_settings_do_not_meet(
        self, service: Service, configuration_id: str
    ) -> None:
        first = await create(service, *PAIR, configurationId=configuration_id)
        settings = {name: first["configuration"][name] for name in ("conversationGroupingType", "memoryStoreId")}
        other = await make_configuration(service, **settings)
        beside = await create(service, *PAIR, configurationId=other)
        inline = await create(service, *PAIR, configuration=settings)
        conflict(await post(service, *PAIR, configurationId=configuration_id), first)
        conflict(await post(service, *PAIR, configurationId=other), beside)
        conflict(await post(service, *PAIR, configuration=settings), inline)
        await traffic.message(service, KIRAN, US)
        counts = [len(await traffic.communications(service, one)) for one in (first, beside, inline)]
        assert counts == [1, 1, 0], "traffic is captured by configurations"

    async def test_accounts_do_not_meet(self, service: Service, configuration_id: str) -> None:
        first = await create(service, *PAIR, configurationId=configuration_id)
        settings = {"conversationGroupingType": first["configuration"]["conversationGroupingType"]}
        await create(service, *PAIR, configuration=settings)
        async with service.client(await service.new_account()) as theirs:
            body = {"participants": PAIR, "configuration": settings}
            assert (await theirs.post("/v2/Conversations", json=body)).status_code == 201
            assert (await theirs.post("/v2/Conversations", json=body)).status_code == 409


UNKNOWN_US, UNKNOWN_KIRAN = someone("UNKNOWN", sms(US)), someone("UNKNOWN", sms(KIRAN))
BY_EITHER = (BY_ADDRESSES, BY_ADDRESSES_AND_CHANNEL)


@pytest.mark.parametrize(
    ("grouping", "first", "second", "meet"),
    [
        *((one, PAIR, (customer(sms(KIRAN)), agent(sms(DESK))), False) for one in BY_EITHER),
        *((one, PAIR, (customer(sms(OTHER_PHONE)), agent(sms(US))), False) for one in BY_EITHER),
        *((one, PAIR, (UNKNOWN_US, UNKNOWN_KIRAN), True) for one in BY_EITHER),
        *((one, PAIR, (customer(sms(US)), someone("HUMAN_AGENT", sms(KIRAN))), True) for one in BY_EITHER),
        *((one, PAIR, (customer(sms("+1 (555) 123-4567")), agent(sms(f"tel:{US}"))), True) for one in BY_EITHER),
        # Two of the same side say nothing to each other.
        *((one, PAIR, (agent(sms(KIRAN)), someone("AGENT", sms(US))), False) for one in BY_EITHER),
        *((one, PAIR, (customer(sms(KIRAN)), customer(sms(US))), False) for one in BY_EITHER),
        # The pair is one of several.
        *((one, (*PAIR, agent(sms(DESK))), (customer(sms(KIRAN)), agent(sms(DESK))), True) for one in BY_EITHER),
        *((one, PAIR, (customer(sms(OTHER_PHONE), sms(KIRAN)), agent(sms(DESK), sms(US))), True) for one in BY_EITHER),
        # Only one type tells channels apart.
        (BY_ADDRESSES, PAIR, (customer(whatsapp(KIRAN)), agent(whatsapp(US))), True),
        (BY_ADDRESSES, PAIR, (customer(on("VOICE", KIRAN)), agent(on("RCS", f"rcs:{US}"))), True),
        (BY_ADDRESSES_AND_CHANNEL, PAIR, (customer(whatsapp(KIRAN)), agent(whatsapp(US))), False),
        (BY_ADDRESSES_AND_CHANNEL, PAIR, (customer(sms(KIRAN)), agent(whatsapp(US))), False),
        (BY_ADDRESSES_AND_CHANNEL, PAIR, (customer(sms(KIRAN), whatsapp(KIRAN)), agent(whatsapp(US), sms(US))), True),
        # By profile, the other side does not matter.
        (BY_PROFILE, PAIR, (customer(sms(KIRAN)), agent(sms(DESK))), True),
        (BY_PROFILE, PAIR, (customer(whatsapp(KIRAN)),), True),
        (BY_PROFILE, (customer(on("CHAT", "kiran")),), (customer(on("CHAT", "kiran")),), True),
        (BY_PROFILE, (customer(on("CHAT", "kiran")),), (customer(on("CHAT", "Kiran")),), False),
        (BY_PROFILE, (customer(profileId=PROFILE),), (someone("UNKNOWN", profileId=PROFILE), agent(sms(US))), True),
        (BY_PROFILE, PAIR, (customer(sms(OTHER_PHONE)), agent(sms(US))), False),
        # Without a profile, the pair; and that is nobody's profile.
        (
            BY_PROFILE,
            (someone(None, sms(OTHER_PHONE)), UNKNOWN_US),
            (UNKNOWN_US, someone(None, sms(OTHER_PHONE))),
            True,
        ),
        (BY_PROFILE, (someone(None, sms(OTHER_PHONE)), UNKNOWN_US), (customer(sms(OTHER_PHONE)), UNKNOWN_US), False),
        (BY_PROFILE, (customer(on("VIDEO", "k")), agent(sms(US))), (customer(on("VIDEO", "k")), agent(sms(US))), True),
        (
            BY_PROFILE,
            (customer(on("VIDEO", "k")), agent(sms(US))),
            (customer(on("VIDEO", "k")), agent(sms(DESK))),
            False,
        ),
    ],
)
async def test_who_is_in_whose_way(
    service: Service, grouping: str, first: tuple[Any, ...], second: tuple[Any, ...], meet: bool
) -> None:
    configuration_id = await make_configuration(service, conversationGroupingType=grouping)
    there = await create(service, *first, configurationId=configuration_id)
    answer = await post(service, *second, configurationId=configuration_id)
    if meet:
        conflict(answer, there)
    else:
        assert answer.status_code == 201, answer.text
        assert await keys_of(service, there)
