"""Looking at conversations: fetch, list, filters, pages."""

from typing import Any

from orchestrator.kernel.ids import new_sid
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.lists import page, walk, walk_there_and_back
from tests.support.refusals import refusal
from tests.support.traffic import BY_PROFILE, KIRAN, OTHER_PHONE, US

PATH = "/v2/Conversations"


async def from_several(service: Service, count: int, *, first: int = 0) -> list[str]:
    """Conversations with as many customers; their ids, oldest first."""
    known = {one["id"] for one in await traffic.conversations(service)}
    for number in range(first, first + count):
        await traffic.message(service, f"+1555000{number:04d}", US, f"text {number}")
    return [one["id"] for one in await traffic.conversations(service) if one["id"] not in known]


async def test_a_conversation_on_the_wire(service: Service) -> None:
    configuration_id = await make_configuration(service, conversationGroupingType=BY_PROFILE)
    await traffic.message(service, KIRAN, US)
    listed = await traffic.only_conversation(service)
    fetched = await traffic.get(service, f"{PATH}/{listed['id']}")
    assert fetched == listed
    configuration = await traffic.get(service, f"/v2/ControlPlane/Configurations/{configuration_id}")
    customer, agent = fetched["participants"]
    settings = fetched["configuration"].keys() - {"workflows"}
    assert fetched == {
        "id": fetched["id"],
        "accountId": service.account.account_id,
        "configurationId": configuration_id,
        "status": "ACTIVE",
        "name": None,
        "metadata": {},
        "createdAt": fetched["createdAt"],
        "updatedAt": fetched["createdAt"],
        "configuration": {"workflows": [], **{name: configuration[name] for name in settings}},
        "participants": [customer, agent],
    }
    assert fetched["configuration"]["conversationGroupingType"] == BY_PROFILE
    assert len(fetched["createdAt"]) == len("2026-02-03T09:15:04Z")


async def test_the_list_is_newest_first(service: Service) -> None:
    await make_configuration(service)
    made = await from_several(service, 3)
    ids, meta = await page(service, PATH)
    assert ids == made[::-1]
    assert meta == {"key": "conversations", "pageSize": 3}


async def test_an_account_without_conversations_has_an_empty_list(service: Service) -> None:
    assert await page(service, PATH) == ([], {"key": "conversations", "pageSize": 0})


async def with_every_status(service: Service) -> dict[str, str]:
    """A conversation in each state; their ids by it."""
    await make_configuration(service)
    closed, resting, active = await from_several(service, 3)
    await traffic.change(service, {"id": closed}, status="CLOSED")
    await traffic.change(service, {"id": resting}, status="INACTIVE")
    return {"ACTIVE": active, "INACTIVE": resting, "CLOSED": closed}


async def test_the_status_filter(service: Service) -> None:
    ids = await with_every_status(service)
    filtered: list[tuple[Any, list[str]]] = [
        *((status, [status]) for status in ids),
        (["ACTIVE", "INACTIVE"], ["ACTIVE", "INACTIVE"]),
        ("ACTIVE,CLOSED", ["ACTIVE", "CLOSED"]),
        (["CLOSED,INACTIVE", "ACTIVE"], ["ACTIVE", "INACTIVE", "CLOSED"]),
        ("CLOSED,CLOSED,", ["CLOSED"]),
    ]
    for asked, expected in filtered:
        found, _ = await page(service, PATH, status=asked)
        assert found == [ids[status] for status in expected], asked


async def test_an_unknown_status_is_refused(service: Service) -> None:
    for asked in ("OPEN", "active", "ACTIVE,OPEN", "\x00"):
        body = refusal(await service.api.get(PATH, params={"status": asked}), 400, 20001)
        assert body["params"]["field"] == "status"


async def test_conversations_are_found_by_message_call_and_transcript(service: Service) -> None:
    await make_configuration(service)
    first_sid = await traffic.message(service, KIRAN, US)
    second_sid = await traffic.message(service, KIRAN, US)
    call_sid = await traffic.speech(service, OTHER_PHONE, US)
    one, other = await traffic.conversations(service)
    (spoken,) = await traffic.communications(service, other)
    for channel_id in (first_sid, second_sid):
        assert await traffic.conversations(service, channelId=channel_id) == [one]
    for channel_id in (call_sid, spoken["resourceId"]):
        assert await traffic.conversations(service, channelId=channel_id) == [other]
    for channel_id in (new_sid("SM"), KIRAN, "x" * 5000):
        assert await traffic.conversations(service, channelId=channel_id) == []
    assert await traffic.conversations(service, channelId=call_sid, status="ACTIVE") == [other]
    assert await traffic.conversations(service, channelId=call_sid, status="CLOSED") == []


async def test_a_message_of_several_conversations_finds_them_all(service: Service) -> None:
    for _ in range(2):
        await make_configuration(service)
    sid = await traffic.message(service, KIRAN, US)
    assert len(await traffic.conversations(service, channelId=sid)) == 2


async def test_conversations_of_a_configuration_and_of_profiles(service: Service) -> None:
    configurations = [await make_configuration(service) for _ in range(2)]
    for sender in (KIRAN, OTHER_PHONE, KIRAN):
        await traffic.message(service, sender, US)
    everything = await traffic.conversations(service)
    assert len(everything) == 4
    for configuration in configurations:
        of_it = [one for one in everything if one["configurationId"] == configuration]
        assert await traffic.conversations(service, configurationId=configuration) == of_it
        pages = await walk_there_and_back(service, PATH, pageSize=1, configurationId=configuration)
        assert pages == [[one["id"]] for one in of_it[::-1]]
    profiles = {who["profileId"] for one in everything for who in one["participants"] if who["profileId"]}
    for wanted in ([one] for one in profiles):
        of_them = [one for one in everything if {who["profileId"] for who in one["participants"]} & {*wanted}]
        assert of_them
        assert await traffic.conversations(service, profileId=wanted) == of_them
    assert await traffic.conversations(service, profileId=",".join(profiles)) == everything
    for nothing in ({"configurationId": "x" * 5000}, {"profileId": "mem_profile_" + "0" * 26}):
        assert await traffic.conversations(service, **nothing) == []
    for name in ("configurationId", "profileId"):
        refusal(await service.api.get(PATH, params={name: "a\x00b"}), 400, 20001)


async def test_pages_of_one_forward_and_back(service: Service) -> None:
    await make_configuration(service)
    made = await from_several(service, 4)
    assert await walk_there_and_back(service, PATH, pageSize=1) == [[one] for one in made[::-1]]
    assert await walk_there_and_back(service, PATH, pageSize=3) == [made[:0:-1], made[:1]]


async def test_a_token_brings_the_filters_of_its_list(service: Service) -> None:
    ids = await with_every_status(service)
    pages = await walk_there_and_back(service, PATH, pageSize=1, status=["ACTIVE", "CLOSED"])
    assert pages == [[ids["ACTIVE"]], [ids["CLOSED"]]]


async def test_conversations_that_appear_meanwhile_neither_shift_nor_repeat_anything(service: Service) -> None:
    await make_configuration(service)
    made = await from_several(service, 3)
    first, meta = await page(service, PATH, pageSize=1)
    later = await from_several(service, 2, first=3)
    rest = await walk(service, PATH, pageToken=meta["nextToken"])
    assert [first, *rest] == [[one] for one in made[::-1]]
    _, meta = await page(service, PATH, pageToken=meta["nextToken"])
    back = await walk(service, PATH, token="previousToken", pageToken=meta["previousToken"])
    assert back == [[made[2]], [later[0]], [later[1]]]


async def test_query_names_in_any_case(service: Service) -> None:
    ids = await with_every_status(service)
    found, meta = await page(service, PATH, Status="ACTIVE,CLOSED", PageSize=1)
    assert found == [ids["ACTIVE"]]
    found, _ = await page(service, PATH, PageToken=meta["nextToken"])
    assert found == [ids["CLOSED"]]
    sid = await traffic.message(service, KIRAN, US)
    found, _ = await page(service, PATH, ChannelId=sid, Page=0, participantId="ignored")
    assert len(found) == 1


async def test_wrong_page_sizes_and_tokens_are_refused(service: Service) -> None:
    for size in ("0", "1001", "-1", "1.5", "many", ""):
        body = refusal(await service.api.get(PATH, params={"pageSize": size}), 400, 20001)
        assert body["params"]["field"] == "pageSize"
    refusal(await service.api.get(PATH, params={"channelId": "\x00"}), 400, 20001)
    forged = (
        "nonsense",
        "eyJhIjpbIngiXX0",  # without a size
        "eyJhIjpbMV0sInMiOjEsImYiOnt9fQ",  # a key that is no text
        "eyJhIjpbIngiXSwicyI6MSwiZiI6eyJzdGF0dXMiOjV9fQ",  # a status that is no list
        "eyJhIjpbIngiXSwicyI6MSwiZiI6eyJzdGF0dXMiOlsiXHUwMDAwIl19fQ",  # a status of U+0000
        "eyJhIjpbIngiXSwicyI6MSwiZiI6eyJjaGFubmVsSWQiOjV9fQ",  # a channel id that is no text
    )
    for token in forged:
        refusal(await service.api.get(PATH, params={"pageToken": token}), 400, 20001)


async def test_conversations_of_others_and_malformed_ids_are_not_found(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    conversation = await traffic.only_conversation(service)
    stranger = await service.new_account()
    async with service.client(stranger) as theirs:
        assert (await theirs.get(PATH)).json()["conversations"] == []
        refusal(await theirs.get(f"{PATH}/{conversation['id']}"), 404, 20404)
        refusal(await theirs.put(f"{PATH}/{conversation['id']}", json={"status": "CLOSED"}), 404, 20404)
        refusal(await theirs.patch(f"{PATH}/{conversation['id']}", json={"status": "CLOSED"}), 404, 20404)
    assert await traffic.only_conversation(service) == conversation
    for conversation_id in (f"{conversation['id']}x", conversation["id"].upper(), "x", "%00", "a%2Fb", "x" * 3000):
        for method in ("GET", "PUT", "PATCH"):
            body = None if method == "GET" else {"status": "CLOSED"}
            refusal(await service.api.request(method, f"{PATH}/{conversation_id}", json=body), 404, 20404)


async def test_conversations_are_only_for_those_with_credentials(service: Service) -> None:
    async with service.client() as nobody:
        for answer in (await nobody.get(PATH), await nobody.get(f"{PATH}/x")):
            refusal(answer, 401, 20003)
            assert answer.headers["WWW-Authenticate"].startswith("Basic")
