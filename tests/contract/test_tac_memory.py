"""Twilio Agent Connect's memory: every call of its client, and what an agent is given to remember before it answers."""

import asyncio
import inspect
from datetime import datetime
from typing import Any

import httpx
import pytest
from tac import TAC, TACConfig
from tac.context.memory import MemoryClient
from tac.core.config import TwilioMemoryConfig
from tac.models.session import AuthorInfo, ConversationSession

from orchestrator.accounts import service as accounts
from orchestrator.kernel.ids import CONVERSATION, PROFILE, new_id
from tests.features.test_communication_writes import Body, conversation_under, end, say
from tests.support.app import Service
from tests.support.factories import OUR_NUMBER, make_configuration
from tests.support.memories import everything, profile_path
from tests.support.memory import new_store, profile_traits
from tests.support.tac import redirect
from tests.support.traffic import KIRAN, OTHER_PHONE

LONGEST_TIME = 30
"""What TAC takes for a time; it drops a memory with a longer one."""


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


@pytest.fixture
def client(store: str, origin: str, service: Service, monkeypatch: pytest.MonkeyPatch) -> MemoryClient:
    redirect(monkeypatch, origin)
    return MemoryClient(store, service.account.account_id, service.account.auth_token)


@pytest.fixture
async def kiran(client: MemoryClient) -> str:
    """The id of Kiran's profile."""
    return await client.create_profile({"Contact": {"phone": KIRAN, "firstName": "Kiran"}})


def test_no_call_is_left_out() -> None:
    calls = {name for name, _ in inspect.getmembers(MemoryClient, inspect.isfunction) if not name.startswith("_")}
    assert calls - {"set_partner_connector"} == {
        "create_conversation_summaries",
        "create_observation",
        "create_profile",
        "get_profile",
        "lookup_profile",
        "retrieve_memory",
    }


async def test_a_profile_is_created_once_looked_up_and_read(client: MemoryClient, kiran: str) -> None:
    assert await client.create_profile({"Contact": {"phone": KIRAN}}) == kiran
    for value in (KIRAN, "+1 (555) 123-4567", f"whatsapp:{KIRAN}"):
        found = await client.lookup_profile("phone", value)
        assert (found.normalized_value, found.profiles) == (KIRAN, [kiran])
    stranger = await client.lookup_profile("phone", OTHER_PHONE)
    assert (stranger.normalized_value, stranger.profiles) == (OTHER_PHONE, [])
    profile = await client.get_profile(kiran, ["Contact", "Preferences"])
    assert (profile.id, profile.traits) == (kiran, {"Contact": {"phone": KIRAN, "firstName": "Kiran"}})
    assert len(profile.created_at) <= LONGEST_TIME
    assert (await client.get_profile(kiran)).traits == profile.traits
    with pytest.raises(httpx.HTTPStatusError) as unknown:
        await client.get_profile(new_id(PROFILE))
    assert unknown.value.response.status_code == 404


@pytest.fixture
async def merged(service: Service, client: MemoryClient, store: str, kiran: str) -> str:
    """The id of a profile with memories that has become part of Kiran's."""
    other = await client.create_profile({"Contact": {"phone": OTHER_PHONE, "lastName": "Ito"}})
    await client.create_observation(kiran, "likes tea")
    await client.create_observation(other, "has a dog")
    body = {"idType": "phone", "value": OTHER_PHONE}
    linked = await service.api.post(f"{profile_path(store, kiran)}/Identifiers", json=body)
    assert linked.status_code == 202, linked.text
    return other


async def test_the_id_of_a_merged_profile_leads_to_the_other(
    service: Service, client: MemoryClient, store: str, kiran: str, merged: str
) -> None:
    """TAC follows redirects: 301 of a read, 308 of a write with its body."""
    sent_on = await service.api.get(profile_path(store, merged))
    assert (sent_on.status_code, sent_on.headers["Canonical-Profile-Id"]) == (301, kiran)
    profile = await client.get_profile(merged, ["Contact"])
    assert (profile.id, profile.traits["Contact"]["lastName"]) == (kiran, "Ito")
    assert (await client.lookup_profile("phone", OTHER_PHONE)).profiles == [kiran]
    await client.create_observation(merged, "reads")
    told = {
        "content": "A parcel was late",
        "conversationId": new_id(CONVERSATION),
        "occurredAt": "2026-02-03T09:15:04Z",
    }
    await client.create_conversation_summaries(merged, [told])
    for profile_id in (merged, kiran):
        found = await client.retrieve_memory(profile_id)
        assert {one.content for one in found.observations} == {"likes tea", "has a dog", "reads"}
        assert [one.content for one in found.summaries] == ["A parcel was late"]


async def test_a_profile_that_it_creates_can_make_two_one(client: MemoryClient, store: str, kiran: str) -> None:
    other = await client.create_profile({"Contact": {"email": "kiran@example.com", "city": "Oslo"}})
    assert await client.create_profile({"Contact": {"phone": KIRAN, "email": "Kiran@Example.com"}}) == kiran
    assert (await client.get_profile(other)).traits["Contact"]["city"] == "Oslo"


async def test_an_observation_that_it_writes_is_one_that_it_remembers(
    service: Service, client: MemoryClient, store: str, kiran: str
) -> None:
    conversation_id = new_id(CONVERSATION)
    assert (await client.create_observation(kiran, "likes tea"))["message"]
    await client.create_observation(
        kiran, "has a dog", source="test", conversation_ids=[conversation_id], occurred_at="2026-02-03T10:15:04+01:00"
    )
    now, dated = (await client.retrieve_memory(kiran)).observations
    assert (now.content, now.source, now.conversation_ids) == ("likes tea", "conversation-intelligence", [])
    assert (dated.content, dated.source, dated.occurred_at) == ("has a dog", "test", "2026-02-03T09:15:04Z")
    assert dated.conversation_ids == [conversation_id]
    for one in (now, dated):
        assert all(len(str(moment)) <= LONGEST_TIME for moment in (one.created_at, one.updated_at, one.occurred_at))
    kept = await everything(service, f"{profile_path(store, kiran)}/Observations")
    assert [one["id"] for one in kept] == [now.id, dated.id]


async def test_summaries_that_it_writes_are_remembered(client: MemoryClient, kiran: str) -> None:
    told = {
        "content": "The parcel came",
        "conversationId": "comms_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a",
        "occurredAt": datetime.fromisoformat("2026-11-23T00:29:43.605205+00:00").isoformat(),
        "source": "conversation-intelligence",
    }
    assert (await client.create_conversation_summaries(kiran, [told, {**told, "content": "It was late"}]))["message"]
    found = (await client.retrieve_memory(kiran)).summaries
    assert {one.content for one in found} == {"The parcel came", "It was late"}
    assert {one.occurred_at for one in found} == {"2026-11-23T00:29:43Z"}
    assert {one.source for one in found} == {"conversation-intelligence"}
    assert {one.conversation_id for one in found} == {"conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"}
    with pytest.raises(httpx.HTTPStatusError) as refused:
        await client.create_conversation_summaries(kiran, [{"content": "x"}])
    assert refused.value.response.status_code == 400


async def test_a_recall_has_what_was_asked_for(client: MemoryClient, kiran: str) -> None:
    for content in ("likes tea", "has a dog", "left the parcel at the neighbour's"):
        await client.create_observation(kiran, content)
    ranked = await client.retrieve_memory(kiran, query="where is the parcel", observations_limit=1)
    assert [one.content for one in ranked.observations] == ["left the parcel at the neighbour's"]
    sure = await client.retrieve_memory(kiran, query="dog", relevance_threshold=0.9, summaries_limit=0)
    assert [one.content for one in sure.observations] == ["has a dog"]
    assert ranked.meta.query_time is not None
    assert 0 <= ranked.meta.query_time < 600_000
    none = await client.retrieve_memory(kiran, communications_limit=5)  # refused without a conversation: TAC goes on
    assert (none.observations, none.meta.query_time) == ([], None)
    assert (await client.retrieve_memory(new_id(PROFILE))).observations == []


async def conversation_of(service: Service, store: str, texts: list[str]) -> Body:
    """A conversation of Kiran, who is recognised, and an agent."""
    configuration_id = await make_configuration(service, memoryStoreId=store)
    members = [
        {"type": "CUSTOMER", "addresses": [end(KIRAN)]},
        {"type": "AI_AGENT", "addresses": [end(OUR_NUMBER)]},
    ]
    conversation = await conversation_under(service, configuration_id, *members)
    for text in texts:
        await say(service, conversation, text)
    return conversation


async def test_communications_are_whole(service: Service, client: MemoryClient, store: str, kiran: str) -> None:
    conversation = await conversation_of(service, store, ["hello", "my parcel?"])
    await client.create_observation(kiran, "waits for a parcel")
    await client.create_observation(kiran, "likes tea")
    found = await client.retrieve_memory(
        kiran, conversation_id=conversation["id"], communications_limit=10, observations_limit=1
    )
    assert [one.content for one in found.observations] == ["waits for a parcel"]
    assert [one.content.text for one in found.communications] == ["hello", "my parcel?"]
    customer, agent = conversation["participants"]
    for one in found.communications:
        author, (recipient,) = one.author, one.recipients
        assert (author.id, author.name, author.address) == (customer["id"], KIRAN, KIRAN)
        assert (author.channel, author.type, author.profile_id) == ("SMS", "CUSTOMER", kiran)
        assert (recipient.id, recipient.name, recipient.type) == (agent["id"], OUR_NUMBER, "AI_AGENT")
        assert recipient.profile_id is None
        assert len(one.created_at) <= LONGEST_TIME


@pytest.fixture
async def tac(
    service: Service, client: MemoryClient, store: str, kiran: str, request: pytest.FixtureRequest
) -> tuple[TAC, Body]:
    """TAC as an application sets it up, with a conversation that Kiran has begun."""
    conversation = await conversation_of(service, store, ["where is my parcel?"])
    async with service.units.begin() as unit:
        key = await accounts.create_key(unit, service.account.account_id, name="agent")
    config = TACConfig(
        account_sid=service.account.account_id,
        auth_token=service.account.auth_token,
        api_key=key.sid,
        api_secret=str(key.secret),
        conversation_configuration_id=conversation["configurationId"],
        phone_number=OUR_NUMBER,
        memory_config=TwilioMemoryConfig(trait_groups=["Contact"], **getattr(request, "param", {})),
    )
    return await asyncio.to_thread(TAC, config), conversation


def session(conversation: Body, **known: Any) -> ConversationSession:
    """What TAC knows of a conversation when a message comes."""
    return ConversationSession(conversation_id=conversation["id"], channel="SMS", **known)


async def test_an_agent_remembers_whom_it_only_has_an_address_of(
    service: Service, store: str, tac: tuple[TAC, Body], client: MemoryClient, kiran: str
) -> None:
    agent, conversation = tac
    await client.create_observation(kiran, "wants parcels left at the neighbour's")
    await client.create_conversation_summaries(
        kiran,
        [{"content": "A parcel was late", "conversationId": conversation["id"], "occurredAt": "2026-02-03T09:15:04Z"}],
    )
    context = session(conversation, author_info=AuthorInfo(address=KIRAN))
    memory = await agent.retrieve_memory(context, query="where is my parcel?")
    assert memory.has_memory_features
    assert (context.profile_id, context.profile and context.profile.id) == (kiran, kiran)
    assert context.profile is not None
    assert context.profile.traits == await profile_traits(service, store, kiran)
    assert [one.content for one in memory.observations] == ["wants parcels left at the neighbour's"]
    assert [one.content for one in memory.summaries] == ["A parcel was late"]
    assert memory.communications == []
    assert len(memory.build_memory_prompts()) == 2


async def test_an_agent_that_knows_a_merged_profile_remembers_all(
    tac: tuple[TAC, Body], kiran: str, merged: str
) -> None:
    """The session has the id from before; or the address alone, which has the other's id now."""
    agent, conversation = tac
    for known in ({"profile_id": merged}, {"author_info": AuthorInfo(address=OTHER_PHONE)}):
        context = session(conversation, **known)
        memory = await agent.retrieve_memory(context, query="has a dog")
        assert memory.has_memory_features
        assert context.profile is not None
        assert (context.profile.id, context.profile.traits["Contact"]["lastName"]) == (kiran, "Ito")
        assert {one.content for one in memory.observations} == {"has a dog", "likes tea"}


@pytest.mark.parametrize("tac", [{"communications_limit": 10, "relevance_threshold": 0.2}], indirect=True)
async def test_an_agent_remembers_what_the_conversation_is_about(
    tac: tuple[TAC, Body], client: MemoryClient, kiran: str
) -> None:
    agent, conversation = tac
    await client.create_observation(kiran, "asked where a parcel is before")
    await client.create_observation(kiran, "likes tea")
    memory = await agent.retrieve_memory(session(conversation, profile_id=kiran), conversation_id=conversation["id"])
    assert [one.content for one in memory.observations] == ["asked where a parcel is before"]
    assert [one.content.text for one in memory.communications] == ["where is my parcel?"]
    assert memory.build_memory_prompts()[-1].endswith("User: where is my parcel?")


async def test_a_stranger_is_remembered_by_what_was_said(tac: tuple[TAC, Body]) -> None:
    """Without a profile TAC falls back to the conversation's communications."""
    agent, conversation = tac
    context = session(conversation, author_info=AuthorInfo(address=OTHER_PHONE))
    memory = await agent.retrieve_memory(context, query="tea")
    assert not memory.has_memory_features
    assert context.profile_id is None
    assert [one.content.text for one in memory.communications] == ["where is my parcel?"]
