"""What joins when: the table of docs/identity.md, played through the webhooks."""

import re
from collections.abc import Awaitable, Callable
from string import ascii_uppercase

import pytest

from orchestrator.cli.demo.play import EXPECTED
from tests.support import traffic
from tests.support.app import Service
from tests.support.conversations import close
from tests.support.documents import ROOT
from tests.support.factories import make_configuration
from tests.support.memory import new_profile, new_store
from tests.support.traffic import KIRAN, OTHER_PHONE, US

Contact = Callable[[Service, str], Awaitable[str]]


async def sms(service: Service, text: str) -> str:
    return await traffic.message(service, KIRAN, US, text)


async def call(service: Service, text: str) -> str:
    return await traffic.speech(service, KIRAN, US, text)


async def whatsapp(service: Service, text: str) -> str:
    return await traffic.message(service, f"whatsapp:{KIRAN}", f"whatsapp:{US}", text)


async def other_phone(service: Service, text: str) -> str:
    return await traffic.message(service, OTHER_PHONE, US, text)


EXAMPLE: tuple[Contact, ...] = (sms, call, whatsapp, other_phone)
"""The seed document's."""
LATER: tuple[Contact, ...] = (sms, other_phone)
LAST = other_phone
"""Comes once the conversation of the one before it is closed."""
LINKED = {"never": None, "before": 0, "between": 3, "after": 4}
"""How many contacts there have been when the phones are linked."""


def table() -> dict[tuple[str, str], tuple[int, list[str]]]:
    """By grouping type and link: how many conversations the example makes, and where each contact lands."""
    page = (ROOT / "docs" / "identity.md").read_text()
    text = page.partition("\n## What joins when\n")[2].partition("\n## ")[0]
    rows = re.findall(r"(?m)^\| `(GROUP_BY_\w+)` \| (\w+) \| (\d) \| ([A-Z |]+) \|$", text)
    return {(grouping, linked): (int(count), letters.split(" | ")) for grouping, linked, count, letters in rows}


async def link(service: Service, store: str) -> None:
    """Tell that the other phone is Kiran's."""
    found = await service.api.post(f"/v1/Stores/{store}/Profiles/Lookup", json={"idType": "phone", "value": KIRAN})
    (profile,) = found.json()["profiles"] or [await new_profile(service, store, phone=KIRAN)]
    path = f"/v1/Stores/{store}/Profiles/{profile}/Identifiers"
    answer = await service.api.post(path, json={"idType": "phone", "value": OTHER_PHONE})
    assert answer.status_code == 202, answer.text


def test_the_table_has_every_case_and_the_example_of_the_readme() -> None:
    assert set(table()) == {(grouping, linked) for grouping in EXPECTED for linked in LINKED}
    assert {grouping: table()[grouping, "before"][0] for grouping in EXPECTED} == EXPECTED


@pytest.mark.parametrize("linked", LINKED)
async def test_contacts_land_as_the_table_says(service: Service, linked: str) -> None:
    store = await new_store(service)
    made = {
        name: await make_configuration(service, conversationGroupingType=name, memoryStoreId=store) for name in EXPECTED
    }
    sid = ""
    for number, contact in enumerate([*EXAMPLE, *LATER]):
        if number == LINKED[linked]:
            await link(service, store)
        sid = await contact(service, str(number + 1))
    assert {one["status"] for one in await traffic.conversations(service)} == {"ACTIVE"}
    for conversation in await traffic.conversations(service, channelId=sid):
        await close(service, conversation)
    await LAST(service, "7")
    landed = {name: await letters(service, configuration) for name, configuration in made.items()}
    found = {name: (len(set(where[: len(EXAMPLE)])), where) for name, where in landed.items()}
    assert found == {name: table()[name, linked] for name in EXPECTED}


async def letters(service: Service, configuration: str) -> list[str]:
    """Where the contacts landed, in order: A is the conversation that the configuration has opened first."""
    own = [one for one in await traffic.conversations(service) if one["configurationId"] == configuration]
    said = [
        (letter, await traffic.communications(service, one)) for letter, one in zip(ascii_uppercase, own, strict=False)
    ]
    landed = {one["content"]["text"]: letter for letter, heard in said for one in heard}
    return [landed[text] for text in sorted(landed)]
