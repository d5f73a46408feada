"""Signed webhooks, each different, sent over keep-alive connections as fast as they are answered.

wrk sends them where it is installed, else `benchmarks.closed_loop` (Python, several times slower). Every thread of it
has one API process and one file of requests; the requests are made before the clock starts.
"""

import json
import math
import os
import random
import resource
import secrets
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_plus, urlencode

from benchmarks.world import OUR_NUMBER, World, phone
from orchestrator.kernel.signing import sign

ORIGIN = "https://orchestrator.bench"
PATH = "/ingest/twilio/messages"
_FASTEST = 15_000  # messages per second and process for which requests are prepared
_DRAIN = 1  # seconds for the last answers
_TEXTS = (
    "ok",
    "Thanks!",
    "Where is my parcel? It should have come yesterday.",
    "Hi, my parcel 4711 should have come yesterday. Can you tell me where it is?",
    "Yes, that is the right address: 12 Elm Street, second floor, the bell is broken so please knock.",
    "I have waited at home all day and nobody rang. The app says you came at 14:05. Please try again.",
)


@dataclass(frozen=True)
class Sent:
    """What the generator tells of one run."""

    sent: int
    answered: int
    errors: int
    p50: float
    p99: float
    cpu_seconds: float


def generator() -> str:
    """What sends the load."""
    return "wrk" if shutil.which("wrk") else "Python (wrk is not installed: expect lower figures)"


def send(world: World, ports: list[int], folder: Path, *, seconds: int, connections: int) -> Sent:
    """Prepare requests and send them for some seconds; returns when the last one is answered."""
    requests = _FASTEST * seconds
    for index in range(len(ports)):
        _write(folder / f"requests.{index}", world, requests)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "BENCH_PORTS": ",".join(map(str, ports)),
        "BENCH_FOLDER": str(folder),
        "BENCH_REQUESTS": str(requests),
        "BENCH_SECONDS": str(seconds),
        "BENCH_CONNECTIONS": str(connections),
        "BENCH_HOST": ORIGIN.partition("//")[2],
    }
    if wrk := shutil.which("wrk"):
        command = [wrk, "-t", str(len(ports)), "-c", str(connections), "-d", str(math.ceil(seconds) + _DRAIN)]
        command += ["--timeout", "60", "-s", str(Path(__file__).with_name("load.lua")), f"http://127.0.0.1:{ports[0]}"]
    else:
        command = [sys.executable, "-m", "benchmarks.closed_loop"]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode != 0 or not done.stdout.rstrip().endswith("}"):
        raise SystemExit(f"the load generator failed: {(done.stderr or done.stdout).strip()[-2000:]}")
    told = json.loads(done.stdout.rstrip().rpartition("\n")[2])
    if told["exhausted"]:
        raise SystemExit(f"more than {_FASTEST:,} messages/s and process: raise _FASTEST in {__file__}")
    for index in range(len(ports)):
        (folder / f"requests.{index}").unlink()
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Sent(told["sent"], told["answered"], told["errors"], told["p50"], told["p99"], spent)


def form(world: World, *, number: int, sid: str, text: str) -> dict[str, str]:
    """The fields of Twilio's webhook for an incoming SMS of a customer."""
    return {
        "ToCountry": "US",
        "ToState": "CA",
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "ToCity": "PALO ALTO",
        "FromZip": "94301",
        "SmsSid": sid,
        "FromState": "NY",
        "SmsStatus": "received",
        "FromCity": "NEW YORK",
        "Body": text,
        "FromCountry": "US",
        "To": OUR_NUMBER,
        "MessagingServiceSid": "MG00000000000000000000000000000001",
        "ToZip": "94301",
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": world.account_id,
        "From": phone(number),
        "ApiVersion": "2010-04-01",
    }


def _write(path: Path, world: World, count: int) -> None:
    """One line per request: the signature (28 characters) and the body."""
    sid, text, number = "SM" + "0" * 32, "T" * 32, 1
    template = form(world, number=number, sid=sid, text=text)
    body = urlencode(template).replace(sid, "{0}").replace(text, "{1}").replace(quote_plus(phone(number)), "{2}")
    signed = ORIGIN + PATH + "".join(name + value for name, value in sorted(template.items()))
    signed = signed.replace(sid, "{0}").replace(text, "{1}").replace(phone(number), "{2}")
    texts = [(text, quote_plus(text)) for text in _TEXTS]
    run = secrets.token_hex(12)
    with path.open("w") as file:
        for position in range(count):
            sid, (text, quoted) = f"SM{run}{position:08x}", texts[position % len(texts)]
            sender = phone(random.randrange(1, world.conversations + 1))
            signature = sign(world.auth_token, signed.format(sid, text, sender))
            file.write(f"{signature}{body.format(sid, quoted, quote_plus(sender))}\n")
