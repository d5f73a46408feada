"""Composition root for HTTP: `create_app(settings)` puts the parts together and owns their lives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from orchestrator import __version__
from orchestrator.accounts.authentication import Authenticator
from orchestrator.actions.routes import router as actions
from orchestrator.communications.routes import router as communications
from orchestrator.configurations.history_routes import router as configuration_versions
from orchestrator.configurations.routes import router as configurations
from orchestrator.console import Sessions
from orchestrator.console import router as console
from orchestrator.conversations import following
from orchestrator.conversations.routes import router as conversations
from orchestrator.devtools.clock_routes import router as clock_router
from orchestrator.extraction import asking
from orchestrator.extraction.routes import router as extractions
from orchestrator.ingest.diagnostic_routes import router as diagnostics
from orchestrator.ingest.explain_routes import router as explain
from orchestrator.ingest.routes import Ingest
from orchestrator.ingest.uncaptured import router as uncaptured
from orchestrator.ingest.webhooks import Webhooks
from orchestrator.kernel.clock import Clock, clock_of
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.http import install_errors
from orchestrator.kernel.probes import router as probes
from orchestrator.kernel.requests import BodyLimit, HotRoute, HotRoutes, RequestLog
from orchestrator.kernel.secrets import SecretBox, secret_key_from
from orchestrator.kernel.unit import Units
from orchestrator.memory.embedding import Meaning
from orchestrator.memory.imports import LARGEST_FILE, UPLOADS
from orchestrator.memory.routes import router as memory
from orchestrator.memory.word_llama import WordLlamaEmbedder
from orchestrator.messages.routes import router as messages
from orchestrator.messages.service import hear
from orchestrator.numbers.routes import router as numbers
from orchestrator.openapi import describe
from orchestrator.openapi.reference import serve_reference
from orchestrator.operations.routes import router as operations
from orchestrator.outbox.delivery_routes import router as deliveries
from orchestrator.outbox.endpoint_routes import router as endpoints
from orchestrator.outbox.event_routes import router as events
from orchestrator.outbox.replay_routes import router as replays
from orchestrator.participants.routes import router as participants
from orchestrator.recall.routes import router as recall
from orchestrator.search.routes import router as search
from orchestrator.settings import Settings
from orchestrator.statistics.routes import router as statistics
from orchestrator.worker import Worker, policy_of, sender_of

_ROUTERS = (
    configurations,
    configuration_versions,
    operations,
    events,
    replays,
    deliveries,
    endpoints,
    conversations,
    participants,
    communications,
    actions,
    messages,
    memory,
    recall,
    numbers,
    uncaptured,
    explain,
    diagnostics,
    extractions,
    clock_router,
    search,
    statistics,
    probes,
)


class Application(FastAPI):
    """FastAPI behind an edge of our own: it sees a request only after the log, the body limit and the hot routes."""

    _edge: ASGIApp

    def put_before(self, routes: Mapping[str, HotRoute], *, max_body_bytes: int) -> None:
        """Build the edge. It is no FastAPI middleware because those run inside some of FastAPI's own layers."""
        inner = HotRoutes(super().__call__, routes=routes)
        self._edge = RequestLog(BodyLimit(inner, max_bytes=max_body_bytes, longer={UPLOADS: LARGEST_FILE}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._edge(scope, receive, send)

    def setup(self) -> None:
        """What FastAPI publishes of itself: the description, and our page about it instead of its own."""
        super().setup()
        serve_reference(self)

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            self.openapi_schema = describe(self)
        return self.openapi_schema


def create_app(settings: Settings, *, clock: Clock | None = None) -> FastAPI:
    """The application. `settings.database_url` must be set and its schema up to date. A given clock is not turned."""
    assert settings.database_url is not None
    engine = create_engine(settings.database_url, pool_size=settings.database_pool_size)
    units = Units(
        engine, clock or clock_of(start=settings.clock_start, speed=settings.clock_speed, shared=settings.is_dev)
    )
    following.listen(units, settings.linking)
    asking.connect(units, asking.policy(settings))
    secret_key = settings.secret_key.get_secret_value() if settings.secret_key else secret_key_from(settings.data_dir)
    secret_box = SecretBox(
        secret_key,
        settings.old_secret_key.get_secret_value() if settings.old_secret_key else None,
    )
    authenticator = Authenticator(units, secret_box)
    actions_asked_for, files_uploaded, messages_asked_for = asyncio.Event(), asyncio.Event(), asyncio.Event()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            stack.push_async_callback(engine.dispose)
            stack.push_async_callback(app.state.sender.aclose)
            if settings.worker:
                worker = Worker(settings, units, authenticator, actions_asked_for, files_uploaded, messages_asked_for)
                await stack.enter_async_context(_running(worker))
            yield

    app = Application(
        title="Orchestrator",
        version=__version__,
        lifespan=lifespan,
        redirect_slashes=False,
        docs_url=None,  # FastAPI's own pages load theirs from elsewhere
        redoc_url=None,
    )
    app.state.settings = settings
    app.state.units = units
    app.state.stopping = asyncio.Event()
    app.state.secret_box = secret_box
    app.state.authenticator = authenticator
    app.state.policy, app.state.meaning = policy_of(settings), _meaning(settings)
    app.state.wake_actions, app.state.wake_imports = actions_asked_for.set, files_uploaded.set
    app.state.wake_messages = messages_asked_for.set
    app.state.sender = sender_of(settings, authenticator)
    app.put_before(_ingest(settings, units, authenticator).routes(), max_body_bytes=settings.max_body_bytes)
    _add_routes(app, settings, secret_key)
    return app


def _add_routes(app: FastAPI, settings: Settings, secret_key: str) -> None:
    install_errors(app)
    for router in _ROUTERS:
        app.include_router(router)
    if settings.console:
        app.state.sessions = Sessions(secret_key)
        app.include_router(console)


def _meaning(settings: Settings) -> Meaning | None:
    """What compares texts by meaning, where the settings name an embedder. Raises EmbedderMissing."""
    return Meaning(WordLlamaEmbedder()) if settings.embedder == "wordllama" else None


def _ingest(settings: Settings, units: Units, authenticator: Authenticator) -> Ingest:
    webhooks = Webhooks(authenticator, public_url=settings.public_url, verify_signatures=settings.verify_signatures)
    return Ingest(
        units, webhooks, policy_of(settings), hear, batch_size=settings.batch_size, lanes=settings.ingest_lanes
    )


@asynccontextmanager
async def _running(worker: Worker) -> AsyncIterator[None]:
    """The worker beside the application; on the way out it settles what it is sending."""
    task = asyncio.create_task(worker.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
