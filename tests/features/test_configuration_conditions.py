"""ETag and If-Match: a configuration is changed only at the version that the client has seen."""

import asyncio
from typing import Any

import httpx
import pytest

from orchestrator.kernel.conditions import IfMatch
from orchestrator.kernel.errors import PreconditionFailed
from orchestrator.kernel.ids import CONFIGURATION, new_id
from tests.features.test_configuration_refusals import written
from tests.features.test_configurations import BRIDGE, PATH, add_conversation, fetch
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration
from tests.support.refusals import refusal

METHODS = ["PUT", "PATCH", "DELETE"]


async def write(service: Service, method: str, configuration_id: str, if_match: str, **changes: Any) -> httpx.Response:
    body = {"PUT": configuration_body(**changes), "PATCH": changes, "DELETE": None}[method]
    return await service.api.request(method, f"{PATH}/{configuration_id}", json=body, headers={"If-Match": if_match})


async def at_version(service: Service, version: int) -> str:
    """A configuration that has been changed until it has this version."""
    configuration_id = await make_configuration(service)
    for number in range(2, version + 1):
        await service.api.patch(f"{PATH}/{configuration_id}", json={"description": str(number)})
    return configuration_id


async def tag(service: Service, configuration_id: str) -> str:
    response = await service.api.get(f"{PATH}/{configuration_id}")
    found: str = response.headers["ETag"]
    return found


async def test_a_fetched_configuration_has_its_version_as_etag(service: Service) -> None:
    configuration_id = await at_version(service, 3)
    assert await tag(service, configuration_id) == '"3"'
    await service.api.patch(f"{PATH}/{configuration_id}", json={"description": "4"})
    assert await tag(service, configuration_id) == '"4"'


async def test_read_change_write(service: Service) -> None:
    configuration_id = await make_configuration(service)
    for description in ("one", "two"):
        seen = await tag(service, configuration_id)
        response = await write(service, "PATCH", configuration_id, seen, description=description)
        assert response.status_code == 202
    assert (await fetch(service, configuration_id))["version"] == 3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("if_match", ['"3"', "3", 'W/"3"', "*", ' "1" , "3"', '2,W/"3"', "x y, 3", '"", "3"'])
async def test_what_matches(service: Service, method: str, if_match: str) -> None:
    configuration_id = await at_version(service, 3)
    response = await write(service, method, configuration_id, if_match, description="new")
    assert response.status_code == 202, response.text


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "if_match", ['"2"', "4", '"33"', '"03"', "3.0", '"1", "2"', "", '"3', '"*"', '*, "1"', "3 3", 'w/"3"', "é"]
)
async def test_what_does_not_match_changes_nothing(service: Service, method: str, if_match: str) -> None:
    configuration_id = await at_version(service, 3)
    before, rows = await fetch(service, configuration_id), await written(service)
    headers = [(b"If-Match", if_match.encode("latin-1"))]
    body = {"PUT": configuration_body(), "PATCH": {"description": "new"}, "DELETE": None}[method]
    response = await service.api.request(method, f"{PATH}/{configuration_id}", json=body, headers=headers)
    error = refusal(response, 412, 20412)
    assert error["params"] == {"field": "If-Match", "value": if_match}
    assert '"3"' in error["message"]
    assert await fetch(service, configuration_id) == before
    assert await written(service) == rows


def test_tags_of_any_text_are_compared() -> None:
    opaque = '"eyJpZCI6+/Ix=="'
    for header in (opaque, f"W/{opaque}", 'x, "eyJpZCI6+/Ix=="', "eyJpZCI6+/Ix=="):
        IfMatch(header).require(opaque)
    IfMatch().require(opaque)
    with pytest.raises(PreconditionFailed):
        IfMatch(opaque.lower()).require(opaque)


async def test_a_patch_that_would_change_nothing_needs_the_version_too(service: Service) -> None:
    configuration_id = await make_configuration(service)
    refusal(await write(service, "PATCH", configuration_id, '"2"'), 412, 20412)


async def test_nothing_matches_what_is_not_there(service: Service) -> None:
    for method in METHODS:
        refusal(await write(service, method, new_id(CONFIGURATION), "*"), 404, 20404)


async def test_a_wrong_body_is_told_before_an_old_version_and_a_conflict_after_it(service: Service) -> None:
    configuration_id = await at_version(service, 2)
    await make_configuration(service, conversationsV1Bridge=BRIDGE)
    await add_conversation(service, configuration_id, "ACTIVE")
    refusal(await write(service, "PATCH", configuration_id, '"1"', description=1), 400, 20001)
    refusal(await write(service, "PATCH", configuration_id, '"1"', conversationsV1Bridge=BRIDGE), 412, 20412)
    refusal(await write(service, "PATCH", configuration_id, '"2"', conversationsV1Bridge=BRIDGE), 409, 20409)
    refusal(await write(service, "DELETE", configuration_id, '"1"'), 412, 20412)
    refusal(await write(service, "DELETE", configuration_id, '"2"'), 409, 20409)


async def test_of_two_at_once_one_is_refused(service: Service) -> None:
    configuration_id = await make_configuration(service)
    for version in range(1, 6):
        answers = await asyncio.gather(
            *(write(service, "PATCH", configuration_id, f'"{version}"', description=f"{version}{x}") for x in "ab")
        )
        assert sorted(answer.status_code for answer in answers) == [202, 412]
        assert (await fetch(service, configuration_id))["version"] == version + 1


async def test_a_change_and_a_delete_at_once(service: Service) -> None:
    configuration_id = await make_configuration(service)
    changed, deleted = await asyncio.gather(
        write(service, "PATCH", configuration_id, '"1"', description="new"),
        write(service, "DELETE", configuration_id, '"1"'),
    )
    assert (changed.status_code, deleted.status_code) in {(202, 412), (404, 202)}
