"""Memory in the console: stores, who is known by what, what is remembered, profiles that become one and two again."""

from urllib.parse import quote

from tests.console.forms import fields_in
from tests.support.app import Service
from tests.support.console import Browser
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, OTHER_PHONE, US

_STORE = "mem_store_01kgh3m8qce0m9x2t6v4b7r5zn"
_API = f"/v1/Stores/{_STORE}/Profiles"
_PAGE = f"/console/stores/{_STORE}"


async def test_a_store_is_made_and_somebody_added_and_looked_up(service: Service, browser: Browser) -> None:
    assert "No memory store yet." in await browser.page("/console/stores")
    assert (await browser.send("/console/stores", displayName="people")).status_code == 303
    refused = await browser.send("/console/stores", displayName="two words")
    assert (refused.status_code, 'id="displayName-wrong"' in refused.text) == (400, True)
    (store_id,) = (await service.api.get("/v1/ControlPlane/Stores")).json()["stores"]
    path = f"/console/stores/{store_id}"
    assert f'href="{path}"' in await browser.page("/console/stores")
    assert "No profile yet." in await browser.page(path)
    added = await browser.send(path + "/profiles", idType="phone", value=KIRAN, firstName="Kiran")
    assert added.headers["location"].startswith(path + "/profiles/mem_profile_")
    assert (await browser.send(path + "/profiles", idType="phone", value="")).status_code == 400
    found = await browser.page(path + f"?idType=phone&value={quote('(555) 123-4567')}")
    assert f"Known by {KIRAN}" in found
    assert f'href="{added.headers["location"]}"' in found
    assert "Nobody is known by" in await browser.page(path + "?idType=email&value=a@example.com")
    assert 'class="refusal"' in await browser.page(path + "?idType=nothing&value=x")


async def test_a_profile_shows_all_that_is_known(service: Service, browser: Browser) -> None:
    configuration_id = await make_configuration(service, memoryStoreId=_STORE)
    await service.receive_message(KIRAN, US)
    (profile_id,) = (await service.api.get(_API)).json()["profiles"]
    (conversation,) = (await service.api.get("/v2/Conversations")).json()["conversations"]
    memory = {"content": "Likes <b>tea</b>", "source": "tests", "occurredAt": "2026-02-03T09:15:04Z"}
    observed = {"observations": [memory | {"conversationIds": [conversation["id"]]}]}
    await service.api.post(f"{_API}/{profile_id}/Observations", json=observed)
    told = {"summaries": [memory | {"content": "It went well", "conversationId": conversation["id"]}]}
    await service.api.post(f"{_API}/{profile_id}/ConversationSummaries", json=told)
    page = await browser.page(f"{_PAGE}/profiles/{profile_id}")
    assert "Likes &lt;b&gt;tea&lt;/b&gt;" in page
    assert "It went well" in page
    assert f"<td>{KIRAN}</td>" in page
    assert page.count(f'href="/console/conversations/{conversation["id"]}"') == 3
    assert f"/console/configurations/{configuration_id}" in await browser.page(_PAGE)
    assert (await browser.http.get(f"{_PAGE}/profiles/mem_profile_x")).status_code == 404


async def test_identifiers_are_added_and_removed(service: Service, browser: Browser) -> None:
    kiran = await _profile(service, KIRAN)
    path = f"{_PAGE}/profiles/{kiran}"
    assert (await browser.send(path + "/identifiers", idType="phone", value=OTHER_PHONE)).status_code == 303
    page = await browser.page(path)
    assert f">Remove {KIRAN}</button>" in page  # the oldest
    assert ">Remove all</button>" in page
    refused = await browser.send(path + "/identifiers", idType="phone", value="12")
    assert (refused.status_code, 'class="refusal"' in refused.text) == (400, True)
    assert (await browser.send(path + "/identifiers/remove", idType="phone", all="false")).status_code == 303
    assert await _values(service, kiran) == [OTHER_PHONE]
    assert (await browser.send(path + "/identifiers/remove", idType="phone", all="true")).status_code == 303
    assert "no traffic is recognised" in await browser.page(path)


async def test_profiles_become_one_and_two_again(service: Service, browser: Browser) -> None:
    kiran, other = await _profile(service, KIRAN), await _profile(service, OTHER_PHONE)
    kirans = f"{_PAGE}/profiles/{kiran}"
    shown = await browser.send(f"{_PAGE}/profiles/{other}/identifiers", idType="phone", value=KIRAN)
    assert shown.headers["location"] == f"{_PAGE}/profiles/{other}/merge?with={kiran}"
    assert await _values(service, other) == [OTHER_PHONE]  # nothing was done yet
    assert "Both are the same profile" in await browser.page(kirans + f"/merge?with={quote(KIRAN)}&idType=phone")
    assert "Nobody is known by" in await browser.page(kirans + "/merge?with=%2B15550001111&idType=phone")
    preview = await browser.page(shown.headers["location"])
    assert preview.index(">stays</span>") > preview.index(">becomes part of the other</span>")  # the first made stays
    merged = await browser.send(f"{_PAGE}/profiles/{other}/merge", **fields_in(preview))
    assert merged.headers["location"] == f"{_PAGE}/profiles/{other}"
    sent_on = await browser.http.get(merged.headers["location"])
    assert (sent_on.status_code, sent_on.headers["location"]) == (303, kirans)
    page = await browser.page(kirans)
    assert f"{other} was merged into this profile." in page
    merge = page.split(f'href="{_PAGE}/merges/')[1].split('"')[0]
    assert f"{_PAGE}/merges/{merge}" in await browser.page(f"{_PAGE}/merges")
    assert f"phone <code>{OTHER_PHONE}</code>" in await browser.page(f"{_PAGE}/merges/{merge}")
    some = await browser.page(f"{_PAGE}/merges/{merge}/undo?what=some&pick-0=1")
    assert "The merge is SPLIT then" in some
    assert fields_in(some) == {"type-0": "phone", "value-0": OTHER_PHONE}
    assert 'class="refusal"' in await browser.page(f"{_PAGE}/merges/{merge}/undo?what=some")
    everything = await browser.page(f"{_PAGE}/merges/{merge}/undo?what=all")
    assert "The merge is UNDONE then" in everything
    undone = await browser.send(f"{_PAGE}/merges/{merge}/undo", **fields_in(everything))
    assert undone.headers["location"] == f"{_PAGE}/merges/{merge}"
    assert "the two are two again" in await browser.page(undone.headers["location"])
    assert (await _values(service, kiran), await _values(service, other)) == ([KIRAN], [OTHER_PHONE])
    assert (await browser.send(f"{_PAGE}/merges/{merge}/undo")).status_code == 409


async def test_part_of_a_merge_is_undone(service: Service, browser: Browser) -> None:
    kiran, other = await _profile(service, KIRAN), await _profile(service, OTHER_PHONE)
    await service.api.post(f"{_API}/{other}/Identifiers", json={"idType": "email", "value": "k@example.com"})
    preview = await browser.page(f"{_PAGE}/profiles/{kiran}/merge?with={other}")
    assert fields_in(preview)["value"] == "k@example.com"  # the most important rule of a store
    await browser.send(f"{_PAGE}/profiles/{kiran}/merge", **fields_in(preview))
    merges = (await service.api.get(f"/orchestrator/v1/Stores/{_STORE}/Merges")).json()["merges"]
    path = f"{_PAGE}/merges/{merges[0]['id']}/undo"
    assert (await browser.page(path.removesuffix("/undo"))).count('name="pick-') == 2
    part = {"type-0": "phone", "value-0": OTHER_PHONE}
    assert (await browser.send(path, **part)).status_code == 303
    assert "some identifiers were taken out of it" in await browser.page(path.removesuffix("/undo"))
    assert await _values(service, other) == [OTHER_PHONE]


async def test_who_cannot_be_told_apart_is_not_merged(service: Service, browser: Browser) -> None:
    kiran, other = await _profile(service, KIRAN), await _profile(service, OTHER_PHONE)
    await service.api.delete(f"{_API}/{other}/Identifiers/phone")
    page = await browser.page(f"{_PAGE}/profiles/{kiran}/merge?with={other}")
    assert "they cannot be merged" in page
    assert "Merge them</button>" not in page


async def _profile(service: Service, phone: str) -> str:
    """A profile of a store that a configuration has made."""
    if not (await service.api.get("/v1/ControlPlane/Stores")).json()["stores"]:
        await make_configuration(service, memoryStoreId=_STORE)
    made = await service.api.post(_API, json={"traits": {"Contact": {"phone": phone}}})
    profile_id: str = made.json()["id"]
    return profile_id


async def _values(service: Service, profile_id: str) -> list[str]:
    found = (await service.api.get(f"{_API}/{profile_id}/Identifiers")).json()["identifiers"]
    return [value for one in found if one["idType"] == "phone" for value in one["values"]]
