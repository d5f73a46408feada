"""Our own numbers: `/orchestrator/v1/Numbers`."""

from typing import Any
from urllib.parse import quote

import httpx
import pytest

from orchestrator.kernel.ids import new_sid
from orchestrator.numbers import service as numbers
from tests.support.app import Service

PATH = "/orchestrator/v1/Numbers"


async def register(client: httpx.AsyncClient, address: str, **more: Any) -> dict[str, Any]:
    response = await client.post(PATH, json={"address": address, **more})
    assert response.status_code == 201, response.text
    number: dict[str, Any] = response.json()
    return number


async def canonical_addresses(client: httpx.AsyncClient) -> list[str]:
    return [number["canonicalAddress"] for number in (await client.get(PATH)).json()["numbers"]]


@pytest.mark.parametrize(
    ("address", "canonical"),
    [
        ("+1 (650) 555-0199", "+16505550199"),
        ("whatsapp:+16505550199", "+16505550199"),
        ("rcs:brand_agent", "brand_agent"),
        ("sip:Desk@Example.com:5060;transport=tcp", "sip:Desk@example.com"),
        ("12345", "12345"),
    ],
)
async def test_an_address_is_registered(service: Service, address: str, canonical: str) -> None:
    number = await register(service.api, address, label="Support", nonsense=1)
    assert number == {
        "accountId": service.account.account_id,
        "address": address,
        "canonicalAddress": canonical,
        "label": "Support",
        "createdAt": number["createdAt"],
    }
    page = (await service.api.get(PATH)).json()
    assert page == {"numbers": [number], "meta": {"key": "numbers", "pageSize": 1}}


async def test_a_second_registration_changes_the_first(service: Service) -> None:
    first = await register(service.api, "+16505550199", label="old")
    service.clock.advance(minutes=1)
    second = await register(service.api, "whatsapp:+16505550199")
    assert second == {**first, "address": "whatsapp:+16505550199", "label": None}
    assert (await service.api.get(PATH)).json()["numbers"] == [second]


@pytest.mark.parametrize("written", ["+16505550199", "whatsapp:+1 650 555 0199"])
async def test_a_number_is_forgotten_by_any_form_of_its_address(service: Service, written: str) -> None:
    await register(service.api, "+16505550199")
    url = f"{PATH}/{quote(written, safe='')}"
    response = await service.api.delete(url)
    assert (response.status_code, response.content) == (204, b"")
    response = await service.api.delete(url)
    assert (response.status_code, response.json()["code"]) == (404, 20404)


@pytest.mark.parametrize("address", ["sip:desk@example.com", "a/b?c#d%"])
async def test_any_address_fits_into_a_path(service: Service, address: str) -> None:
    await register(service.api, address)
    assert (await service.api.delete(f"{PATH}/{quote(address, safe='')}")).status_code == 204


@pytest.mark.parametrize("address", ["+1", "%00", "%20", "x" * 300, "nobody"])
async def test_what_is_not_registered_is_not_found(service: Service, address: str) -> None:
    assert (await service.api.delete(f"{PATH}/{address}")).status_code == 404


async def test_pages(service: Service) -> None:
    made = [(await register(service.api, f"+1650555{number:04}"))["canonicalAddress"] for number in (3, 1, 2)]
    seen, query = [], {"PageSize": "1"}
    while query:
        page = (await service.api.get(PATH, params=query)).json()
        seen += [number["canonicalAddress"] for number in page["numbers"]]
        query = {"pageToken": page["meta"]["nextToken"]} if "nextToken" in page["meta"] else {}
    assert seen == sorted(made)
    page = (await service.api.get(PATH, params={"pageToken": page["meta"]["previousToken"]})).json()
    assert [number["canonicalAddress"] for number in page["numbers"]] == [seen[1]]
    assert (await service.api.get(PATH, params={"pageToken": "x"})).status_code == 400
    assert (await service.api.get(PATH, params={"pageSize": "0"})).status_code == 400


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/address"),
        ({"address": ""}, "/address"),
        ({"address": "  "}, "/address"),
        ({"address": "+1"}, "/address"),
        ({"address": "whatsapp:"}, "/address"),
        ({"address": "a\x00b"}, "/address"),
        ({"address": "x" * 255}, "/address"),
        ({"address": 12345}, "/address"),
        ({"address": "12345", "label": 1}, "/label"),
        ({"address": "12345", "label": "x" * 129}, "/label"),
        ({"address": "12345", "label": "\x00"}, "/label"),
    ],
)
async def test_refusals(service: Service, body: dict[str, Any], pointer: str) -> None:
    response = await service.api.post(PATH, json=body)
    assert (response.status_code, response.json()["code"]) == (400, 20001)
    assert response.json()["params"]["field"] == pointer
    assert await canonical_addresses(service.api) == []


async def test_forms_and_other_methods_are_refused(service: Service) -> None:
    assert (await service.api.post(PATH, data={"address": "12345"})).status_code == 415
    assert (await service.api.put(PATH, json={})).status_code == 405


async def test_each_account_has_its_own(service: Service) -> None:
    await register(service.api, "+16505550199")
    async with service.client(await service.new_account()) as other, service.client() as stranger:
        assert await canonical_addresses(other) == []
        assert (await other.delete(f"{PATH}/+16505550199")).status_code == 404
        assert (await stranger.get(PATH)).status_code == 401
    assert await canonical_addresses(service.api) == ["+16505550199"]


async def test_owned_answers_for_many_at_once(service: Service) -> None:
    ours, theirs = service.account.account_id, new_sid("AC")
    await register(service.api, "whatsapp:+16505550199")
    await register(service.api, "+16505550198")
    wanted = {(ours, "+16505550199"), (ours, "+16505550198"), (ours, "+16505550197"), (theirs, "+16505550199")}
    async with service.units.begin() as unit:
        assert await numbers.owned(unit, wanted) == {(ours, "+16505550199"), (ours, "+16505550198")}
        assert await numbers.owned(unit, []) == set()
