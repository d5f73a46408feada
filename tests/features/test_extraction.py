"""What is worth remembering of a conversation is asked for when it comes to rest, and written to its customers."""

import asyncio
import re
import threading
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from http.server import HTTPServer
from typing import Any

import pytest

from orchestrator.extraction import said
from orchestrator.extraction.digest import digest
from orchestrator.extraction.said import Share
from orchestrator.kernel.ids import OBSERVATION, PROFILE, new_id
from orchestrator.lifecycle.sweep import sweep_all
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.documents import ROOT
from tests.support.extractor import TOKEN, FakeExtractor, Memory, fake_extractor, memory, noting
from tests.support.memories import everything, note, observation
from tests.support.memory import new_profile
from tests.support.traffic import KIRAN, US


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


async def test_what_was_said_is_told_and_what_was_noticed_is_written(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    extractor.answer = noting("She has a dog", {"content": "She is tall", "occurredAt": "2026-02-03T09:15:04Z"})
    conversation = await extracting.hear("my dog is afraid", "of your postman")
    known = await note(extracting.service, await extracting.profile(), observation("She likes tea"))
    assert await extracting.rest() == 1

    (asked,) = extractor.received
    customer = traffic.member(conversation, KIRAN)
    sequence = (await traffic.events(extracting.service, conversation))[-1].sequence
    assert asked.headers["Authorization"] == f"Bearer {TOKEN}"
    assert asked.key == f"{conversation['id']}/{sequence}"
    assert (asked.body["state"], asked.body["conversation"]["status"]) == ("INACTIVE", "INACTIVE")
    assert asked.body["communications"] == await traffic.communications(extracting.service, conversation)
    assert (asked.earlier, asked.body["omittedCommunications"]) == ([], 0)
    (about,) = asked.body["profiles"]
    assert (about["profileId"], about["participantIds"]) == (customer["profileId"], [customer["id"]])
    assert [(one["id"], one["content"]) for one in about["observations"]] == [(known[0], "She likes tea")]

    tea, dog, tall = await extracting.observations()
    last = asked.body["communications"][-1]["occurredAt"]
    assert [one["content"] for one in (tea, dog, tall)] == ["She likes tea", "She has a dog", "She is tall"]
    assert (dog["occurredAt"], tall["occurredAt"]) == (last, "2026-02-03T09:15:04Z")
    assert (dog["source"], dog["conversationIds"]) == ("conversational-intelligence", [conversation["id"]])
    job = await extracting.job()
    assert (job["status"], job["attempts"], job["nextAttemptAt"]) == ("COMPLETED", 1, None)
    assert job["result"] == {"observations": 2, "revisions": 0, "summaries": 0, "ignored": 0, "note": None}


async def test_an_observation_that_is_refined_has_a_revision(extracting: Memory, extractor: FakeExtractor) -> None:
    conversation = await extracting.hear("I have moved")
    profile = await extracting.profile()
    (known,) = await note(extracting.service, profile, observation("Lives in Ulm"))
    extractor.answer = noting({"id": known, "content": "Lives in Bonn"}, {"id": new_id(OBSERVATION), "content": "x"})
    await extracting.rest()
    (found,) = await extracting.observations()
    assert (found["id"], found["content"], found["occurredAt"]) == (known, "Lives in Bonn", observation()["occurredAt"])
    assert (found["source"], found["conversationIds"]) == ("conversational-intelligence", [conversation["id"]])
    revisions = await everything(extracting.service, f"{profile}/Observations/{known}/Revisions")
    assert [one["content"] for one in revisions] == ["Lives in Bonn", "Lives in Ulm"]
    result = (await extracting.job())["result"]
    assert (result["observations"], result["revisions"], result["ignored"]) == (0, 1, 1)


async def test_each_run_covers_what_no_run_before_has_and_the_last_one_sums_up(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    extractor.answer = noting("x", summary="A parcel was late")
    await extracting.hear("one", "two")
    await extracting.rest()
    assert await extracting.summaries() == []  # only what is CLOSED is summed up
    await extracting.rest("ACTIVE")
    await extracting.rest()
    await extracting.hear("three")
    await extracting.rest()
    await extracting.rest("CLOSED")
    assert [(one.texts, one.earlier) for one in extractor.received] == [
        (["one", "two"], []),
        (["three"], []),
        ([], ["one", "two", "three"]),
    ]
    assert len({one.key for one in extractor.received}) == 3
    assert await extracting.summaries() == ["A parcel was late"]
    closed, _, nothing_new, _ = await extracting.jobs()
    assert (closed["state"], closed["result"]["summaries"]) == ("CLOSED", 1)
    assert nothing_new["result"]["note"] == "nothing was said that is not covered"


async def test_what_was_covered_is_known_without_events(extracting: Memory, extractor: FakeExtractor) -> None:
    """They are not kept for ever."""
    await extracting.hear("one", "two")
    await extracting.rest()
    await extracting.hear("three")
    await extracting.service.fetch("delete from events where account_id = $1", extracting.service.account.account_id)
    await extracting.rest()
    await extracting.hear("four")
    await extracting.rest("CLOSED")
    assert [(one.texts, one.earlier) for one in extractor.received] == [
        (["one", "two"], []),
        (["three"], []),
        (["four"], ["one", "two", "three"]),
    ]


async def test_one_summary_may_be_for_everybody_and_has_the_conversation(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    extractor.answer = lambda _: {"summary": "A parcel was late", "profiles": None}
    conversation = await extracting.hear("where is it?")
    await extracting.rest("CLOSED")
    (summary,) = await everything(extracting.service, f"{await extracting.profile()}/ConversationSummaries")
    assert (summary["content"], summary["source"]) == ("A parcel was late", "conversations")
    assert summary["conversationId"] == conversation["id"]


async def test_the_sweep_and_traffic_let_conversations_rest_too(extracting: Memory, extractor: FakeExtractor) -> None:
    service = extracting.service
    first = await extracting.hear("hello")
    service.clock.advance(minutes=11)
    await sweep_all(service.units)
    await traffic.change(service, first, name="renamed")  # no change of state
    service.clock.advance(minutes=50)
    second = await extracting.hear("again")  # closes the first, for it is overdue
    assert [(job["conversationId"], job["state"]) for job in await extracting.jobs()] == [
        (first["id"], "CLOSED"),
        (first["id"], "INACTIVE"),
    ]
    await extracting.performer.run_once()
    told = [one.body for one in extractor.received]  # the sweep goes through what other tests have left, too
    assert [one["state"] for one in told if one["conversation"]["id"] == first["id"]] == ["INACTIVE", "CLOSED"]
    assert second["id"] != first["id"]


async def test_somebody_else_is_not_remembered(extracting: Memory, extractor: FakeExtractor) -> None:
    stranger = {"profileId": new_id(PROFILE), "observations": [{"content": "x"}], "summary": "y"}
    extractor.answer = lambda _: {"profiles": [stranger]}
    conversation = await extracting.hear("hello")
    await extracting.rest("CLOSED")
    assert (await extracting.observations(), await extracting.summaries()) == ([], [])
    job = await extracting.job()
    assert (job["status"], job["result"]["ignored"], job["result"]["summaries"]) == ("COMPLETED", 1, 0)

    body = {"configurationId": conversation["configurationId"]}
    deserted = await extracting.service.api.post("/v2/Conversations", json=body)
    await traffic.change(extracting.service, deserted.json(), status="CLOSED")
    await extracting.performer.run_once()
    assert (await extracting.job())["result"]["note"] == "no customer has a profile"
    assert len(extractor.received) == 1


async def test_who_has_another_profile_by_the_time_of_the_answer_is_remembered_there(
    extracting: Memory, extractor: FakeExtractor
) -> None:
    service = extracting.service
    other = await new_profile(service, extracting.store, email="kiran@example.com")
    extractor.answer = noting("She has a dog")
    conversation = await extracting.hear("hello")
    customer = traffic.member(conversation, KIRAN)
    path = f"/v2/Conversations/{conversation['id']}/Participants/{customer['id']}"
    body = {"type": "CUSTOMER", "profileId": other, "addresses": [{"channel": "SMS", "address": KIRAN}]}
    await traffic.change(service, conversation, status="INACTIVE")
    await extracting.perform_while(lambda: service.api.put(path, json=body))
    assert extractor.received[0].profile_id == customer["profileId"] != other
    assert (await extracting.profile()).endswith(other)
    assert [one["content"] for one in await extracting.observations()] == ["She has a dog"]


async def test_of_very_much_the_newest_is_told(
    extracting: Memory, extractor: FakeExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(said, "MOST", 3)
    monkeypatch.setattr(said, "MOST_CHARACTERS", 100)
    await extracting.hear("one", "two", "three", "four")
    await extracting.rest()
    await extracting.hear("x" * 60, "y" * 200)
    await extracting.rest("CLOSED")
    first, second = extractor.received
    assert (first.texts, first.body["omittedCommunications"]) == (["two", "three", "four"], 1)
    assert (second.earlier, second.texts, second.body["omittedCommunications"]) == ([], ["y" * 200], 5)


async def test_where_it_is_not_enabled_or_there_is_no_store_there_are_no_jobs(extracting: Memory) -> None:
    service, configuration = extracting.service, {"memoryExtractionEnabled": False}
    configuration_id = (await extracting.hear("x"))["configurationId"]
    for body in (
        {"configurationId": configuration_id, "configuration": configuration},
        {"configuration": {"memoryExtractionEnabled": True}},
    ):
        created = await service.api.post("/v2/Conversations", json=body)
        await traffic.change(service, created.json(), status="CLOSED")
    assert await extracting.jobs() == []


async def test_without_an_extractor_there_are_no_jobs(service: Service) -> None:
    async with memory(service, None) as idle:
        await idle.hear("hello")
        assert (await idle.rest(), await idle.rest("CLOSED"), await idle.jobs()) == (0, 0, [])


async def test_a_worker_extracts_as_it_is_set(database_url: str, extractor: FakeExtractor) -> None:
    settings = {"extractor_url": extractor.url, "extractor_token": TOKEN, "extract_interval": 0.02, "worker": True}
    extractor.answer = noting("She has a dog")
    async with running_service(database_url, **settings) as service, memory(service, None) as extracting:
        conversation = await extracting.hear("hello")
        await traffic.change(service, conversation, status="INACTIVE")
        done = "select from extraction_jobs where status = 'COMPLETED'"
        async with asyncio.timeout(10):
            while not await service.fetch(done):
                pass
        assert [one["content"] for one in await extracting.observations()] == ["She has a dog"]
        assert extractor.received[0].headers["Authorization"] == f"Bearer {TOKEN}"


async def test_without_an_extractor_a_closed_conversation_may_leave_a_digest(database_url: str) -> None:
    async with (
        running_service(database_url, digest_summaries=True) as service,
        memory(service, None, memoryExtractionEnabled=False) as digested,
    ):
        await digested.hear("where is my parcel?", "hello?")
        await traffic.message(service, US, KIRAN, "x" * 5_000)
        assert await digested.rest() == 0
        assert await digested.rest("CLOSED") == 1
        (text,) = await digested.summaries()
        moment = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        assert re.fullmatch(
            rf"3 communications from {moment} to {moment}\. \+15551234567 \(CUSTOMER\): 2 on SMS\. "
            r"\+16505550199 \(AGENT\): 1 on SMS\.\n"
            r"First words, by \+15551234567 \(CUSTOMER\): where is my parcel\?\n"
            r"Last words, by \+16505550199 \(AGENT\): x{1000}",
            text,
        ), text
        assert (await digested.job())["result"]["summaries"] == 1


def test_a_digest_of_very_many_fits_into_a_summary() -> None:
    moment = datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)
    shares = [Share(f"{number}", "SMS", 1, moment, moment) for number in range(100)]
    names = {share.participant_id: "n" * 200 for share in shares}
    text = digest(names, shares, [("0", "a" * 1_000), ("99", "b" * 1_000)])
    assert len(text) == 4096
    assert text.startswith("100 communications from 2026-02-03T09:15:04Z to 2026-02-03T09:15:04Z. nnn")
    assert text.endswith("b" * 1_000)


@pytest.fixture
def documented() -> Iterator[FakeExtractor]:
    """The extractor of `docs/extraction.md`, listening."""
    (program,) = re.findall(r"(?s)```python\n(.*?)```", (ROOT / "docs" / "extraction.md").read_text())
    defined: dict[str, Any] = {"__name__": "extractor"}
    exec(compile(program, "extractor.py", "exec"), defined)
    with HTTPServer(("127.0.0.1", 0), defined["Extractor"]) as server:
        listening = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        listening.start()
        yield FakeExtractor(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        listening.join()


async def test_the_extractor_of_the_documents_works(database_url: str, documented: FakeExtractor) -> None:
    async with (
        running_service(database_url, extractor_url=documented.url) as service,
        memory(service, documented) as extracting,
    ):
        await extracting.hear("My dog is afraid.", "Hello!")
        await extracting.rest("CLOSED")
        (observed,) = await extracting.observations()
        assert observed["content"] == "The customer said: My dog is afraid."
        assert await extracting.summaries() == ["2 communications; the last: Hello!"]
