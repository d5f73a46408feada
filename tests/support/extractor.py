"""A stand-in for an extractor: a real HTTP server on a free loopback port; and those who ask it."""

import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
from aiohttp import web

from orchestrator.domain.backoff import Backoff
from orchestrator.extraction.extractor_api import Extractor, ExtractorApi
from orchestrator.extraction.model import Job
from orchestrator.extraction.performing import JobPerformer
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.memories import contents, everything, profile_path
from tests.support.memory import new_store
from tests.support.traffic import US

TOKEN = "a token"
WAITS = (5.0, 30.0)
"""Seconds between the attempts."""


@dataclass(frozen=True)
class Asked:
    """One request as it came over the wire."""

    headers: Mapping[str, str]
    body: dict[str, Any]

    @property
    def key(self) -> str:
        return self.headers["Idempotency-Key"]

    @property
    def texts(self) -> list[str]:
        """What is new."""
        return [one["content"]["text"] for one in self.body["communications"]]

    @property
    def earlier(self) -> list[str]:
        """What is told again for the summary."""
        return [one["content"]["text"] for one in self.body["earlierCommunications"]]

    @property
    def profile_id(self) -> str:
        """Of the one customer."""
        (about,) = self.body["profiles"]
        return str(about["profileId"])


Answer = Callable[[Asked], Any]
"""JSON to answer, or a whole response."""


def nothing(_: Asked) -> dict[str, Any]:
    """Nothing is worth remembering."""
    return {}


def noting(*noted: Any, **more: Any) -> Answer:
    """Tells this of the one customer."""
    observations = [{"content": one} if isinstance(one, str) else one for one in noted]
    return lambda asked: {"profiles": [{"profileId": asked.profile_id, "observations": observations, **more}]}


def failing(status: int, **headers: str) -> Answer:
    return lambda _: web.Response(status=status, headers=headers)


@dataclass
class FakeExtractor:
    """What came, and how it is answered; tests change `answer` as they go."""

    url: str
    answer: Answer = nothing
    received: list[Asked] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        asked = Asked(request.headers.copy(), json.loads(await request.read()))
        self.received.append(asked)
        answer = self.answer(asked)
        return answer if isinstance(answer, web.StreamResponse) else web.json_response(answer)


@asynccontextmanager
async def fake_extractor() -> AsyncIterator[FakeExtractor]:
    """An extractor that listens until the block ends."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    running = FakeExtractor(f"http://127.0.0.1:{listening.getsockname()[1]}/extract")
    app = web.Application(client_max_size=2**26)
    app.router.add_post("/extract", running.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.SockSite(runner, listening).start()
    try:
        yield running
    finally:
        await runner.cleanup()


@dataclass
class Memory:
    """A service that extracts into one store, and the customer who writes to it."""

    service: Service
    store: str
    performer: JobPerformer
    customer: str

    async def hear(self, *texts: str) -> dict[str, Any]:
        """Let messages of the customer arrive; returns the conversation."""
        for text in texts:
            await traffic.message(self.service, self.customer, US, text)
        return (await traffic.conversations(self.service))[-1]

    async def rest(self, state: str = "INACTIVE") -> int:
        """The last conversation comes to rest, and what is due is done; returns how many jobs that were."""
        conversation = (await traffic.conversations(self.service))[-1]
        await traffic.change(self.service, conversation, status=state)
        return await self.performer.run_once()

    async def profile(self) -> str:
        """The path of the customer's profile."""
        conversation = (await traffic.conversations(self.service))[-1]
        return profile_path(self.store, traffic.member(conversation, self.customer)["profileId"])

    async def observations(self) -> list[dict[str, Any]]:
        """What is known of the customer, the oldest first."""
        return await everything(self.service, f"{await self.profile()}/Observations")

    async def summaries(self) -> list[str]:
        return contents(await everything(self.service, f"{await self.profile()}/ConversationSummaries"))

    async def jobs(self, **query: Any) -> list[dict[str, Any]]:
        """All jobs, the newest first."""
        found: list[dict[str, Any]] = (await traffic.get(self.service, "/orchestrator/v1/Extractions", **query))[
            "extractions"
        ]
        return found

    async def job(self) -> dict[str, Any]:
        """The newest job."""
        return (await self.jobs())[0]

    async def retry(self, job: dict[str, Any]) -> httpx.Response:
        path = f"/orchestrator/v1/Extractions/{job['conversationId']}/{job['sequence']}/Retry"
        return await self.service.api.post(path)

    async def claim(self) -> Job:
        """Take the one job that is due, as a worker does that dies before it has done anything."""
        (claimed,) = await self.performer.claim(10)
        return claimed

    async def perform_while(self, happening: Callable[[], Awaitable[object]]) -> None:
        """Do the one job that is due, and let this happen between the call and the writing."""
        slow = replace(self.performer, extractor=Meanwhile(self.performer.extractor, happening))
        await slow.perform(await self.claim())


@dataclass
class Meanwhile:
    """Another extractor's answers, before each of which something happens."""

    extractor: Extractor | None
    happening: Callable[[], Awaitable[object]]

    async def ask(self, body: bytes, *, key: str) -> bytes:
        assert self.extractor is not None
        answer = await self.extractor.ask(body, key=key)
        await self.happening()
        return answer

    async def aclose(self) -> None:
        assert self.extractor is not None
        await self.extractor.aclose()


def performer(service: Service, extractor: FakeExtractor | None, *, digests: bool = False) -> JobPerformer:
    """What a worker does jobs with, without the chance in its waits."""
    api = ExtractorApi(extractor.url, token=TOKEN, timeout=10) if extractor else None
    return JobPerformer(service.units, api, digests=digests, backoff=Backoff(delays=WAITS, jitter=0))


@asynccontextmanager
async def memory(service: Service, extractor: FakeExtractor | None, **changes: Any) -> AsyncIterator[Memory]:
    """A store and a configuration that extracts into it."""
    await service.fetch("delete from extraction_jobs")  # what other tests have left in this database
    store = await new_store(service)
    settings = {"memoryStoreId": store, "memoryExtractionEnabled": True, **changes}
    await make_configuration(service, **settings)
    doing = performer(service, extractor, digests=service.settings.digest_summaries)
    try:
        yield Memory(service, store, doing, traffic.KIRAN)
    finally:
        if doing.extractor is not None:
            await doing.extractor.aclose()
