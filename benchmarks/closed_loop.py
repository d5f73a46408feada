"""The load generator where wrk is not installed: the same files, the same figures. Started by `benchmarks.load`."""

import asyncio
import json
import os
import statistics
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from time import monotonic

import uvloop

_HEAD = (
    "POST /ingest/twilio/messages HTTP/1.1\r\nHost: {host}\r\nX-Twilio-Signature: {signature}\r\n"
    "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\nContent-Length: {length}\r\n\r\n{body}"
)


class Tally:
    """What was sent and what came back."""

    def __init__(self) -> None:
        self.sent = self.errors = self.exhausted = 0
        self.milliseconds: list[float] = []

    async def keep_sending(self, port: int, lines: Iterator[str], deadline: float) -> None:
        """One connection: the next request leaves when the last one is answered."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while (started := monotonic()) < deadline:
            line = next(lines, None)
            if line is None:
                self.exhausted = 1
                break
            self.sent += 1
            signature, body = line[:28], line[28:].rstrip("\n")
            head = _HEAD.format(host=os.environ["BENCH_HOST"], signature=signature, length=len(body), body=body)
            writer.write(head.encode())
            answer = await reader.readuntil(b"\r\n\r\n")
            length = answer.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            await reader.readexactly(int(length or 0))
            self.errors += not answer.startswith(b"HTTP/1.1 200")
            self.milliseconds.append((monotonic() - started) * 1000)
        writer.close()


async def main() -> None:
    ports = [int(port) for port in os.environ["BENCH_PORTS"].split(",")]
    each = int(os.environ["BENCH_CONNECTIONS"]) // len(ports)
    available = int(os.environ["BENCH_REQUESTS"])
    tally = Tally()
    deadline = monotonic() + float(os.environ["BENCH_SECONDS"])
    work = []
    for index, port in enumerate(ports):
        path = Path(os.environ["BENCH_FOLDER"], f"requests.{index}")
        lines = islice(path.open(), available)  # noqa: ASYNC230 - the process ends with it
        work += [tally.keep_sending(port, lines, deadline) for _ in range(each)]
    await asyncio.gather(*work)
    cuts = statistics.quantiles(tally.milliseconds, n=100)
    figures = {"sent": tally.sent, "answered": len(tally.milliseconds), "errors": tally.errors}
    print(json.dumps({**figures, "exhausted": tally.exhausted, "p50": cuts[49], "p99": cuts[98]}))


if __name__ == "__main__":
    uvloop.run(main())
