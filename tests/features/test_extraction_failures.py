"""Extractors that fail, workers that die, and what is gone meanwhile: at least one call, exactly one effect."""

from collections.abc import AsyncIterator
from typing import Any, NoReturn

import pytest
from aiohttp import web

from orchestrator.extraction import asking
from orchestrator.extraction.asking import Policy
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.clock import StoppedClock, stop_clock
from tests.support.extractor import FakeExtractor, Memory, failing, fake_extractor, memory, nothing, noting
from tests.support.memories import everything, profile_path
from tests.support.memory import new_profile
from tests.support.refusals import refusal
from tests.support.traffic import KIRAN

LEASE = 100.0


class Killed(BaseException):
    """The process ends here, as far as the database can tell."""


@pytest.fixture
async def extractor() -> AsyncIterator[FakeExtractor]:
    async with fake_extractor() as running:
        yield running


@pytest.fixture
async def extracting(database_url: str, extractor: FakeExtractor) -> AsyncIterator[Memory]:
    async with (
        running_service(database_url, extractor_url=extractor.url) as service,
        memory(service, extractor) as ready,
    ):
        yield ready


@pytest.fixture
def clock(extracting: Memory) -> StoppedClock:
    return stop_clock(extracting.service)


async def contents(extracting: Memory) -> list[str]:
    return [one["content"] for one in await extracting.observations()]


async def test_a_busy_extractor_is_asked_again_with_the_same_key(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    extractor.answer = failing(503)
    await extracting.hear("hello")
    await extracting.rest()
    job = await extracting.job()
    assert (job["status"], job["attempts"], job["failureReason"]) == ("PENDING", 1, "HTTP 503")
    extractor.answer = noting("She has a dog")
    clock.advance(seconds=4)
    assert await extracting.performer.run_once() == 0
    clock.advance(seconds=1)
    assert await extracting.performer.run_once() == 1
    first, second = extractor.received
    assert (first.key, first.body) == (second.key, second.body)
    job = await extracting.job()
    assert (job["status"], job["attempts"], job["failureReason"]) == ("COMPLETED", 2, None)
    assert await contents(extracting) == ["She has a dog"]


async def test_an_extractor_says_when_to_ask_again(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    extractor.answer = failing(429, **{"Retry-After": "60"})
    await extracting.hear("hello")
    await extracting.rest()
    clock.advance(seconds=59)
    assert await extracting.performer.run_once() == 0
    clock.advance(seconds=1)
    assert await extracting.performer.run_once() == 1


async def test_a_refusal_fails_at_once_and_may_be_tried_again_by_hand(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    await extracting.hear("hello")
    extractor.answer = failing(400)
    await extracting.rest()
    failed = await extracting.job()
    assert (failed["status"], failed["failureReason"], failed["nextAttemptAt"]) == ("FAILED", "HTTP 400", None)
    extractor.answer = failing(302, Location=extractor.url)  # is not followed
    answer = await extracting.retry(failed)
    assert (answer.status_code, answer.json()["status"], answer.json()["attempts"]) == (200, "PENDING", 0)
    assert await extracting.performer.run_once() == 1
    assert (await extracting.job())["failureReason"] == "HTTP 302"
    extractor.answer = noting("She has a dog")
    await extracting.retry(failed)
    assert await extracting.performer.run_once() == 1
    assert len(extractor.received) == 3
    assert await contents(extracting) == ["She has a dog"]
    refusal(await extracting.retry(failed), 400, 20001)
    for unknown in ({"sequence": 99}, {"sequence": 2**63}, {"sequence": "x"}, {"conversationId": "x"}):
        refusal(await extracting.retry({**failed, **unknown}), 404, 20404)


def said(body: Any) -> Any:
    return lambda asked: {"profiles": [{"profileId": asked.profile_id, **body}]}


MALFORMED = [
    (lambda _: web.Response(body=b"no JSON"), "not JSON"),
    (lambda _: web.Response(status=204), "not JSON"),
    (lambda _: [], "(body)"),
    (lambda _: web.Response(body=b" " * (1024 * 1024 + 1)), "longer than"),
    (said({"observations": [{"content": ""}]}), "/profiles/0/observations/0/content"),
    (said({"observations": [{"content": "x" * 4097}]}), "/profiles/0/observations/0/content"),
    (said({"observations": [{"content": "x\x00"}]}), "/profiles/0/observations/0/content"),
    (said({"observations": [{"content": "x"}] * 11}), "/profiles/0/observations"),
    (said({"observations": [{"content": "x", "occurredAt": "today"}]}), "/profiles/0/observations/0/occurredAt"),
    (said({"summary": "x" * 4097}), "/profiles/0/summary"),
    (lambda _: {"profiles": [{"observations": []}]}, "/profiles/0/profileId"),
]


async def test_an_answer_out_of_bounds_writes_nothing_and_is_told(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    await extracting.hear("hello")
    await traffic.change(extracting.service, await traffic.only_conversation(extracting.service), status="CLOSED")
    for answer, place in MALFORMED:
        extractor.answer = answer
        assert await extracting.performer.run_once() == 1, place
        job = await extracting.job()
        assert place in job["failureReason"], job["failureReason"]
        if job["status"] == "FAILED":
            assert job["failureReason"].startswith("given up after attempt 3: ")
            await extracting.retry(job)
        clock.advance(seconds=31)
    assert (await contents(extracting), await extracting.summaries()) == ([], [])


async def test_nobody_listening_is_tried_again(service: Service) -> None:
    async with fake_extractor() as gone:
        pass
    asking.connect(service.units, Policy(extracts=True))
    async with memory(service, gone) as unheard:
        await unheard.hear("hello")
        await unheard.rest()
        job = await unheard.job()
        assert (job["status"], job["attempts"]) == ("PENDING", 1)
        assert job["failureReason"].startswith("no connection to the extractor: ")


async def test_a_worker_that_dies_after_the_call_leaves_one_effect(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    extractor.answer = noting("She has a dog")
    conversation = await extracting.hear("hello")
    await traffic.change(extracting.service, conversation, status="INACTIVE")

    async def die() -> NoReturn:
        raise Killed

    with pytest.raises(Killed):
        await extracting.perform_while(die)
    clock.advance(seconds=LEASE - 1)
    assert await extracting.performer.run_once() == 0
    clock.advance(seconds=1)
    assert await extracting.performer.run_once() == 1
    first, second = extractor.received
    assert first.key == second.key
    assert await contents(extracting) == ["She has a dog"]
    assert (await extracting.job())["attempts"] == 2


async def test_a_worker_that_was_only_slow_writes_nothing(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    extractor.answer = noting("She has a dog", summary="A parcel was late")
    conversation = await extracting.hear("hello")
    await traffic.change(extracting.service, conversation, status="CLOSED")

    async def another_worker() -> None:
        clock.advance(seconds=LEASE)
        assert await extracting.performer.run_once() == 1

    await extracting.perform_while(another_worker)
    assert len(extractor.received) == 2
    assert (await contents(extracting), await extracting.summaries()) == (["She has a dog"], ["A parcel was late"])


async def test_a_job_on_which_every_worker_dies_is_given_up(extracting: Memory, clock: StoppedClock) -> None:
    await extracting.hear("hello")
    conversation = await traffic.only_conversation(extracting.service)
    await traffic.change(extracting.service, conversation, status="INACTIVE")
    for _ in range(3):
        await extracting.claim()
        clock.advance(seconds=LEASE)
    await extracting.performer.run_once()
    job = await extracting.job()
    assert (job["status"], job["attempts"]) == ("FAILED", 4)
    assert job["failureReason"].startswith("given up")


async def test_a_later_job_waits_for_the_one_before_and_covers_what_that_could_not(
    extracting: Memory, extractor: FakeExtractor, clock: StoppedClock
) -> None:
    extractor.answer = failing(503)
    await extracting.hear("one")
    await extracting.rest()
    await extracting.hear("two")
    assert await extracting.rest() == 0
    extractor.answer = failing(400)
    clock.advance(seconds=5)
    extractor.answer = lambda asked: nothing(asked) if "two" in asked.texts else failing(400)(asked)
    assert await extracting.performer.run_once() == 2
    assert [one.texts for one in extractor.received] == [["one"], ["one"], ["one", "two"]]
    _, failed = await extracting.jobs()
    await extracting.retry(failed)
    await extracting.performer.run_once()
    assert len(extractor.received) == 3  # all of it is covered by now
    assert (await extracting.jobs())[1]["status"] == "COMPLETED"


async def test_a_profile_that_was_merged_meanwhile_is_the_one_it_is_part_of(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    service, store = extracting.service, extracting.store
    survivor = await new_profile(service, store, email="kiran@example.com")
    extractor.answer = noting("She has a dog", summary="A parcel was late")
    conversation = await extracting.hear("hello")
    merged = traffic.member(conversation, KIRAN)["profileId"]
    await traffic.change(service, conversation, status="CLOSED")
    await extracting.perform_while(lambda: new_profile(service, store, phone=KIRAN, email="kiran@example.com"))
    assert extractor.received[0].profile_id == merged
    profile = profile_path(store, survivor)
    (observation,) = await everything(service, f"{profile}/Observations")
    (summary,) = await everything(service, f"{profile}/ConversationSummaries")
    assert (observation["content"], summary["content"]) == ("She has a dog", "A parcel was late")
    assert (await extracting.job())["result"]["ignored"] == 0


async def test_who_is_gone_is_not_remembered(extracting: Memory, extractor: FakeExtractor) -> None:
    service = extracting.service
    conversation = await extracting.hear("hello")
    assert (await service.api.delete(await extracting.profile())).status_code == 202
    await extracting.rest()
    assert (await extracting.job())["result"]["note"] == "no customer has a profile"
    assert (await service.api.delete(f"/v1/ControlPlane/Stores/{extracting.store}")).status_code == 202
    await extracting.rest("CLOSED")
    assert (await extracting.job())["result"]["note"] == "its memory store is not there"
    assert extractor.received == []
    assert len(await extracting.jobs(conversationId=conversation["id"])) == 2


async def test_a_conversation_that_is_deleted_takes_its_jobs_along(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    extractor.answer = noting("She has a dog")
    conversation = await extracting.hear("hello")
    profile = await extracting.profile()
    await traffic.change(extracting.service, conversation, status="CLOSED")
    await extracting.perform_while(lambda: extracting.service.api.delete(f"/v2/Conversations/{conversation['id']}"))
    assert len(extractor.received) == 1
    assert await extracting.jobs() == []
    assert await everything(extracting.service, f"{profile}/Observations") == []


async def test_jobs_are_listed_by_page_and_by_what_became_of_them(extracting: Memory, extractor: FakeExtractor) -> None:
    extractor.answer = failing(400)
    for _ in range(2):
        await extracting.hear("hello")
        await extracting.rest()
        await extracting.hear("hello")
        await extracting.rest("CLOSED")
    extractor.answer = nothing
    jobs = await extracting.jobs()
    assert [job["state"] for job in jobs] == ["CLOSED", "INACTIVE"] * 2
    query: dict[str, Any] = {"pageSize": 1}
    for job in jobs:
        page = await traffic.get(extracting.service, "/orchestrator/v1/Extractions", **query)
        assert page["extractions"] == [job]
        query = {"pageToken": page["meta"].get("nextToken")}
    assert query == {"pageToken": None}
    await extracting.retry(jobs[0])
    await extracting.performer.run_once()
    assert [job["sequence"] for job in await extracting.jobs(status="COMPLETED")] == [jobs[0]["sequence"]]
    of_one = await extracting.jobs(conversationId=jobs[0]["conversationId"], status="FAILED,PENDING")
    assert of_one == jobs[1:2]
    for wrong in ("status=DONE", "conversationId=%00"):
        refusal(await extracting.service.api.get(f"/orchestrator/v1/Extractions?{wrong}"), 400, 20001)
