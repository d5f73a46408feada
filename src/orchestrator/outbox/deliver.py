"""The delivery loop: claim in a short transaction, sign and send without any, settle in a short one.

A worker that dies in between loses nothing: its claims lapse with their lease, and another attempt carries the same
idempotency token. How much is sent where is `outbox.flow`'s, which endpoints are left alone `domain.pausing`'s.
"""

import asyncio
from dataclasses import dataclass, field
from datetime import date, timedelta
from time import monotonic

import structlog

from orchestrator.domain.backoff import Backoff
from orchestrator.domain.pausing import News, Pausing
from orchestrator.kernel.telemetry import DELIVERIES_CLAIMED, DELIVERY_ATTEMPTS
from orchestrator.kernel.unit import Unit, Units
from orchestrator.outbox import endpoint_store, measuring, store
from orchestrator.outbox.answers import Outcome
from orchestrator.outbox.client import CallbackClient
from orchestrator.outbox.flow import Endpoint, Flight, Flow
from orchestrator.outbox.sending import Judge, Sender, Signers
from orchestrator.outbox.store import Claim, Delivery, Order, Settlement

log = structlog.get_logger(__name__)

_PUT_OFF_AT_ONCE = 500
"""Deliveries, in one claim: a claim that takes long would hold up all endpoints."""
_MEASURED_EVERY = 10.0  # seconds
_SLACK = 15.0
"""Seconds of a lease that are kept for settling."""


@dataclass(slots=True)
class Deliverer:
    """Delivers callbacks until it is told to stop."""

    units: Units
    client: CallbackClient
    signers: Signers
    backoff: Backoff
    pausing: Pausing = field(default_factory=Pausing)
    order: Order = "bounded"
    concurrency: int = 256
    endpoint_concurrency: int = 32
    longest_attempt: float = 20.0
    """Seconds."""
    lease: timedelta = timedelta(seconds=60)
    """How long a claim holds: longer than an attempt can take, and settling it."""
    interval: float = 0.25
    """Seconds between looks when nothing wakes the loop."""
    awake: asyncio.Event = field(default_factory=asyncio.Event)
    _flow: Flow = field(init=False)
    _sender: Sender = field(init=False)
    _judge: Judge = field(init=False)
    _settled: list[Settlement] = field(default_factory=list)
    _sending: set[asyncio.Task[None]] = field(default_factory=set)
    _looked_to: Endpoint | None = None
    _found: bool = False
    """Since the look that began with the first endpoint."""
    _held_up: set[Endpoint] = field(default_factory=set)
    _known: dict[Endpoint, date] = field(default_factory=dict)
    """Endpoints that are written down, and when that was last done."""
    _measured: float = 0.0
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._flow = Flow(self.concurrency, self.endpoint_concurrency)
        self._sender = Sender(self.units, self.client, self.signers)
        self._judge = Judge(self.units, self.backoff, self.order)

    async def run(self) -> None:
        """Deliver for ever. Cancelling stops after what is being sent has been settled."""
        try:
            while True:
                if not await self._turn():
                    await self._rest()
        finally:
            await asyncio.shield(self._drain())

    async def run_once(self) -> int:
        """Deliver everything that is due now, and what becomes due by it; returns how many attempts were made."""
        attempts, busy = 0, True
        while busy:
            busy = await self._claim()
            if self._sending:
                await asyncio.wait(self._sending)
            attempts += sum(1 for one in self._settled if one.tried)
            await self._settle()
        return attempts

    async def _turn(self) -> bool:
        """Settle what is finished and start what is due; False when there was nothing to do."""
        settled = await self._settle()
        claimed = await self._claim()
        DELIVERIES_CLAIMED.set(len(self._flow))
        if monotonic() - self._measured > _MEASURED_EVERY:
            self._measured = monotonic()
            async with self.units.begin() as unit:
                await measuring.measure(unit)
        return bool(settled or claimed)

    async def _rest(self) -> None:
        """Until something was recorded or sent, or the interval is over."""
        try:
            async with asyncio.timeout(self.interval):
                await self.awake.wait()
        except TimeoutError:
            pass
        self.awake.clear()

    async def _claim(self) -> bool:
        """Start what is due; False when there is nothing more that could be started now."""
        if self._flow.is_full():
            return False
        async with self.units.begin() as unit:
            look = await store.look(unit, self._looked_to)
            rooms = await self._rooms(unit, look)
            held_up = self._held_up & rooms.keys()
            more = dict.fromkeys(held_up, _PUT_OFF_AT_ONCE // max(1, len(held_up)))
            claim = (
                await store.claim(unit, rooms, lease=self.lease, order=self.order, more=more)
                if rooms
                else Claim([], set())
            )
        self._held_up = (self._held_up - rooms.keys()) | claim.held_up
        for chain in claim.chains:
            task = asyncio.create_task(self._deliver(chain, self._flow.begin(chain[0].endpoint)))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        return self._went_through(look, found=bool(claim.chains or claim.held_up))

    def _went_through(self, look: store.Look, *, found: bool) -> bool:
        """Whether to look again at once: until all endpoints were looked at and nothing was found at any."""
        self._found, self._looked_to = self._found or found, look.last
        if look.last is None:
            self._found, found = False, self._found
        return found or look.last is not None

    async def _rooms(self, unit: Unit, look: store.Look) -> dict[Endpoint, int]:
        """How many deliveries to claim for each endpoint; one for those that were paused until now."""
        rooms = self._flow.rooms(look.due)
        paused = [endpoint for endpoint in look.paused if endpoint in rooms]
        if paused:
            ours = await endpoint_store.begin_probes(unit, paused, unit.now + self.lease)
            for endpoint in paused:
                del rooms[endpoint]
            rooms |= dict.fromkeys(ours, 1)
        return rooms

    async def _deliver(self, chain: list[Delivery], flight: Flight) -> None:
        """Send one after the other, as long as none fails that those after it must wait for."""
        until = monotonic() + self.lease.total_seconds() - self.longest_attempt - _SLACK
        left, waiting_until = list(reversed(chain)), None
        try:
            while left and waiting_until is None and (len(left) == len(chain) or monotonic() < until):
                self._flow.again(flight)
                settlement = await self._attempt(left.pop())
                if settlement.holds_order:
                    waiting_until = settlement.next_attempt_at
                if self._stopping:
                    break
        finally:
            self._settled.extend(self._judge.given_back(one, waiting_until) for one in left)
            self._flow.end(flight)
            self.awake.set()

    async def _attempt(self, delivery: Delivery) -> Settlement:
        outcome, tried = await self._sender.attempt(delivery)
        settlement = self._judge.settlement(delivery, outcome, tried)
        self._settled.append(settlement)
        self._learn(delivery.endpoint, outcome)
        DELIVERY_ATTEMPTS.labels(_OUTCOMES[settlement.status]).inc()
        return settlement

    def _learn(self, endpoint: Endpoint, outcome: Outcome) -> None:
        if outcome.delivered:
            self._flow.succeeded(endpoint)
        elif outcome.retryable:
            self._flow.failed(endpoint)

    async def _settle(self) -> int:
        settled = list(self._settled)
        if not settled:
            return 0
        async with self.units.begin() as unit:
            # In one order for all: a conversation that is being deleted takes its deliveries with it.
            await store.settle(unit, sorted(settled, key=lambda one: (one.delivery.account_id, one.delivery.id)))
            await self._note(unit, settled)
        del self._settled[: len(settled)]  # only now: a failed settlement is tried again
        return len(settled)

    async def _note(self, unit: Unit, settled: list[Settlement]) -> None:
        """Keep what this tells of the endpoints."""
        news = _news(settled)
        if not news:
            return
        today = unit.now.date()
        if unknown := [endpoint for endpoint in news if self._known.get(endpoint) != today]:
            await endpoint_store.used(unit, unknown)
            self._known = {} if len(self._known) > 10_000 else self._known
            self._known |= dict.fromkeys(unknown, today)
        for (account_id, _), health in await endpoint_store.note(unit, news, self.pausing):
            # Not the URL: it may hold secrets.
            log.warning("endpoint paused" if health.pauses else "endpoint answers again", account=account_id)

    async def _drain(self) -> None:
        self._stopping = True
        if self._sending:
            await asyncio.wait(self._sending)
        await self._settle()


_OUTCOMES = {"DELIVERED": "delivered", "PENDING": "failed", "DEAD": "dead"}


def _news(settled: list[Settlement]) -> dict[Endpoint, News]:
    """What attempts tell of their endpoints, in the order in which they ended. Nothing where nothing was sent."""
    news = dict[Endpoint, News]()
    for one in settled:
        if one.tried is None or one.refused:
            continue
        before = news.get(one.delivery.endpoint, News(succeeded=False, failures=0))
        if one.status == "DELIVERED":
            news[one.delivery.endpoint] = News(succeeded=True, failures=0)
        else:
            news[one.delivery.endpoint] = News(before.succeeded, before.failures + 1, one.tried.error)
    return news
