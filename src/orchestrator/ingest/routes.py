"""The provider's webhooks. These are the hot routes: past FastAPI, their OpenAPI is declared by hand."""

from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from orchestrator.communications import service as communications
from orchestrator.domain.messages import InboundMessage
from orchestrator.ingest import early_reports, receipts, twilio, unlanded, voice
from orchestrator.ingest.batch import Batcher
from orchestrator.ingest.belonging import check
from orchestrator.ingest.calls import Calls, remember
from orchestrator.ingest.fields import Fields
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.landing import Outcome
from orchestrator.ingest.pipeline import ingest
from orchestrator.ingest.refusals import noting_refusals
from orchestrator.ingest.voice import Call
from orchestrator.ingest.webhooks import Webhooks
from orchestrator.kernel.requests import HotRoute
from orchestrator.kernel.telemetry import LANDINGS
from orchestrator.kernel.unit import Unit, Units

Heard = Callable[[Unit, Sequence[communications.Report]], Awaitable[None]]
"""Does, in the same unit, what else follows from delivery reports."""

_ANSWER = Response(b'<?xml version="1.0" encoding="UTF-8"?><Response/>', media_type="text/xml")
"""Empty TwiML, the same for everybody."""


class Ingest:
    """The webhooks of all accounts, coalesced into batches."""

    def __init__(
        self, units: Units, webhooks: Webhooks, policy: Policy, heard: Heard, *, batch_size: int, lanes: int
    ) -> None:
        self._units = units
        self._heard = heard
        self._webhooks = webhooks
        self._policy = policy
        self._calls = Calls(units)
        self._messages: Batcher[InboundMessage, tuple[Outcome, ...]] = Batcher(
            self._land, size=batch_size, lanes=lanes, lane_of=_parties
        )
        self._reports: Batcher[communications.Report, None] = Batcher(
            self._report, size=batch_size, lanes=lanes, lane_of=lambda report: report[:2]
        )

    def routes(self) -> dict[str, HotRoute]:
        """What to serve."""
        return {
            "/ingest/twilio/messages": HotRoute(self.message),
            "/ingest/twilio/message-status": HotRoute(self.message_status),
            "/ingest/twilio/voice": HotRoute(self.voice),
        }

    async def message(self, request: Request) -> Response:
        """An SMS, WhatsApp or RCS message."""
        fields = await self._webhooks.read(request)
        async with noting_refusals(self._units, fields):
            message = twilio.message(fields)
            if message is None:
                await self._note(fields, twilio.message_id(fields), twilio.NO_TEXT)
            else:
                await self._submit(message)
        return _ANSWER

    async def message_status(self, request: Request) -> Response:
        """A delivery report of a message that was sent."""
        fields = await self._webhooks.read(request)
        async with noting_refusals(self._units, fields):
            await self._reports.submit(twilio.delivery_report(fields))
        return _ANSWER

    async def voice(self, request: Request) -> Response:
        """A call webhook, a call status callback, or a real-time transcription callback."""
        fields = await self._webhooks.read(request)
        async with noting_refusals(self._units, fields):
            await self._hear(fields)
        return _ANSWER

    async def _hear(self, fields: Fields) -> None:
        told, said = voice.call(fields), voice.said(fields)
        call = await self._calls.learn(told)
        if call.ends is None and told.attribute is not None:
            call = await self._promise(told)
        if call.ends is None:
            if said is not None:
                await self._note(fields, said.resource_id, "no webhook has told the From and To of its call")
        elif said is not None or told.attribute is not None or not call.is_attached:
            await self._submit(voice.event(replace(call, attribute=told.attribute), said))
            if told.ends is not None:
                self._calls.keep(call)

    async def _promise(self, told: Call) -> Call:
        """Remember where a call belongs that cannot be attached yet; returns all that is known of it."""
        async with self._units.begin() as unit:
            await check(unit, told)
            return (await remember(unit, [told]))[told.key]

    async def _submit(self, message: InboundMessage) -> None:
        outcomes = await self._messages.submit(message)
        for outcome in outcomes if message.content else ():
            LANDINGS.labels(message.channel, outcome.lower()).inc()

    async def _land(self, messages: Sequence[InboundMessage]) -> list[tuple[Outcome, ...]]:
        async with self._units.begin() as unit:
            return await ingest(unit, messages, self._policy)

    async def _report(self, reports: Sequence[communications.Report]) -> list[None]:
        async with self._units.begin() as unit:
            await early_reports.keep(unit, reports)
            await communications.report_delivery(unit, reports)
            await self._heard(unit, reports)
        return [None] * len(reports)

    async def _note(self, fields: Fields, resource_id: str, reason: str) -> None:
        LANDINGS.labels("none", Outcome.UNCAPTURED.lower()).inc()
        async with self._units.begin() as unit:
            await receipts.note_once(unit, fields["AccountSid"], resource_id, unlanded.unusable(fields, reason))


def _parties(message: InboundMessage) -> Hashable:
    """What two people say to each other stays in order."""
    return message.account_id, frozenset((message.author.canonical, message.recipient.canonical))
