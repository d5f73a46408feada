"""Merges are undone over HTTP: wholly or in part, in any order, whatever happened since."""

import random
from typing import Any

import pytest

from tests.support.app import Service
from tests.support.factories import OUR_NUMBER, make_configuration
from tests.support.memories import everything, note, observation, profile_path, sum_up, summary
from tests.support.memory import (
    assert_refused,
    identifiers_of,
    new_phone,
    new_profile,
    new_store,
    post_profile,
    profile_traits,
)
from tests.support.merges import content, fetch_merge, merges_of, merges_path, post_undo, undo
from tests.support.traffic import KIRAN


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


async def add(service: Service, store: str, profile_id: str, id_type: str, value: str) -> None:
    path = f"{profile_path(store, profile_id)}/Identifiers"
    response = await service.api.post(path, json={"idType": id_type, "value": value})
    assert response.status_code == 202, response.text
    service.clock.advance(minutes=1)


async def patch(service: Service, store: str, profile_id: str, **contact: Any) -> None:
    response = await service.api.patch(profile_path(store, profile_id), json={"traits": {"Contact": contact}})
    assert response.status_code == 202, response.text
    service.clock.advance(minutes=1)


async def known(service: Service, store: str, **contact: str) -> str:
    """A profile with traits, of which one thing was noticed, and one conversation summed up."""
    profile_id = await new_profile(service, store, **contact)
    path = profile_path(store, profile_id)
    await note(service, path, observation(f"about {profile_id}"))
    await sum_up(service, path, summary(f"with {profile_id}"))
    service.clock.advance(minutes=1)
    return profile_id


async def merged(service: Service, store: str, one: str, email: str) -> str:
    """Merge a profile with the one that has a mail address; the id of the merge."""
    await add(service, store, one, "email", email)
    merge_id: str = (await merges_of(service, store))[-1]["id"]
    return merge_id


async def memories(service: Service, store: str, profile_id: str) -> set[str]:
    path = profile_path(store, profile_id)
    lists = (f"{path}/Observations", f"{path}/ConversationSummaries")
    return {one["content"].partition(" ")[2] for each in lists for one in await everything(service, each)}


async def test_undo_is_the_way_back(service: Service, store: str) -> None:
    first = await known(service, store, phone="+15551234567", city="Springfield", firstName="Kiran")
    second = await known(service, store, email="k@example.com", city="Chicago", state="IL")
    before = await content(service, store)
    merge_id = await merged(service, store, first, "k@example.com")
    assert await memories(service, store, first) == {first, second}
    journal = await merges_of(service, store)

    dry = await undo(service, store, merge_id, {}, dryRun="true")
    assert (dry["status"], dry["conflicts"]) == ("UNDONE", [])
    assert await merges_of(service, store) == journal
    assert await content(service, store) != before

    done = await undo(service, store, merge_id)
    assert (done["status"], done["conflicts"]) == ("UNDONE", [])
    assert done["undoneAt"] is not None
    assert await content(service, store) == before
    assert await merges_of(service, store) == [done]
    assert (await service.api.get(profile_path(store, second))).json()["id"] == second

    for body in (None, {}, {"identifiers": [{"idType": "email", "value": "k@example.com"}]}):
        assert_refused(await post_undo(service, store, merge_id, body), 409, 20409, names="UNDONE")
    # Whatever made them one may do so again.
    await merged(service, store, first, "k@example.com")
    assert [one["status"] for one in await merges_of(service, store)] == ["UNDONE", "MERGED"]


@pytest.mark.parametrize("seed", [1, 2])
async def test_all_merges_undone_in_any_order_are_the_beginning(service: Service, store: str, seed: int) -> None:
    chance = random.Random(seed)
    left = []
    for number in range(5):
        traits = {name: f"{name} {number}" for name in ("city", "state", "firstName") if chance.random() < 0.6}
        left.append(await known(service, store, email=f"{number}@example.com", phone=new_phone(), **traits))
    mails = {profile_id: f"{number}@example.com" for number, profile_id in enumerate(left)}
    before = await content(service, store)
    made = []
    for _ in range(chance.randint(2, 4)):
        one, other = chance.sample(left, 2)
        made.append(await merged(service, store, one, mails[other]))
        left.remove(max(one, other))
    chance.shuffle(made)
    for merge_id in made:
        assert (await undo(service, store, merge_id))["conflicts"] == []
    assert await content(service, store) == before


async def test_an_earlier_merge_is_undone_after_later_ones(service: Service, store: str) -> None:
    """c joined b, b joined a; c leaves again, with what was noticed of it, and what came later stays with a."""
    a = await known(service, store, email="a@example.com", city="Springfield")
    b = await known(service, store, email="b@example.com", city="Boston")
    c = await known(service, store, email="c@example.com", city="Chicago")
    inner = await merged(service, store, b, "c@example.com")
    outer = await merged(service, store, a, "b@example.com")
    await add(service, store, a, "chat", "new")
    undone = await undo(service, store, inner)
    assert (undone["survivorId"], undone["mergedId"], undone["conflicts"]) == (b, c, [])
    assert await identifiers_of(service, store, c) == {"email": ["c@example.com"]}
    assert await memories(service, store, c) == {c}
    assert await memories(service, store, a) == {a, b}
    assert (await profile_traits(service, store, a))["Contact"]["city"] == "Boston"
    assert (await fetch_merge(service, store, outer))["before"]["merged"]["identifiers"] == [
        {"idType": "email", "value": "b@example.com"}
    ]
    await undo(service, store, outer)
    assert await identifiers_of(service, store, a) == {"email": ["a@example.com"], "chat": ["new"]}
    assert await memories(service, store, b) == {b}
    rows = await service.fetch("select merged_into from profiles where store_id = $1", store)
    assert [row["merged_into"] for row in rows] == [None] * 3


async def test_what_was_changed_since_is_told(service: Service, store: str) -> None:
    phone = new_phone()
    a = await known(service, store, email="a@example.com", city="Springfield")
    b = await known(service, store, email="b@example.com", city="Boston", phone=phone, state="MA", chat="b")
    merge_id = await merged(service, store, a, "b@example.com")
    await patch(service, store, a, city="Chicago", state=None)
    path = profile_path(store, a)
    gone = next(one for one in await everything(service, f"{path}/Observations") if b in one["content"])
    await service.api.delete(f"{path}/Observations/{gone['id']}")
    await note(service, path, observation("about both"))
    await service.api.delete(f"{path}/Identifiers/phone")
    other = await new_profile(service, store, phone=phone)

    dry = await undo(service, store, merge_id, dryRun="True")
    done = await undo(service, store, merge_id)
    assert done["conflicts"] == dry["conflicts"]
    assert sorted(done["conflicts"], key=lambda one: (one["kind"], one.get("name", ""))) == [
        {"kind": "identifier", "profileId": b, "idType": "phone", "value": phone, "kept": False, "otherwise": True},
        {"kind": "observation", "profileId": b, "observationId": gone["id"], "kept": False, "otherwise": True},
        {
            "kind": "trait",
            "profileId": a,
            "traitGroup": "Contact",
            "name": "city",
            "kept": "Chicago",
            "otherwise": "Springfield",
        },
        {"kind": "trait", "profileId": b, "traitGroup": "Contact", "name": "state", "kept": "MA", "otherwise": None},
    ]
    assert await identifiers_of(service, store, a) == {"email": ["a@example.com"]}
    assert await identifiers_of(service, store, b) == {"email": ["b@example.com"], "chat": ["b"]}
    assert await identifiers_of(service, store, other) == {"phone": [phone]}
    assert (await profile_traits(service, store, a))["Contact"] == {"email": "a@example.com", "city": "Chicago"}
    assert (await profile_traits(service, store, b))["Contact"]["city"] == "Boston"
    assert await memories(service, store, a) == {a, "both"}
    assert await merges_of(service, store) == [done]


async def test_a_part_is_taken_out(service: Service, store: str) -> None:
    phones = [new_phone(), new_phone()]
    a = await known(service, store, email="a@example.com", city="Springfield")
    b = await known(service, store, email="b@example.com", phone=phones[0], city="Boston")
    await add(service, store, b, "phone", phones[1])
    merge_id = await merged(service, store, a, "b@example.com")
    body = {"identifiers": [{"idType": "phone", "value": f" {phones[0][1:]} "}]}
    dry = await undo(service, store, merge_id, body, DRYRUN="true")
    assert (await merges_of(service, store))[0]["status"] == "MERGED"
    done = await undo(service, store, merge_id, body)
    assert dry | {"undoneAt": None} == done | {"undoneAt": None}
    assert (done["status"], done["conflicts"]) == ("SPLIT", [])
    assert await identifiers_of(service, store, b) == {"phone": [phones[0]]}
    assert await profile_traits(service, store, b) == {"Contact": {"phone": phones[0]}}
    held = {"email": ["a@example.com", "b@example.com"], "phone": [phones[1]]}
    assert await identifiers_of(service, store, a) == held
    assert await memories(service, store, a) == {a, b}
    assert await memories(service, store, b) == set()
    assert (await profile_traits(service, store, a))["Contact"] == {"email": "b@example.com", "city": "Boston"}
    assert_refused(await post_undo(service, store, merge_id), 409, 20409, names="SPLIT")


async def test_what_was_split_off_is_part_of_the_history(service: Service, store: str) -> None:
    """c joined b, b joined a, and b got back what c had brought: undoing the first merge takes it from b."""
    phone = new_phone()
    a = await known(service, store, email="a@example.com")
    b = await known(service, store, email="b@example.com")
    c = await known(service, store, email="c@example.com", phone=phone)
    before = await content(service, store)
    inner = await merged(service, store, b, "c@example.com")
    outer = await merged(service, store, a, "b@example.com")
    await undo(service, store, outer, {"identifiers": [{"idType": "phone", "value": phone}]})
    assert await identifiers_of(service, store, b) == {"phone": [phone]}
    assert (await undo(service, store, inner))["conflicts"] == []
    assert await identifiers_of(service, store, b) == {}
    assert await identifiers_of(service, store, c) == {"email": ["c@example.com"], "phone": [phone]}
    assert await memories(service, store, a) == {a, b}
    after = await content(service, store)
    assert after["profiles"] == before["profiles"]
    assert [row for row in after["profile_traits"] if c in row] == [row for row in before["profile_traits"] if c in row]


@pytest.mark.parametrize(
    ("body", "names"),
    [
        ({"identifiers": [{"idType": "email", "value": "a@example.com"}]}, "/identifiers/0"),
        ({"identifiers": [{"idType": "email", "value": "b@example.com"}, {"idType": "no", "value": "x"}]}, "/1"),
        ({"identifiers": [{"idType": "phone", "value": "12"}]}, "/identifiers/0"),
        ({"identifiers": []}, "/identifiers"),
        ({"identifiers": [{"idType": "email"}]}, "/identifiers/0/value"),
        ({"identifiers": [{"idType": "email", "value": "b\x00@example.com"}]}, "/identifiers/0/value"),
        ({"profileId": "x"}, "/profileId"),
        ([], "body"),
    ],
)
async def test_a_wrong_body_changes_nothing(service: Service, store: str, body: Any, names: str) -> None:
    a = await new_profile(service, store, email="a@example.com")
    await new_profile(service, store, email="b@example.com")
    merge_id = await merged(service, store, a, "b@example.com")
    before = await content(service, store)
    assert_refused(await post_undo(service, store, merge_id, body), 400, 20001, names=names)
    wrong = await service.api.post(f"{merges_path(store)}/{merge_id}/Undo", params={"dryRun": "maybe"})
    assert_refused(wrong, 400, 20001, names="dryRun")
    assert await content(service, store) == before


async def test_participants_go_and_come_back(service: Service, store: str) -> None:
    await make_configuration(service, memoryStoreId=store)
    first = await new_profile(service, store, email="a@example.com")
    assert (await service.receive_message(KIRAN, OUR_NUMBER)).is_success
    response = await post_profile(service, store, {"Contact": {"phone": KIRAN}})
    second = response.json()["id"]
    query = "select id, profile_id from participants where account_id = $1 and type = 'CUSTOMER'"
    [[participant_id, profile_id]] = await service.fetch(query, service.account.account_id)
    assert profile_id == second
    await add(service, store, first, "phone", KIRAN)
    assert [tuple(row) for row in await service.fetch(query, service.account.account_id)] == [(participant_id, first)]
    await undo(service, store, (await merges_of(service, store))[0]["id"])
    assert [tuple(row) for row in await service.fetch(query, service.account.account_id)] == [(participant_id, second)]


async def test_the_journal_goes_with_the_profiles(service: Service, store: str) -> None:
    a = await new_profile(service, store, email="a@example.com")
    b = await new_profile(service, store, email="b@example.com")
    merge_id = await merged(service, store, a, "b@example.com")
    await undo(service, store, merge_id)
    assert (await service.api.delete(profile_path(store, b))).status_code == 202
    assert_refused(await post_undo(service, store, merge_id), 404, 20404)
    assert await merges_of(service, store) == []
