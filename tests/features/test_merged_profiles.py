"""Requests that name a profile which was merged into another: sent there, or served in place."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.support.app import ORIGIN, Service, running_service
from tests.support.memory import assert_refused, identifiers_of, new_phone, new_profile, new_store

NOTED = {"content": "Likes tea", "source": "test", "occurredAt": "2026-02-03T09:15:04Z"}
TOLD = {
    "content": "Tea",
    "conversationId": "conv_conversation_01kgh3m8qkfhg8n1p0r7s3t2vw",
    "occurredAt": NOTED["occurredAt"],
}


@pytest.fixture
async def serving(database_url: str) -> AsyncIterator[Service]:
    """A service for clients that follow no redirects."""
    async with running_service(database_url, merged_profile_reads="serve") as running:
        yield running


@dataclass
class Merged:
    """A profile that was merged into another, each with an observation and a summary from before."""

    store: str
    survivor: str
    gone: str

    def path(self, below: str = "", *, of: str | None = None) -> str:
        return f"/v1/Stores/{self.store}/Profiles/{of or self.gone}{below}"


async def merged(service: Service) -> Merged:
    store = await new_store(service)
    first, second = [await new_profile(service, store, phone=new_phone()) for _ in range(2)]
    profiles = Merged(store, first, second)
    for profile in (first, second):
        for below, body in (
            ("Observations", {"observations": [NOTED]}),
            ("ConversationSummaries", {"summaries": [TOLD]}),
        ):
            written = await service.api.post(profiles.path(f"/{below}", of=profile), json=body)
            assert written.status_code == 202, written.text
    ((_, (phone,)),) = (await identifiers_of(service, store, second)).items()
    linked = await service.api.post(profiles.path("/Identifiers", of=first), json={"idType": "phone", "value": phone})
    assert linked.status_code == 202, linked.text
    return profiles


@pytest.fixture
async def profiles(service: Service) -> Merged:
    return await merged(service)


def assert_sent_on(response: httpx.Response, profiles: Merged, status: int, below: str) -> None:
    uri = ORIGIN + profiles.path(below, of=profiles.survivor)
    assert response.status_code == status, response.text
    assert response.json()["uri"] == uri
    assert set(response.json()) == {"message", "uri"}
    assert (response.headers["Location"], response.headers["Canonical-Profile-Id"]) == (uri, profiles.survivor)


READS = (
    "",
    "/Traits?traitGroups=Contact",
    "/Identifiers",
    "/Identifiers/phone",
    "/Observations",
    "/ConversationSummaries",
)


@pytest.mark.parametrize("below", READS)
async def test_reads_are_sent_on(service: Service, profiles: Merged, below: str) -> None:
    response = await service.api.get(profiles.path(below), follow_redirects=False)
    assert_sent_on(response, profiles, 301, below)
    followed = await service.api.get(profiles.path(below), follow_redirects=True)
    direct = await service.api.get(profiles.path(below, of=profiles.survivor))
    assert (followed.status_code, followed.json()) == (200, direct.json())
    assert "Canonical-Profile-Id" not in direct.headers


async def test_writes_are_sent_on_and_arrive_with_their_bodies(service: Service, profiles: Merged) -> None:
    traits = {"traits": {"Contact": {"firstName": "Ann"}}}
    observation, summary = [
        (await service.api.get(profiles.path(f"/{below}", of=profiles.survivor))).json()[key][0]["id"]
        for below, key in (("Observations", "observations"), ("ConversationSummaries", "summaries"))
    ]
    writes = [
        ("PATCH", "", traits),
        ("POST", "/Identifiers", {"idType": "email", "value": "ann@example.com"}),
        (
            "PATCH",
            "/Identifiers/email",
            {"idType": "email", "oldValue": "ann@example.com", "newValue": "a@example.com"},
        ),
        ("DELETE", "/Identifiers/email", None),
        ("POST", "/Observations", {"observations": [NOTED]}),
        ("PATCH", f"/Observations/{observation}", {"content": "Likes green tea"}),
        ("DELETE", f"/Observations/{observation}", None),
        ("POST", "/ConversationSummaries", {"summaries": [TOLD]}),
        ("PATCH", f"/ConversationSummaries/{summary}", {"content": "Green tea"}),
        ("DELETE", f"/ConversationSummaries/{summary}", None),
        ("POST", "/Recall", {}),
        ("PUT", "", traits),
        ("DELETE", "", None),
    ]
    for method, below, body in writes:
        sent: dict[str, Any] = {"json": body} if body is not None else {}
        response = await service.api.request(method, profiles.path(below), **sent)
        assert_sent_on(response, profiles, 308, below)
        followed = await service.api.request(method, profiles.path(below), **sent, follow_redirects=True)
        assert followed.status_code == (200 if below == "/Recall" else 202), (method, below, followed.text)
    # The last of them deleted the other profile, and with it everything that was merged into it.
    assert_refused(await service.api.get(profiles.path()), 404, 20404)
    assert_refused(await service.api.get(profiles.path(of=profiles.survivor)), 404, 20404)


async def test_one_memory_is_found_under_either_id(service: Service, profiles: Merged) -> None:
    """These reads have no redirect in Twilio's API."""
    for below, key in (("Observations", "observations"), ("ConversationSummaries", "summaries")):
        listed = (await service.api.get(profiles.path(f"/{below}", of=profiles.survivor))).json()[key]
        assert len(listed) == 2
        for one in listed:
            found = await service.api.get(profiles.path(f"/{below}/{one['id']}"))
            assert (found.status_code, found.json()) == (200, one)
            assert found.headers["Canonical-Profile-Id"] == profiles.survivor
    observation = (await service.api.get(profiles.path("/Observations", of=profiles.survivor))).json()["observations"][
        0
    ]
    revisions = await service.api.get(profiles.path(f"/Observations/{observation['id']}/Revisions"))
    assert len(revisions.json()["revisions"]) == 1


async def test_clients_that_follow_no_redirects_are_served(serving: Service) -> None:
    profiles = await merged(serving)
    for below in READS:
        found = await serving.api.get(profiles.path(below))
        direct = await serving.api.get(profiles.path(below, of=profiles.survivor))
        assert (found.status_code, found.json()) == (200, direct.json())
        assert found.headers["Canonical-Profile-Id"] == profiles.survivor
    recalled = await serving.api.post(profiles.path("/Recall"), json={})
    assert (recalled.status_code, recalled.headers["Canonical-Profile-Id"]) == (200, profiles.survivor)
    assert len(recalled.json()["observations"]) == 2
    changed = await serving.api.patch(profiles.path(), json={"traits": {"Contact": {"firstName": "Ann"}}})
    assert_sent_on(changed, profiles, 308, "")
