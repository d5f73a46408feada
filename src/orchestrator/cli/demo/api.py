"""How the demonstration talks to the service: as an API client, and as Twilio."""

import json
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlencode

import httpx

from orchestrator.cli.demo.instance import Instance
from orchestrator.cli.errors import CommandFailed
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.signing import sign

_PATIENCE = 10.0
"""Seconds for one request."""


class Api:
    """One account's API, and the provider that sends its traffic."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._http = httpx.AsyncClient(
            base_url=instance.url,
            auth=(instance.account_id, instance.auth_token),
            timeout=_PATIENCE,
            trust_env=False,  # no proxy stands between this machine and itself
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def get(self, path: str, **query: str) -> Any:
        return (await self._request("GET", path, params=query)).json()

    async def post(self, path: str, body: Any) -> Any:
        return (await self._request("POST", path, json=body)).json()

    async def patch(self, path: str, body: Any) -> Any:
        return (await self._request("PATCH", path, json=body)).json()

    async def delete(self, path: str) -> None:
        await self._request("DELETE", path)

    async def receive_message(self, sender: str, to: str, text: str) -> str:
        """A message comes in; returns its SID."""
        sid = new_sid("SM")
        form = {"MessageSid": sid, "From": sender, "To": to, "Body": text, "NumMedia": "0"}
        await self._webhook("/ingest/twilio/messages", form)
        return sid

    async def receive_call(self, sender: str, to: str, text: str) -> str:
        """A call comes in, and one sentence of it is transcribed; returns the call's SID."""
        sid = new_sid("CA")
        call = {"CallSid": sid, "From": sender, "To": to, "Direction": "inbound", "CallStatus": "in-progress"}
        await self._webhook("/ingest/twilio/voice", call)
        transcription = {
            "CallSid": sid,
            "TranscriptionSid": new_sid("GT"),
            "TranscriptionEvent": "transcription-content",
            "TranscriptionData": json.dumps({"transcript": text, "confidence": 0.97}),
            "Track": "inbound_track",
            "SequenceId": "1",
            "Final": "true",
        }
        await self._webhook("/ingest/twilio/voice", transcription)
        return sid

    async def _webhook(self, path: str, fields: dict[str, str]) -> None:
        """Post a form, signed as Twilio signs it."""
        form = {"AccountSid": self._instance.account_id, **fields}
        signature = sign(self._instance.auth_token, self._instance.url + path, form.items())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        await self._request("POST", path, content=urlencode(form), headers=headers)

    async def _request(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            response = await self._http.request(method, path, **content)
        except httpx.HTTPError as error:
            raise CommandFailed(f"cannot reach {self._instance.url}: {error or type(error).__name__}") from error
        if response.is_success:
            return response
        advice = {
            401: " (the credentials are not those of this instance)",
            403: " (sign for the instance's public URL: give that one as --url)",
        }.get(response.status_code, "")
        raise CommandFailed(f"{method} {path} was answered {response.status_code}: {_message(response)}{advice}")


def _message(response: httpx.Response) -> str:
    try:
        return str(response.json()["message"])
    except (ValueError, TypeError, KeyError):
        return response.reason_phrase
