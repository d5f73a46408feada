"""HTTP/1.1 as far as the proxy has to understand it: heads of requests, where their bodies end, short answers."""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus

from orchestrator.kernel.errors import error_body

LARGEST_HEAD = 64 * 1024
"""Bytes; also of a chunk's head, and of what is held in memory while the other side is slow."""


class Malformed(Exception):
    """What the client sends is not HTTP/1.1."""


@dataclass(frozen=True)
class Head:
    """The first line of a request, and its fields in their order and spelling."""

    line: str
    fields: tuple[tuple[str, str], ...]

    def values(self, name: str) -> list[str]:
        """All values of a field, whose name is given in small letters."""
        return [value for known, value in self.fields if known.lower() == name]

    def with_fields(self, **given: str) -> "Head":
        """The head with these fields in place of any others of their names; `_` stands for `-`."""
        added = {name.replace("_", "-"): value for name, value in given.items()}
        kept = [(name, value) for name, value in self.fields if name.lower() not in {one.lower() for one in added}]
        return Head(self.line, (*kept, *added.items()))

    def encode(self) -> bytes:
        lines = [self.line, *(f"{name}: {value}" for name, value in self.fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head; None when the client has closed the connection before one. Raises Malformed."""
    try:
        text = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    except asyncio.LimitOverrunError as error:
        raise Malformed("the head of the request is too long") from error
    line, *rest = text.decode("latin-1").strip("\r\n").split("\r\n")
    fields = [field.partition(":") for field in rest]
    if len(line.split(" ")) != 3 or any(not colon or name != name.strip() for name, colon, _ in fields):
        raise Malformed("this is not a request in HTTP/1.1")
    return Head(line, tuple((name, value.strip()) for name, _, value in fields))


async def copy_body(head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on the body that follows a head, as it comes. Raises Malformed."""
    codings, lengths = head.values("transfer-encoding"), head.values("content-length")
    if codings:
        if lengths or [coding.lower() for coding in codings] != ["chunked"]:
            raise Malformed("nobody can tell where the request's body ends")
        await _copy_chunks(reader, writer)
    elif lengths:
        if len(lengths) > 1:
            raise Malformed("the request's body has two lengths")
        await _copy_exactly(_number(lengths[0], base=10), reader, writer)


async def _copy_chunks(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while True:
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
        size = _number(line.partition(b";")[0].strip().decode("latin-1"), base=16)
        if size == 0:
            break
        await _copy_exactly(size + len(b"\r\n"), reader, writer)
    while line != b"\r\n":  # fields may follow the last chunk
        line = await reader.readuntil(b"\r\n")
        writer.write(line)
    await writer.drain()


async def _copy_exactly(count: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while count:
        piece = await reader.read(min(count, LARGEST_HEAD))
        if not piece:
            raise Malformed("the request ends within its body")
        count -= len(piece)
        writer.write(piece)
        await writer.drain()


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on bytes as they come, until there are no more."""
    while piece := await reader.read(LARGEST_HEAD):
        writer.write(piece)
        await writer.drain()


def refusal(status: int, message: str) -> bytes:
    """A whole answer with Twilio's error body, after which the connection ends."""
    body = json.dumps(error_body(status, 20000 + status, message)).encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    return head.encode() + body


def _number(text: str, *, base: int) -> int:
    try:
        if not text.isalnum():  # Python's own notation knows signs and underscores
            raise ValueError
        return int(text, base)
    except ValueError as error:
        raise Malformed(f"not a length: {text[:20]}") from error
