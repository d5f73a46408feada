"""A number in any form, or a few words, leads to what was said, to its conversation, and to what landed nowhere."""

import asyncio
from typing import Any

import pytest

from orchestrator.search import looking
from orchestrator.search.looking import Budget
from orchestrator.search.terms import Terms
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US

PATH = "/orchestrator/v1/Search"


async def found(service: Service, text: str, **query: Any) -> dict[str, Any]:
    return await traffic.get(service, PATH, q=text, **query)


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [one["id"] for one in items]


async def test_a_number_in_any_form_leads_to_its_conversations_and_to_what_landed_nowhere(service: Service) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US)
    await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}")
    await traffic.message(service, KIRAN, "+16505550000", "to nobody")
    await traffic.message(service, "+15551230009", US, "of somebody else")
    newest_first = ids(await traffic.conversations(service))[::-1][1:]
    for written in (KIRAN, "1 (555) 123-4567", "+1-555-123-4567", "00 1 555 1234567", f"whatsapp:{KIRAN}"):
        answer = await found(service, written)
        assert ids(answer["conversations"]) == newest_first, written
        assert [one["trace"]["to"] for one in answer["uncaptured"]] == ["+16505550000"], written
        assert answer["isComplete"] is True
        assert KIRAN in answer["addresses"]
    (conversation, *_) = (await found(service, KIRAN))["conversations"]
    participant = conversation["participants"][0]["id"]
    assert ids((await found(service, participant))["conversations"]) == [conversation["id"]]
    other = await service.new_account()
    async with service.client(other) as stranger:
        answer = (await stranger.get(PATH, params={"q": KIRAN})).json()
    assert (answer["conversations"], answer["communications"], answer["uncaptured"]) == ([], [], [])


async def test_text_is_found_in_any_case_and_wildcards_are_none(service: Service) -> None:
    await make_configuration(service)
    for text in ("My PARCEL is 100% lost", "my parcel again", "under_score", "back\\slash", "Straße"):
        await traffic.message(service, KIRAN, US, text)
    texts = {
        "parcel": ["my parcel again", "My PARCEL is 100% lost"],
        "0% l": ["My PARCEL is 100% lost"],
        "r_s": ["under_score"],
        "k\\s": ["back\\slash"],
        "STRASSE": [],
        "%%": [],
    }
    for sought, expected in texts.items():
        said = (await found(service, sought))["communications"]
        assert [one["content"]["text"] for one in said] == expected, sought
    newest = await found(service, "parcel", pageSize=1)
    assert [one["content"]["text"] for one in newest["communications"]] == ["my parcel again"]


async def test_wrong_requests(service: Service) -> None:
    for query in ({}, {"q": ""}, {"q": "  "}, {"q": "x" * 301}, {"q": "x" + " " * 300}, {"q": "a\x00b"}):
        error = refusal(await service.api.get(PATH, params=query), 400, 20001)
        assert error["params"]["field"] == "q"
    for size in ("0", "101", "x", "-1"):
        refusal(await service.api.get(PATH, params={"q": "x", "pageSize": size}), 400, 20001)
    assert (await found(service, "x" * 300))["communications"] == []
    for hostile in ("' or 1=1 --", "\ufffd", "🙂", "+", "+1", "*", "whatsapp:"):
        assert (await found(service, hostile))["isComplete"]


async def test_it_stops_after_so_many_rows_and_says_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    await make_configuration(service)
    for text in ("the oldest needle", "hay", "hay", "hay"):
        await traffic.message(service, KIRAN, US, text)
    monkeypatch.setattr(looking, "_AT_ONCE", 1)
    monkeypatch.setattr(looking, "MOST_LOOKED_AT", 3)
    answer = await found(service, "needle")
    assert (answer["communications"], answer["isComplete"]) == ([], False)
    monkeypatch.setattr(looking, "MOST_LOOKED_AT", 5)
    answer = await found(service, "needle")
    assert (len(answer["communications"]), answer["isComplete"]) == (1, True)


async def test_it_stops_when_time_is_over_and_keeps_what_it_has_found(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_configuration(service)
    await traffic.message(service, KIRAN, US, "needle")
    monkeypatch.setitem(looking._CONDITIONS, "communications", "pg_sleep(20) is not null and sought.pattern > ''")
    async with service.units.begin() as unit:
        budget = Budget.of(0.1)
        began = asyncio.get_running_loop().time()
        ids = await looking.newest_ids(
            unit, service.account.account_id, "communications", Terms("needle"), limit=9, budget=budget
        )
        assert asyncio.get_running_loop().time() - began < 5
        assert (ids, budget.is_spent) == ([], True)
        assert await unit.driver.fetchval("show statement_timeout") == "0"
