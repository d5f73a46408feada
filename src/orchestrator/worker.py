"""Composition root for the loops: perform actions, send messages, deliver callbacks, extract, import, sweep, reap.

Any number of workers may run on one database; they share the work by `skip locked`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog

from orchestrator.accounts.authentication import Authenticator
from orchestrator.accounts.signers import Signers
from orchestrator.actions import messages_api
from orchestrator.actions.loopback import Loopback
from orchestrator.actions.messages_api import MessagesApi
from orchestrator.actions.performing import Performer
from orchestrator.actions.senders import ActionSender
from orchestrator.conversations import following
from orchestrator.domain.backoff import Backoff
from orchestrator.extraction import asking
from orchestrator.extraction.extractor_api import ExtractorApi
from orchestrator.extraction.performing import JobPerformer
from orchestrator.ingest.identifying import Policy
from orchestrator.kernel.unit import Units
from orchestrator.lifecycle.reap import reap
from orchestrator.lifecycle.sweep import sweep_all
from orchestrator.memory.importing import Importer
from orchestrator.messages.performing import MessagePerformer
from orchestrator.outbox.client import CallbackClient
from orchestrator.outbox.deliver import Deliverer
from orchestrator.outbox.overrides import LONGEST_ATTEMPT
from orchestrator.outbox.retention import Kept
from orchestrator.settings import Settings

log = structlog.get_logger(__name__)

_REAP_INTERVAL = 600.0
_AFTER_FAILURE = 1.0
_SLACK = 40.0
"""Seconds by which a claim outlasts the longest request that it may take."""


@dataclass(frozen=True, slots=True)
class Leases:
    """How long claims hold."""

    deliveries: timedelta
    actions: timedelta
    messages: timedelta
    extractions: timedelta | None
    """None: nobody works on them."""


def leases_of(settings: Settings) -> Leases:
    """How long claims hold by these settings: longer than what is claimed can take."""
    attempt = timedelta(seconds=_longest_attempt(settings) + _SLACK)
    return Leases(
        deliveries=attempt,
        actions=timedelta(seconds=messages_api.CONNECT_TIMEOUT + messages_api.READ_TIMEOUT + _SLACK),
        messages=attempt,
        extractions=None if asking.policy(settings).is_idle else timedelta(seconds=settings.extractor_timeout + _SLACK),
    )


def _longest_attempt(settings: Settings) -> float:
    """Seconds that a callback may take."""
    return max(settings.callback_connect_timeout + settings.callback_read_timeout, LONGEST_ATTEMPT)


class Worker:
    """The loops of one process."""

    def __init__(
        self,
        settings: Settings,
        units: Units,
        authenticator: Authenticator,
        actions_asked_for: asyncio.Event | None = None,
        files_uploaded: asyncio.Event | None = None,
        messages_asked_for: asyncio.Event | None = None,
    ) -> None:
        self._settings = settings
        self._units = units
        self._client = CallbackClient(
            allow_insecure=settings.admits_insecure_callbacks,
            connect_timeout=settings.callback_connect_timeout,
            read_timeout=settings.callback_read_timeout,
            connections_per_host=0,  # the deliverer bounds them, by endpoint: a slow one must not hold up its host
        )
        leases = leases_of(settings)
        signers = Signers(authenticator, settings.callback_signature_algorithm, settings.callback_standard_webhooks)
        self.deliverer = Deliverer(
            units,
            self._client,
            signers,
            settings.backoff,
            settings.pausing,
            order=settings.callback_order,
            concurrency=settings.deliver_concurrency,
            endpoint_concurrency=settings.callback_endpoint_concurrency,
            longest_attempt=_longest_attempt(settings),
            lease=leases.deliveries,
            interval=settings.deliver_interval,
        )
        units.wake_delivery = self.deliverer.awake.set
        following.listen(units, settings.linking)
        asking.connect(units, asking.policy(settings))
        self.extractions = _extractions(settings, units)
        self.performer = Performer(
            units,
            sender_of(settings, authenticator),
            linking=settings.linking,
            concurrency=settings.perform_concurrency,
            lease=leases.actions,
            interval=settings.perform_interval,
            awake=actions_asked_for or asyncio.Event(),
        )
        self.messages = MessagePerformer(
            units,
            self._client,
            signers,
            policy_of(settings),
            settings.backoff,
            concurrency=settings.perform_concurrency,
            lease=leases.messages,
            interval=settings.perform_interval,
            awake=messages_asked_for or asyncio.Event(),
        )
        self.importer = Importer(units, awake=files_uploaded or asyncio.Event())

    async def run(self) -> None:
        """Run the loops until cancelled; what is being sent is settled before this returns."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep("deliver", self.deliverer.run))
                group.create_task(self._keep("perform", self.performer.run))
                group.create_task(self._keep("send", self.messages.run))
                group.create_task(self._keep("import", self.importer.run))
                if self.extractions is not None:
                    group.create_task(self._keep("extract", self.extractions.run))
                group.create_task(self._keep("sweep", self._sweep))
                group.create_task(self._keep("reap", self._reap))
        finally:
            await self._client.aclose()
            await self.performer.sender.aclose()
            if self.extractions is not None and self.extractions.extractor is not None:
                await self.extractions.extractor.aclose()

    async def _keep(self, name: str, loop: Callable[[], Awaitable[None]]) -> None:
        """A loop survives whatever happens in it (the database restarting, above all)."""
        while True:
            try:
                await loop()
            except Exception as error:
                ourselves = asyncio.current_task()
                if ourselves is not None and ourselves.cancelling():
                    return  # it failed while it was being stopped; beginning again would never end
                log.warning("loop failed and goes on", loop=name, error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(_AFTER_FAILURE)

    async def _sweep(self) -> None:
        while True:
            await sweep_all(self._units)
            await asyncio.sleep(self._settings.sweep_interval)

    async def _reap(self) -> None:
        while True:
            await reap(
                self._units,
                receipts=timedelta(days=self._settings.receipt_retention_days),
                uncaptured=timedelta(days=self._settings.uncaptured_retention_days),
                diagnostics=timedelta(days=self._settings.diagnostic_retention_days),
                outbox=Kept(
                    events=timedelta(days=self._settings.event_retention_days),
                    deliveries=timedelta(days=self._settings.delivery_retention_days),
                    attempts=timedelta(days=self._settings.attempt_retention_days),
                    silent=timedelta(days=self._settings.callback_silent_days),
                ),
            )
            await asyncio.sleep(_REAP_INTERVAL)


def _extractions(settings: Settings, units: Units) -> JobPerformer | None:
    """Who reads conversations that came to rest; nobody, where nothing would come of it."""
    lease = leases_of(settings).extractions
    if lease is None:
        return None
    token, timeout = settings.extractor_token, settings.extractor_timeout
    extractor = settings.extractor_url and ExtractorApi(
        settings.extractor_url, token=token.get_secret_value() if token else None, timeout=timeout
    )
    return JobPerformer(
        units,
        extractor or None,
        digests=settings.digest_summaries,
        backoff=Backoff(delays=settings.extractor_retry_delays),
        concurrency=settings.extract_concurrency,
        lease=lease,
        interval=settings.extract_interval,
    )


def policy_of(settings: Settings) -> Policy:
    """How the customers of captured messages are recognised."""
    return Policy(linking=settings.linking, passive_profile_creation=settings.passive_profile_creation)


def sender_of(settings: Settings, authenticator: Authenticator) -> ActionSender:
    """Who sends messages."""

    async def auth_token(account_id: str) -> str | None:
        account = await authenticator.account(account_id)
        return account.auth_token if account else None

    if settings.sender == "loopback":
        return Loopback()
    status_path = "/ingest/twilio/message-status"
    status_callback = settings.public_url and settings.public_url.rstrip("/") + status_path
    return MessagesApi(auth_token, url=settings.twilio_api_url, status_callback=status_callback)
