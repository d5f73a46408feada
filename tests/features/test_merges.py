"""Profiles become one over HTTP: what makes them one, and what they are then."""

from typing import Any

import httpx
import pytest

from orchestrator.kernel.ids import MERGE, new_id
from tests.support.app import Service
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
from tests.support.merges import content, fetch_merge, merges_of, merges_path, undo


@pytest.fixture
async def store(service: Service) -> str:
    return await new_store(service)


async def set_limit(service: Service, store: str, id_type: str, **changes: Any) -> None:
    path = f"/v1/ControlPlane/Stores/{store}/IdentityResolutionSettings"
    settings = (await service.api.get(path)).json()
    body = {name: settings[name] for name in ("identifierConfigs", "matchingRules")}
    [config] = [one for one in body["identifierConfigs"] if one["idType"] == id_type]
    config.update(changes)
    assert (await service.api.put(path, json=body)).status_code == 202


async def two(service: Service, store: str, **more: str) -> tuple[str, str]:
    """Kiran's phone, and Kiran's mail address half an hour later, which nobody has connected yet."""
    phone = await new_profile(service, store, phone="+15551234567", firstName="Kiran")
    service.clock.advance(minutes=30)
    mail = await new_profile(service, store, email="k@example.com", **more)
    service.clock.advance(minutes=30)
    return phone, mail


async def send(service: Service, store: str, how: str, first: str, second: str) -> httpx.Response:
    """Say that the two are one, in one of the ways there are; of the second one, where one is named."""
    contact = {"phone": "5551234567", "email": "K@example.com", "city": "Boston"}
    first_path, second_path = profile_path(store, first), profile_path(store, second)
    match how:
        case "profile":
            return await post_profile(service, store, {"Contact": contact})
        case "bulk":
            body: Any = {"profiles": [{"traits": {"Contact": contact}}]}
            return await service.api.put(f"/v1/Stores/{store}/Profiles/Bulk", json=body)
        case "identifier":
            body = {"idType": "phone", "value": "5551234567"}
            return await service.api.post(f"{second_path}/Identifiers", json=body)
        case "replacement":
            body = {"idType": "phone", "oldValue": "+15551234567", "newValue": "+15550000001"}
            assert await service.api.post(f"{second_path}/Identifiers", json={"idType": "phone", "value": "5550000001"})
            return await service.api.patch(f"{first_path}/Identifiers/phone", json=body)
        case "patch":
            return await service.api.patch(second_path, json={"traits": {"Contact": contact}})
    return await service.api.put(second_path, json={"traits": {"Contact": contact}})


@pytest.mark.parametrize(
    ("how", "trigger", "types"),
    [
        ("profile", "profile", ["email", "phone"]),
        ("bulk", "bulk", ["email", "phone"]),
        ("identifier", "identifier", ["phone"]),
        ("replacement", "identifier", ["phone"]),
        ("patch", "traits", ["phone"]),
        ("put", "traits", ["phone"]),
    ],
)
async def test_profiles_become_one(service: Service, store: str, how: str, trigger: str, types: list[str]) -> None:
    first, second = await two(service, store)
    [noted] = await note(service, profile_path(store, second), observation())
    [summed] = await sum_up(service, profile_path(store, second), summary())
    response = await send(service, store, how, first, second)
    assert response.status_code == 202, response.text
    if how == "profile":
        assert response.json()["id"] == first

    [merge] = await merges_of(service, store)
    assert (merge["survivorId"], merge["mergedId"], merge["status"], merge["number"]) == (first, second, "MERGED", 1)
    assert merge["reason"]["trigger"] == trigger
    assert [one["idType"] for one in merge["reason"]["identifiers"]] == types
    assert (merge["undoneAt"], merge["conflicts"]) == (None, None)
    phone = "+15550000001" if how == "replacement" else "+15551234567"
    assert await identifiers_of(service, store, first) == {"email": ["k@example.com"], "phone": [phone]}
    contact = (await profile_traits(service, store, first))["Contact"]
    assert contact["firstName"] == "Kiran"
    if how in {"profile", "bulk", "patch", "put"}:
        assert contact["city"] == "Boston"
    path = profile_path(store, first)
    assert [one["id"] for one in await everything(service, f"{path}/Observations")] == [noted]
    assert [one["id"] for one in await everything(service, f"{path}/ConversationSummaries")] == [summed]
    rows = await service.fetch("select id, merged_into from profiles where store_id = $1 order by id", store)
    assert [tuple(row) for row in rows] == [(first, None), (second, first)]


async def test_the_merge_tells_what_both_were(service: Service, store: str) -> None:
    first, second = await two(service, store, city="Chicago")
    await note(service, profile_path(store, second), observation(), observation())
    await send(service, store, "identifier", first, second)
    [merge] = await merges_of(service, store)
    details = await fetch_merge(service, store, merge["id"])
    before = details.pop("before")
    assert details == merge
    assert before["survivor"]["identifiers"] == [{"idType": "phone", "value": "+15551234567"}]
    assert [(one["name"], one["value"]) for one in before["merged"]["traits"]] == [
        ("city", "Chicago"),
        ("email", "k@example.com"),
    ]
    assert (before["survivor"]["observations"], before["merged"]["observations"]) == (0, 2)
    assert before["survivor"]["createdAt"] < before["merged"]["createdAt"]


async def test_three_become_one_and_chains_are_flat(service: Service, store: str) -> None:
    phone, other = new_phone(), new_phone()
    oldest = await new_profile(service, store, chat="oldest")
    first = await new_profile(service, store, phone=phone)
    second = await new_profile(service, store, email="k@example.com")
    third = await new_profile(service, store, whatsapp=other)
    assert await new_profile(service, store, phone=phone, email="k@example.com", whatsapp=other) == first
    merges = await merges_of(service, store)
    assert [(one["number"], one["survivorId"], one["mergedId"]) for one in merges] == [
        (1, first, second),
        (2, first, third),
    ]
    assert await new_profile(service, store, chat="oldest", email="k@example.com") == oldest
    rows = await service.fetch("select id from profiles where merged_into = $1 order by id", oldest)
    assert [row["id"] for row in rows] == [first, second, third]
    assert set(await identifiers_of(service, store, oldest)) == {"chat", "phone", "email", "whatsapp"}
    await undo(service, store, (await merges_of(service, store))[2]["id"])
    rows = await service.fetch("select id from profiles where merged_into = $1 order by id", first)
    assert [row["id"] for row in rows] == [second, third]


async def test_of_a_trait_the_latest_value_counts(service: Service, store: str) -> None:
    first = await new_profile(service, store, phone="+15551234567", city="Springfield", state="IL")
    service.clock.advance(hours=1)
    second = await new_profile(service, store, email="k@example.com", city="Chicago", country="US")
    service.clock.advance(hours=1)
    await service.api.patch(profile_path(store, first), json={"traits": {"Contact": {"country": "USA"}}})
    await send(service, store, "identifier", first, second)
    contact = (await profile_traits(service, store, first))["Contact"]
    assert (contact["city"], contact["state"], contact["country"]) == ("Chicago", "IL", "USA")


async def test_a_patch_that_removes_a_trait_removes_it_of_both(service: Service, store: str) -> None:
    first, second = await two(service, store)
    given = {"Contact": {"phone": "+15551234567", "firstName": None}}
    assert (await service.api.patch(profile_path(store, second), json={"traits": given})).status_code == 202
    contact = (await profile_traits(service, store, first))["Contact"]
    assert contact == {"phone": "+15551234567", "email": "k@example.com"}


@pytest.mark.parametrize("policy", ["fifo", "lifo"])
async def test_no_more_identifiers_are_kept_than_the_limit(service: Service, store: str, policy: str) -> None:
    await set_limit(service, store, "phone", limit=2, limitPolicy=policy)
    phones = [new_phone() for _ in range(4)]
    profiles = []
    for mine, mail in ((phones[:2], "a@example.com"), (phones[2:], "b@example.com")):
        for phone in mine:
            service.clock.advance(minutes=1)
            profiles.append(await new_profile(service, store, phone=phone, email=mail))
    before = await content(service, store)
    answer = await service.api.post(
        f"{profile_path(store, profiles[0])}/Identifiers", json={"idType": "email", "value": "b@example.com"}
    )
    assert answer.status_code == 202
    held = (await identifiers_of(service, store, profiles[0]))["phone"]
    assert held == (phones[2:] if policy == "fifo" else phones[:2])
    [merge] = await merges_of(service, store)
    assert (await undo(service, store, merge["id"]))["conflicts"] == []
    assert await content(service, store) == before


async def test_a_batch_merges_in_the_order_of_its_people(service: Service, store: str) -> None:
    phones = [new_phone() for _ in range(4)]
    first, second = [await new_profile(service, store, phone=phone) for phone in phones[:2]]
    contacts: list[dict[str, Any]] = [
        {"phone": phones[2], "chat": "new", "city": "Boston"},
        {"phone": phones[0], "email": "k@example.com", "city": "Chicago"},
        {"email": "k@example.com", "phone": phones[1]},
        {"firstName": "Nobody"},
        {"phone": phones[1], "chat": "new", "state": "IL"},
        {"phone": phones[3]},
    ]
    body = {"profiles": [{"traits": {"Contact": contact}} for contact in contacts]}
    response = await service.api.put(f"/v1/Stores/{store}/Profiles/Bulk", json=body)
    operation = (await service.api.get(response.json()["statusUrl"])).json()
    assert (operation["result"]["written"], operation["result"]["skipped"]) == (5, 1)
    merges = await merges_of(service, store)
    assert [(one["survivorId"], one["mergedId"]) for one in merges[:1]] == [(first, second)]
    assert [one["survivorId"] for one in merges] == [first, first]
    held = {"email": ["k@example.com"], "phone": sorted(phones[:3]), "chat": ["new"]}
    found = await identifiers_of(service, store, first)
    assert {name: sorted(values) for name, values in found.items()} == held
    assert (await profile_traits(service, store, first))["Contact"]["state"] == "IL"
    listed = (await service.api.get(f"/v1/Stores/{store}/Profiles")).json()["profiles"]
    assert len(listed) == 2


async def test_values_that_may_be_shared_do_not_merge(service: Service, store: str) -> None:
    await set_limit(service, store, "chat", enforceUnique=False)
    first, second = await two(service, store)
    for profile_id in (first, second):
        path = f"{profile_path(store, profile_id)}/Identifiers"
        assert (await service.api.post(path, json={"idType": "chat", "value": "desk"})).status_code == 202
    assert await merges_of(service, store) == []
    # And whoever is merged for another reason has it once.
    await send(service, store, "profile", first, second)
    assert (await identifiers_of(service, store, first))["chat"] == ["desk"]


async def test_the_journal_is_listed(service: Service, store: str) -> None:
    kept = await new_profile(service, store, chat="c0")
    merged = []
    for number in range(3):
        merged.append(await new_profile(service, store, phone=new_phone(), email=f"{number}@example.com"))
        await service.api.post(
            f"{profile_path(store, kept)}/Identifiers", json={"idType": "email", "value": f"{number}@example.com"}
        )
    made = await merges_of(service, store)
    assert [one["mergedId"] for one in made] == merged
    assert [one["id"] for one in await merges_of(service, store, profileId=merged[1])] == [made[1]["id"]]
    assert await merges_of(service, store, profileId=kept) == made
    await undo(service, store, made[0]["id"])
    assert [one["id"] for one in await merges_of(service, store, STATUS="UNDONE")] == [made[0]["id"]]
    first = (await service.api.get(merges_path(store), params={"pageSize": 2, "profileId": kept})).json()
    assert [one["mergedId"] for one in first["merges"]] == merged[:0:-1]
    rest = (await service.api.get(merges_path(store), params={"pageToken": first["meta"]["nextToken"]})).json()
    assert [one["mergedId"] for one in rest["merges"]] == merged[:1]


async def test_unknown_merges_and_wrong_queries(service: Service, store: str) -> None:
    first, second = await two(service, store)
    await send(service, store, "profile", first, second)
    [merge] = await merges_of(service, store)
    other = await new_store(service)
    for wrong in (f"{merges_path(store)}/{new_id(MERGE)}", f"{merges_path(store)}/x",
                  f"{merges_path(other)}/{merge['id']}"):  # fmt: skip
        assert_refused(await service.api.get(wrong), 404, 20404)
        assert_refused(await service.api.post(f"{wrong}/Undo"), 404, 20404)
    async with service.client(await service.new_account()) as api:
        assert_refused(await api.get(merges_path(store)), 404, 520041)
        assert_refused(await api.post(f"{merges_path(store)}/{merge['id']}/Undo"), 404, 520041)
    for query in ({"status": "OPEN"}, {"profileId": "\x00"}, {"pageSize": "0"}, {"orderBy": "x"}):
        assert (await service.api.get(merges_path(store), params=query)).status_code == 400
    assert (await merges_of(service, store)) == [merge]
