"""What the clock is not asked to do: go backwards, too far, both ways, or anything at all in production."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from tests.features.bodies import JSON
from tests.features.test_edge_fields import HOSTILE, NUMBERS
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN, US
from tests.support.turning import CLOCK, configure, let_turn

PAST, FUTURE = "2020-02-03T09:15:00Z", "2900-02-03T09:15:00Z"


@pytest.fixture
async def turnable(service: Service) -> AsyncIterator[Service]:
    let_turn(service)
    yield service
    assert not await service.fetch("select from clock"), "a refusal has changed something"


async def test_wrong_requests(turnable: Service) -> None:
    soon = (turnable.clock.now() + timedelta(hours=1)).isoformat()
    wrong: list[tuple[dict[str, Any], str]] = [
        ({}, "/action"),
        ({"action": "BACK"}, "/action"),
        ({"action": "ADVANCE"}, "/by"),
        ({"action": "ADVANCE", "by": "10m", "to": soon}, "/by"),
        ({"action": "ADVANCE", "by": 0}, "/by"),
        ({"action": "ADVANCE", "by": "0s"}, "/by"),
        ({"action": "ADVANCE", "by": "-10m"}, "/by"),
        ({"action": "ADVANCE", "by": -1}, "/by"),
        ({"action": "ADVANCE", "by": True}, "/by"),
        ({"action": "ADVANCE", "by": ["10m"]}, "/by"),
        ({"action": "ADVANCE", "by": "200y"}, "/by"),
        ({"action": "ADVANCE", "to": PAST}, "/to"),
        ({"action": "ADVANCE", "to": FUTURE}, "/to"),
        ({"action": "ADVANCE", "to": "9998-12-31T23:59:59Z"}, "/to"),
        ({"action": "ADVANCE", "to": "tomorrow"}, "/to"),
        ({"action": "ADVANCE", "to": 5}, "/to"),
        ({"action": "ADVANCE", "by": "10m", "force": True}, "/force"),
        ({"action": "FREEZE", "by": "10m"}, "/by"),
        ({"action": "RESET", "to": soon}, "/to"),
        ({"action": "RESET", "force": []}, "/force"),
    ]
    for body, field in wrong:
        error = refusal(await turnable.api.post(CLOCK, json=body), 400, 20001)
        assert error["params"]["field"] == field, (body, error)


async def test_nothing_that_is_sent_makes_it_fail(turnable: Service) -> None:
    for value in (*HOSTILE, *(number for number in NUMBERS if not 0 < number < 10**10)):
        for name in ("action", "by", "to", "force"):
            body = {"action": "ADVANCE", **({"by": "10m"} if name == "action" else {}), name: value}
            answer = await turnable.api.post(CLOCK, content=json.dumps(body), headers=JSON)
            refusal(answer, 400, 20001)


async def test_without_an_open_conversation_there_is_no_deadline(turnable: Service) -> None:
    refusal(await turnable.api.post(CLOCK, json={"action": "NEXT_DEADLINE"}), 409, 20409)


async def test_the_clock_of_production_is_only_read(database_url: str) -> None:
    async with running_service(database_url, mode="production") as service:
        shown = (await service.api.get(CLOCK)).json()
        assert (shown["canTurn"], shown["isFrozen"], shown["aheadSeconds"]) == (False, False, 0)
        assert shown["nextDeadline"] is None
        await configure(service)
        await traffic.message(service, KIRAN, US)
        conversation = await traffic.only_conversation(service)
        for asked, expected in (
            (conversation["id"], "INACTIVE"),
            ("conv_conversation_" + "0" * 26, None),
            ("\x00", None),
        ):
            due = (await service.api.get(CLOCK, params={"conversationId": asked})).json()["nextDeadline"]
            assert (due and due["to"]) == expected
        for action in ("FREEZE", "RUN", "NEXT_DEADLINE", "RESET"):
            refusal(await service.api.post(CLOCK, json={"action": action}), 403, 20423)
        refusal(await service.api.post(CLOCK, json={"action": "ADVANCE", "by": "10m"}), 403, 20423)
