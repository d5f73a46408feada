"""Which configurations capture a message, and what remains of one that none captures."""

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.traffic import BY_ADDRESSES, BY_PROFILE, KIRAN, OTHER_PHONE, US

CONFIGURATIONS = "/v2/ControlPlane/Configurations"


async def test_a_rule_may_name_the_customer(service: Service) -> None:
    await make_configuration(service, channelSettings={"SMS": traffic.channel((KIRAN, US), (US, KIRAN))})
    await traffic.message(service, OTHER_PHONE, US, "not ours to keep", Direction="inbound")
    await traffic.message(service, KIRAN, US, "question", Direction="inbound")
    await traffic.message(service, US, KIRAN, "answer", Direction="outbound-api")
    assert await traffic.texts(service) == [["question", "answer"]]
    assert traffic.roles(await traffic.only_conversation(service)) == {KIRAN: "CUSTOMER", US: "AGENT"}


async def test_a_rule_of_two_wildcards_captures_everything_of_its_channel(service: Service) -> None:
    await make_configuration(service, channelSettings={"SMS": traffic.channel(("*", "*"))})
    await traffic.message(service, KIRAN, US, "one", Direction="inbound")
    await traffic.message(service, "+33142685300", "12345", "two", Direction="inbound")
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", "another channel")
    assert await traffic.texts(service) == [["one"], ["two"]]


async def test_a_rule_has_a_direction(service: Service) -> None:
    await make_configuration(service, channelSettings={"SMS": traffic.channel(("*", US))})
    await traffic.message(service, KIRAN, US, "question")
    await traffic.message(service, US, KIRAN, "answer")
    assert await traffic.texts(service) == [["question"]]


async def test_the_trace_names_the_first_rule_that_matches(service: Service) -> None:
    rules = [(OTHER_PHONE, US), ("*", US), (KIRAN, "*")]
    configuration_id = await make_configuration(service, channelSettings={"SMS": traffic.channel(*rules)})
    await traffic.message(service, KIRAN, US)
    found = await traffic.only_trace(service)
    assert found["rule"] == {"channel": "SMS", "position": 1, "from": "*", "to": US}
    assert (found["configurationId"], found["configurationVersion"]) == (configuration_id, 1)


async def test_every_matching_configuration_captures_its_own_copy_in_creation_order(service: Service) -> None:
    made = [await make_configuration(service, conversationGroupingType=one) for one in (BY_PROFILE, BY_ADDRESSES)]
    sid = await traffic.message(service, KIRAN, US)
    found = await traffic.conversations(service)
    assert [one["configurationId"] for one in found] == made
    said = [communication for (communication,) in await traffic.everything_said(service)]
    assert [one["resourceId"] for one in said] == [sid, sid]
    assert len({one["id"] for one in said}) == 2
    await traffic.message(service, KIRAN, US)
    assert [len(of_one) for of_one in await traffic.texts(service)] == [2, 2]


async def test_a_whatsapp_rule_needs_no_prefix(service: Service) -> None:
    for written in (US, f"whatsapp:{US}", "WhatsApp: +1 650 555 0199"):
        settings = {"WHATSAPP": traffic.channel(*traffic.both_ways(written))}
        await make_configuration(service, channelSettings=settings)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", "question")
    await traffic.message(service, f"whatsapp:{US}", f"whatsapp:{KIRAN}", "answer")
    assert await traffic.texts(service) == [["question", "answer"]] * 3
    for said, _ in await traffic.everything_said(service):
        assert said["author"]["address"] == f"whatsapp:{KIRAN}"


async def test_uncaptured_traffic_leaves_a_trace_and_a_metric(service: Service) -> None:
    await make_configuration(service)
    before = traffic.landings("SMS", "uncaptured")
    sid = await traffic.message(service, KIRAN, OTHER_PHONE)
    assert await traffic.conversations(service) == []
    (found,) = await traffic.uncaptured(service)
    assert found == {
        "outcome": "UNCAPTURED",
        "reason": "no capture rule of any configuration matches",
        "channel": "SMS",
        "from": KIRAN,
        "to": OTHER_PHONE,
        "direction": None,
        "channelId": sid,
        "attributes": {},
        "considered": found["considered"],
    }
    assert traffic.landings("SMS", "uncaptured") == before + 1
    metrics = (await service.api.get("/metrics")).text
    assert 'orchestrator_landings_total{channel="SMS",outcome="uncaptured"}' in metrics


async def test_uncaptured_traffic_makes_nobody_a_customer(service: Service) -> None:
    await traffic.message(service, KIRAN, US)
    account_id = service.account.account_id
    assert await service.fetch("select from profiles where account_id = $1", account_id) == []


async def test_media_without_text_is_not_captured_but_leaves_a_trace(service: Service) -> None:
    await make_configuration(service)
    media = {"NumMedia": "1", "MediaUrl0": "https://media.example.com/1"}
    sids = [await traffic.message(service, KIRAN, US, body, **media) for body in ("", "  \n")]
    assert await traffic.conversations(service) == []
    trace = {
        "outcome": "UNCAPTURED",
        "reason": "the message has no text; media alone is not captured",
        "from": KIRAN,
        "to": US,
        "fields": {"NumMedia": "1"},
    }
    assert await traffic.uncaptured(service) == [trace, trace]
    rows = await service.fetch(
        "select resource_id from uncaptured where account_id = $1 order by id", service.account.account_id
    )
    assert [row["resource_id"] for row in rows] == sids


async def test_of_a_message_with_media_the_text_is_captured(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "the damage", NumMedia="1", MediaUrl0="https://media.example.com/1")
    assert await traffic.texts(service) == [["the damage"]]


async def test_traffic_is_routed_by_the_rules_that_are_current(service: Service) -> None:
    configuration_id = await make_configuration(service)
    await traffic.message(service, KIRAN, US, "captured")
    update = configuration_body(channelSettings={"SMS": traffic.channel(("*", OTHER_PHONE))})
    assert (await service.api.put(f"{CONFIGURATIONS}/{configuration_id}", json=update)).status_code == 202
    await traffic.message(service, KIRAN, US, "not any more")
    await traffic.message(service, KIRAN, OTHER_PHONE, "but this")
    assert await traffic.texts(service) == [["captured"], ["but this"]]


async def test_a_deleted_configuration_captures_nothing(service: Service) -> None:
    configuration_id = await make_configuration(service)
    assert (await service.api.delete(f"{CONFIGURATIONS}/{configuration_id}")).status_code == 202
    await traffic.message(service, KIRAN, US)
    assert await traffic.conversations(service) == []
    assert len(await traffic.uncaptured(service)) == 1


async def test_accounts_capture_only_their_own_traffic(service: Service) -> None:
    await make_configuration(service)
    stranger = await service.new_account()
    form = {"AccountSid": stranger.account_id, "MessageSid": new_sid("SM"), "From": KIRAN, "To": US, "Body": "hello"}
    answer = await service.post_webhook("/ingest/twilio/messages", form, signed_by=stranger.auth_token)
    assert answer.status_code == 200
    assert await traffic.conversations(service) == []
    async with service.client(stranger) as theirs:
        assert (await theirs.get("/v2/Conversations")).json()["conversations"] == []
