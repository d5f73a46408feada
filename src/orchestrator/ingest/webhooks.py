"""One provider webhook, read and proved: its fields, from a form or from JSON, and its signature."""

from collections.abc import Callable, Mapping
from typing import Protocol
from urllib.parse import parse_qsl

import orjson
from starlette.requests import Request

from orchestrator.accounts.service import Account
from orchestrator.kernel import signing
from orchestrator.kernel.errors import BadRequest, UnsupportedMediaType, WrongSignature

_FORM = "application/x-www-form-urlencoded"


class KnowsAccounts(Protocol):
    """Finds accounts by their SID and what was done with one of their auth tokens."""

    async def recognise(self, account_id: str, fits: Callable[[str], bool]) -> Account | None: ...


class Webhooks:
    """Reads webhooks of accounts that are known, and of nobody else."""

    def __init__(self, accounts: KnowsAccounts, *, public_url: str | None, verify_signatures: bool) -> None:
        self._accounts = accounts
        self._public_url = public_url and public_url.rstrip("/")
        self._verify = verify_signatures

    async def read(self, request: Request) -> Mapping[str, str]:
        """The fields of a webhook that the account of its `AccountSid` has signed.

        Raises WrongSignature (403), UnsupportedMediaType, BadRequest.
        """
        body = await request.body()
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type == _FORM:
            signed = _form(body)
            given = dict(signed)
        elif content_type == "application/json":
            given, signed = _json(body), []
        else:
            raise UnsupportedMediaType(f"send {_FORM} or application/json, not {content_type or 'an unnamed type'}")
        fields = {name: storable(value) for name, value in given.items()}
        url, signature = self._url(request), request.headers.get("x-twilio-signature", "")

        def is_signed_with(auth_token: str) -> bool:
            return not self._verify or signing.verify(auth_token, url, signature, params=signed, body=body)

        if await self._accounts.recognise(fields.get("AccountSid", ""), is_signed_with) is None:
            raise WrongSignature("the request is not signed with the auth token of the account in AccountSid")
        return fields

    def _url(self, request: Request) -> str:
        """The URL as the provider called it, byte for byte: signatures cover it."""
        scope = request.scope
        base = self._public_url or f"{scope['scheme']}://{request.headers.get('host', '')}"
        query = scope["query_string"].decode("latin-1")
        return f"{base}{scope['raw_path'].decode('latin-1')}{'?' + query if query else ''}"


def storable(text: str) -> str:
    """The text without U+0000: Postgres cannot keep it, and no provider means anything by it."""
    return text.replace("\x00", "\ufffd")


def _form(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=1000)
    except (UnicodeDecodeError, ValueError) as error:
        raise BadRequest(f"the body is not a valid form: {error}") from error


def _json(body: bytes) -> dict[str, str]:
    """JSON with the form's names. Nested values (TranscriptionData) may be JSON themselves."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"(body): the body is not valid JSON ({error})") from error
    if not isinstance(value, dict):
        raise BadRequest("(body): a JSON object is expected")
    return {name: _text(field) for name, field in value.items() if field is not None}


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else orjson.dumps(value).decode()
