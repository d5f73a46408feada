"""Compressed request bodies: unpacked before the route reads them, and never beyond the limit of bodies."""

import zlib
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response
from starlette.types import Message

from orchestrator.kernel.errors import BadRequest, PayloadTooLarge, UnsupportedMediaType
from orchestrator.kernel.http import ApiRoute

CODINGS = ("gzip", "deflate")
"""What `Content-Encoding` may say (contract: memory.md 1.2, which has br and compress besides)."""

_GZIP, _ZLIB, _RAW = 31, 15, -15
"""zlib's `wbits` for each container."""


class _UnpackingRoute(APIRoute):
    """Unpacks the body, once `ApiRoute` has seen who asks: nobody else can make the service work for it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def unpacking(request: Request) -> Response:
            return await handle(await _unpacked(request))

        return unpacking


class CompressibleRoute(ApiRoute, _UnpackingRoute):
    """A JSON route of the public API whose request body may be compressed."""


async def _unpacked(request: Request) -> Request:
    coding = ",".join(request.headers.getlist("content-encoding")).strip().lower()
    if coding in ("", "identity") or request.method not in {"POST", "PUT", "PATCH"}:
        return request
    if coding not in CODINGS:
        raise UnsupportedMediaType(
            f"Content-Encoding must be one of {', '.join(CODINGS)}, or absent",
            params={"field": "Content-Encoding", "value": coding[:200]},
            headers={"Accept-Encoding": ", ".join(CODINGS)},
        )
    body = unpacked(await request.body(), coding, max_bytes=request.app.state.settings.max_body_bytes)

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return Request(request.scope, receive)


def unpacked(body: bytes, coding: str, *, max_bytes: int) -> bytes:
    """The body as it was before `coding`, one of CODINGS; a JSON object that was not compressed is taken as it is.

    That is what twilio-python 9.13 sends when it is given a `content_encoding`: the header, and no compression.
    Raises PayloadTooLarge once more than `max_bytes` have come out, however few went in, and BadRequest for a body
    that is not what the header says, breaks off, or goes on after its end.
    """
    stream = zlib.decompressobj(_window(body, coding))
    try:
        content = stream.decompress(body, max_bytes + 1)
    except zlib.error:
        content = b""
    if len(content) > max_bytes:
        raise PayloadTooLarge(f"a request body has at most {max_bytes} bytes, uncompressed")
    if stream.eof and not stream.unused_data:
        return content
    if body.lstrip().startswith(b"{"):
        return body
    raise BadRequest(f"the body is not {coding}, which Content-Encoding says, or it is not whole")


def _window(body: bytes, coding: str) -> int:
    if coding == "gzip":
        return _GZIP
    # HTTP's deflate is the zlib container (RFC 9110 8.4.1.2), but many senders leave the container out.
    is_zlib = len(body) > 1 and body[0] & 0x0F == zlib.DEFLATED and int.from_bytes(body[:2]) % 31 == 0
    return _ZLIB if is_zlib else _RAW
