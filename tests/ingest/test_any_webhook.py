"""Whatever a webhook says in any of its fields, it is taken or refused as a bad request; the service never fails."""

import asyncio
import json
from urllib.parse import urlencode

from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.factories import make_configuration
from tests.support.traffic import BY_PROFILE, KIRAN, US
from tests.support.webhooks import MESSAGES, STATUS, VOICE, post

NUMBERS = (
    "+",
    "+1",
    "+" + "0" * 15,
    "+" + "9" * 15,
    "whatsapp:+15551234567",
    "whatsapp:whatsapp:+15551234567",
    "rcs:a",
)
IDENTITIES = ("client:", "client:a", "client:*", "client:sip:a@b:1;x=y", "sip:", "sips:@", "sip:a@[::1]:5060", "*")
TEXTS = (
    "",
    " ",
    "x",
    "\x00",
    "a\x00b",
    "\r\n",
    "\u2028",
    "\u202e+1555",
    "\ufffe",
    "\U0010ffff" * 255,
    "x" * 5000,
    "%00",
    "1e400",
)
DATA = ("{}", "[]", '{"transcript": "a\\u0000b"}', '{"transcript": ["a"]}', '{"Transcript": 1.5}', '{"transcript": ""}')
MOMENTS = ("2026-02-03T09:15:04Z", "2026-02-03", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-12:00")
WORDS = ("inbound", "outbound-api", "true", "false", "transcription-stopped", "outbound_track", "sent", "received")
ANYTHING = (*NUMBERS, *IDENTITIES, *TEXTS, *DATA, *MOMENTS, *WORDS)

MESSAGE = {
    "MessageSid": "SM1",
    "From": KIRAN,
    "To": US,
    "Body": "hello",
    "MessageStatus": "sent",
    "Direction": "inbound",
}
FRAGMENT = {
    "CallSid": "CA1",
    "From": KIRAN,
    "To": US,
    "Direction": "inbound",
    "TranscriptionEvent": "transcription-content",
    "TranscriptionSid": "GT1",
    "TranscriptionData": '{"transcript": "hello", "confidence": 0.5}',
    "TranscriptionEngine": "google",
    "Track": "inbound_track",
    "SequenceId": "1",
    "Final": "true",
    "Timestamp": "2026-02-03T09:15:04Z",
}


async def answers(service: Service, path: str, webhook: dict[str, str]) -> set[int]:
    """Put anything in each field in turn, as a form and as JSON; the statuses that are answered."""
    seen: set[int] = set()
    for number, field in enumerate(webhook):
        varied = [
            {**webhook, field: value, "MessageSid": f"SM{number}-{position}", "SequenceId": f"{number}-{position}"}
            | ({field: value} if field in ("MessageSid", "SequenceId") else {})
            | {"AccountSid": service.account.account_id}
            for position, value in enumerate(ANYTHING)
        ]
        forms = (post(service, urlencode(one).encode(), path=path) for one in varied[::2])
        bodies = (
            post(service, json.dumps(one).encode(), path=path, content_type="application/json") for one in varied[1::2]
        )
        seen |= {answer.status_code for answer in await asyncio.gather(*forms, *bodies)}
    return seen


async def test_anything_in_any_field(database_url: str) -> None:
    async with running_service(database_url, verify_signatures=False) as service:
        settings = {channel: traffic.channel(("*", "*")) for channel in ("SMS", "WHATSAPP", "RCS", "VOICE")}
        await make_configuration(service, channelSettings=settings, conversationGroupingType=BY_PROFILE)
        clients = {"VOICE": traffic.channel(("*", "*"), callType="CLIENT")}
        await make_configuration(service, channelSettings=clients)
        for path, webhook in ((MESSAGES, MESSAGE), (STATUS, MESSAGE), (VOICE, FRAGMENT)):
            assert await answers(service, path, webhook) == {200, 400}
        for conversation in await traffic.conversations(service, pageSize=1000):
            assert all(member["name"] for member in conversation["participants"])
            said = await traffic.communications(service, conversation)
            sequences = [event.sequence for event in await traffic.events(service, conversation)]
            assert said
            assert sequences == list(range(1, len(sequences) + 1))
