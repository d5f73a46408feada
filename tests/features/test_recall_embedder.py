"""Recall with an embedder: by the words of a query and by its meaning."""

import asyncio
import sys
import threading
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import pytest
import structlog

from orchestrator.memory.embedding import EmbedderMissing, Meaning, Vector
from tests.support.app import Service, running_service
from tests.support.memories import (
    DOG,
    PARCEL,
    SHOP,
    TEA,
    contents,
    fetch,
    known_profile,
    note,
    observation,
    profile_path,
    recall,
    scores,
    sum_up,
    summary,
)
from tests.support.memory import new_phone, new_profile, new_store

TOPICS = ({"tea", "beverage", "drink"}, {"dog", "pet", "animal"}, {"parcel", "delivery"})
CONTRARY = "never"


@dataclass
class TopicEmbedder:
    """One dimension for each topic: what a text says of several is shared among them, `never` turns it round."""

    model: str = "topics"
    seen: list[str] = field(default_factory=list)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.seen += texts
        return [self._vector(text.lower()) for text in texts]

    def _vector(self, text: str) -> Vector:
        named = [float(any(word in text for word in topic)) for topic in TOPICS]
        length = sum(named) ** 0.5 or 1.0
        return [(-one if CONTRARY in text else one) / length for one in named]


class BrokenEmbedder:
    model = "broken"

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        raise RuntimeError("out of order")


@dataclass
class WaitingEmbedder:
    """Takes its time, until it is told that it has had enough."""

    model: str = "slow"
    begun: threading.Event = field(default_factory=threading.Event)
    enough: threading.Event = field(default_factory=threading.Event)

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        self.begun.set()
        assert self.enough.wait(20)
        return [[1.0] for _ in texts]


@pytest.fixture
def embedder(service: Service) -> TopicEmbedder:
    """What the service compares by."""
    found = TopicEmbedder()
    service.app.state.meaning = Meaning(found)
    return found


@pytest.fixture
async def known(service: Service) -> str:
    """The path of a profile of which something is known."""
    return await known_profile(service, await new_store(service))


@pytest.fixture
async def profile(service: Service) -> str:
    """The path of a profile of which nothing is known."""
    store = await new_store(service)
    return profile_path(store, await new_profile(service, store, phone=new_phone()))


@pytest.mark.usefixtures("embedder")
async def test_what_has_none_of_the_words_is_found_by_its_meaning(service: Service, known: str) -> None:
    found = await recall(service, known, query="Which beverage?", relevanceThreshold=0.1)
    assert (contents(found["observations"]), scores(found["observations"])) == ([TEA], [0.5])
    assert (contents(found["summaries"]), scores(found["summaries"])) == (["She asked for tea."], [0.5])


@pytest.mark.usefixtures("embedder")
async def test_the_score_is_half_words_and_half_meaning(service: Service, profile: str) -> None:
    both, words, meaning, contrary, nothing = "drink tea", "drink oil, tea", "beverage", "drink never", "a shop"
    await note(service, profile, *(observation(text) for text in (both, words, meaning, contrary, nothing)))
    found = (await recall(service, profile, query="drink tea"))["observations"]
    by_content = dict(zip(contents(found), scores(found), strict=True))
    assert by_content[both] == by_content[words] == 1
    assert by_content[meaning] == 0.5
    assert 0 < by_content[contrary] < 0.5, "one of two words, and no part of the meaning"
    assert by_content[nothing] == 0
    assert scores(found) == sorted(scores(found), reverse=True)


@pytest.mark.usefixtures("embedder")
async def test_what_is_about_two_things_is_half_about_each(service: Service, profile: str) -> None:
    await note(service, profile, observation("a pet with a delivery"))
    [found] = (await recall(service, profile, query="animal"))["observations"]
    assert found["score"] == round(0.5**0.5 / 2, 6)


@pytest.mark.usefixtures("embedder")
async def test_limit_and_threshold_and_dates(service: Service, known: str) -> None:
    async def found(**body: object) -> list[str]:
        return contents((await recall(service, known, query="pet delivery", **body))["observations"])

    assert await found() == [PARCEL, DOG, SHOP, TEA], "of the same score the newest first"
    assert await found(observationsLimit=1) == [PARCEL]
    assert await found(relevanceThreshold=0.35) == [PARCEL, DOG]
    assert await found(relevanceThreshold=0.36) == []
    assert await found(endDate="2026-02-03T00:00:00Z", relevanceThreshold=0.1) == [DOG]


@pytest.mark.parametrize("body", [{}, {"query": "?!"}, {"query": "tea", "observationsLimit": 0, "summariesLimit": 0}])
async def test_nothing_is_embedded_where_nothing_is_ranked(
    service: Service, known: str, embedder: TopicEmbedder, body: dict[str, object]
) -> None:
    found = await recall(service, known, **body)
    assert not any("score" in one for one in found["observations"])
    assert embedder.seen == []


async def test_each_text_is_embedded_once(service: Service, profile: str, embedder: TopicEmbedder) -> None:
    [noticed] = await note(service, profile, observation("tea"))
    await sum_up(service, profile, summary("a dog"))
    for _ in range(2):
        await recall(service, profile, query="drink")
    assert embedder.seen == ["drink", "tea", "a dog"]
    changed = await service.api.patch(f"{profile}/Observations/{noticed}", json={"content": "parcel"})
    assert changed.status_code == 202
    found = await recall(service, profile, query="delivery")
    assert contents(found["observations"]) == ["parcel"]
    assert scores(found["observations"]) == [0.5]
    assert embedder.seen[3:] == ["delivery", "parcel"]


async def test_only_so_many_vectors_are_kept() -> None:
    embedder = TopicEmbedder()
    meaning = Meaning(embedder, most_kept=2)
    assert await meaning.likeness("tea", ["drink", "dog", "never tea"]) == [1, 0, 0]
    assert await meaning.likeness("dog", ["never tea"]) == [0]
    assert embedder.seen == ["tea", "drink", "dog", "never tea"], "the last two are kept"
    await meaning.likeness("tea", ["dog"])
    assert embedder.seen[4:] == ["tea"]


async def test_without_the_embedder_it_goes_on_by_words(service: Service, known: str) -> None:
    expected = await recall(service, known, query="parcel tea")
    service.app.state.meaning = Meaning(BrokenEmbedder())
    with structlog.testing.capture_logs() as logs:
        found = await recall(service, known, query="parcel tea")
    for kind in ("observations", "summaries"):
        assert found[kind] == expected[kind]
    failures = [one for one in logs if one["event"] == "the embedder failed"]
    assert [(one["model"], one["error"], one["log_level"]) for one in failures] == [
        ("broken", "RuntimeError: out of order", "warning")
    ] * 2


async def test_while_it_embeds_others_are_served(service: Service, known: str) -> None:
    slow = WaitingEmbedder()
    service.app.state.meaning = Meaning(slow)
    recalling = asyncio.create_task(recall(service, known, query="tea"))
    try:
        assert await asyncio.to_thread(slow.begun.wait, 20)
        await fetch(service, known)
        # Whoever changes the profile meanwhile waits for nobody.
        await note(service, known, observation("new"))
        assert not recalling.done()
    finally:
        slow.enough.set()
    assert contents((await recalling)["observations"])[0] == TEA


async def test_a_package_that_is_not_there_ends_the_start(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "wordllama", None)
    with pytest.raises(EmbedderMissing, match=r"pip install 'wordllama>=0\.4'"):
        async with running_service(database_url, embedder="wordllama"):
            pass


@pytest.fixture(scope="module")
async def by_wordllama(database_url: str) -> AsyncIterator[Service]:
    pytest.importorskip("wordllama", reason="has no wheel for this machine")
    async with running_service(database_url, embedder="wordllama") as running:
        yield running


async def test_wordllama_knows_what_words_mean(by_wordllama: Service) -> None:
    """Whole, with its own weights, without a network."""
    known = await known_profile(by_wordllama, await new_store(by_wordllama))
    for query, expected in (("Which hot beverage?", TEA), ("Is there any pet?", DOG)):
        found = (await recall(by_wordllama, known, query=query))["observations"]
        assert contents(found)[0] == expected
        assert scores(found)[0] > 2 * scores(found)[1]
    assert scores((await recall(by_wordllama, known, query=TEA))["observations"])[0] == 1


async def test_wordllama_takes_every_text(by_wordllama: Service) -> None:
    store = await new_store(by_wordllama)
    profile = profile_path(store, await new_profile(by_wordllama, store, phone=new_phone()))
    await note(
        by_wordllama, profile, *(observation(text) for text in ("\u00a0", "🦙" * 4096, "a" * 4096, "Я люблю чай"))
    )
    found = (await recall(by_wordllama, profile, query="чай"))["observations"]
    assert len(found) == 4
    assert all(0 <= one <= 1 for one in scores(found))
    assert contents(found)[0] == "Я люблю чай"
