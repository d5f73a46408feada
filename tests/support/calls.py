"""Calls and their transcripts, as Twilio tells of them."""

import json
from typing import Any

from tests.support import traffic
from tests.support.app import Service
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import VOICE

CALL, OTHER_CALL = "CA" + "1" * 32, "CA" + "2" * 32


async def tell_call(service: Service, **fields: str) -> None:
    """A call webhook."""
    form = {"CallSid": CALL, "From": KIRAN, "To": US, "CallStatus": "in-progress", "Direction": "inbound", **fields}
    answer = await service.post_webhook(VOICE, form)
    assert answer.status_code == 200, answer.text


def fragment(text: str = "hello", sequence: int = 1, **fields: str) -> dict[str, str]:
    """A final fragment of a transcript."""
    return {
        "CallSid": CALL,
        "TranscriptionEvent": "transcription-content",
        "TranscriptionSid": "GT" + "1" * 32,
        "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.97}),
        "Track": "inbound_track",
        "SequenceId": str(sequence),
        "Final": "true",
        **fields,
    }


async def tell_fragment(service: Service, *args: Any, **fields: Any) -> None:
    """A fragment's webhook."""
    answer = await service.post_webhook(VOICE, fragment(*args, **fields))
    assert answer.status_code == 200, answer.text


async def said(service: Service) -> list[dict[str, Any]]:
    """The communications of the one conversation."""
    return await traffic.communications(service, await traffic.only_conversation(service))
