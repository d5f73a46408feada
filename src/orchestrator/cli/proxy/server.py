"""The proxy itself: CONNECT on a loopback port, TLS with certificates of our own, plain HTTP/1.1 to the service."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from orchestrator.cli.proxy.authority import Authority
from orchestrator.cli.proxy.hosts import Hosts, split_authority
from orchestrator.cli.proxy.messages import LARGEST_HEAD, Head, Malformed, copy, copy_body, read_head, refusal
from orchestrator.cli.proxy.service import CONNECT_PATIENCE, Service

_CONNECTED = b"HTTP/1.1 200 Connection established\r\n\r\n"
_LINGER = 1
"""Seconds in which a client that was refused may finish what it sends; it would not read the answer otherwise."""
_BROKEN = (OSError, ssl.SSLError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, Malformed)
"""How a connection ends whose client or service does not keep to the rules. TimeoutError is an OSError."""


@dataclass
class Proxy:
    """Connections of clients, each with one to the service, which lasts as long."""

    authority: Authority
    hosts: Hosts
    service: Service
    tell: Callable[[str], None]
    """Is told of each host that was refused, once."""
    _refused: set[str] = field(default_factory=set)
    _connections: set["asyncio.Task[None]"] = field(default_factory=set)

    @asynccontextmanager
    async def listening(self, port: int) -> AsyncIterator[int]:
        """Serve on 127.0.0.1; yields the port, which is a free one for 0. Raises OSError."""
        server = await asyncio.start_server(self._accept, "127.0.0.1", port, limit=LARGEST_HEAD)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(reader, writer))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        async with _closing(writer):
            try:
                head = await read_head(reader)
                if head is not None:
                    await self._open(head, reader, writer)
            except Malformed as error:
                await _refuse(400, str(error), reader, writer)

    async def _open(self, head: Head, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the request that opens a connection, and do what it wants."""
        method, target, _ = head.line.split(" ")
        if method != "CONNECT":
            await _refuse(403, "only https goes through this proxy: no plain http", reader, writer)
            return
        try:
            host, port = split_authority(target)
        except ValueError as error:
            raise Malformed(str(error)) from error
        if self.hosts.leads_here(host) and port == 443:
            await self._terminate(host, reader, writer)
        elif self.hosts.leads_away(host):
            await _tunnel(host, port, reader, writer)
        else:
            await self._refuse_host(host, port, reader, writer)

    async def _refuse_host(
        self, host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        way_out = f"`--allow {host}` would admit it"
        if self.hosts.leads_here(host):
            way_out = "the service stands in for this host on port 443 alone"
        message = f"{host}:{port} is not reached through this proxy; {way_out}"
        if host not in self._refused and len(self._refused) < 100:
            self._refused.add(host)
            self.tell(message)
        await _refuse(403, message, reader, writer)

    async def _terminate(self, host: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_CONNECTED)
        await writer.start_tls(self.authority.context(host))
        head = await read_head(reader)
        if head is None:
            return
        try:
            there = await self.service.connect()
        except OSError as error:
            reason = str(error) or f"no answer within {CONNECT_PATIENCE} s"
            await _refuse(502, f"no service at {self.service.origin}: {reason}", reader, writer)
            return
        async with _closing(there[1]):
            await self._relay(host, head, (reader, writer), there)

    async def _relay(
        self,
        host: str,
        head: Head,
        here: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        there: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Hand requests on one after the other, and answers as the bytes that they are, both at once.

        It ends with the answers; or when the client is gone, which also ends answers that would last for ever.
        """
        answers = asyncio.create_task(copy(there[0], here[1]))
        requests = asyncio.create_task(self._send(host, head, here[0], there[1]))
        try:
            await asyncio.wait({answers, requests}, return_when=asyncio.FIRST_COMPLETED)
            if requests.done() and isinstance(requests.exception(), OSError) and here[0].exception() is None:
                await answers  # the service wants no more of this request, and may have said why
        finally:
            answers.cancel()
            requests.cancel()
            await asyncio.gather(answers, requests, return_exceptions=True)

    async def _send(
        self, host: str, head: Head | None, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        while head is not None:
            writer.write(self.service.addressed(head, host).encode())
            await copy_body(head, reader, writer)
            await writer.drain()
            head = await read_head(reader)


@asynccontextmanager
async def _closing(writer: asyncio.StreamWriter) -> AsyncIterator[None]:
    """What is written is sent within a moment, and then the connection is over, also if the other side is not there."""
    try:
        with contextlib.suppress(*_BROKEN):
            yield
        writer.close()
        with contextlib.suppress(*_BROKEN):
            async with asyncio.timeout(_LINGER):
                await writer.wait_closed()
    finally:
        writer.transport.abort()


async def _tunnel(host: str, port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Join a client with an allowed host; what they say to each other is theirs."""
    try:
        async with asyncio.timeout(CONNECT_PATIENCE):
            there = await asyncio.open_connection(host, port, limit=LARGEST_HEAD)
    except OSError as error:
        await _refuse(502, f"{host}:{port} cannot be reached: {error}", reader, writer)
        return
    writer.write(_CONNECTED)
    async with _closing(there[1]):
        await asyncio.gather(_copy_to_end(reader, there[1]), _copy_to_end(there[0], writer))


async def _copy_to_end(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await copy(reader, writer)
    writer.write_eof()


async def _refuse(status: int, message: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(refusal(status, message))
    await writer.drain()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_LINGER):
            while await reader.read(LARGEST_HEAD):
                pass
