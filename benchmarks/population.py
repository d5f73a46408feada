"""A store full of customers behind a running service, and what can be asked of it; every answer is checked."""

import asyncio
import http.client
import json
import random
import secrets
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from urllib.parse import urlencode

from benchmarks import servers
from benchmarks.customers import Customer, count_of, fill
from benchmarks.load import ORIGIN, PATH, form
from benchmarks.world import World, new_world
from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.identity import recognition
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.signing import sign
from orchestrator.kernel.unit import Units
from orchestrator.memory import identity
from orchestrator.memory.identity import Subject

BATCH = 64
"""Customers recognised in one transaction: as many as the largest batch of messages may have."""
_QUIET = 10_000
_TEXT = "Hi, my parcel 4711 should have come yesterday. Can you tell me where it is?"


@dataclass
class Population:
    """A store that knows so many customers, and a service in front of it."""

    profiles: int
    world: World
    connection: http.client.HTTPConnection
    units: Units
    runner: asyncio.Runner
    quiet: list[int]
    """Customers who have not written yet, in no order."""
    sent: int = 0

    def anybody(self) -> Customer:
        return Customer(random.randint(1, self.profiles))

    def lookup(self) -> float:
        """Milliseconds of a Lookup over HTTP, by phone or by WhatsApp."""
        customer, world = self.anybody(), self.world
        id_type, value = random.choice([("phone", customer.phone), ("whatsapp", f"whatsapp:{customer.phone}")])
        body = json.dumps({"idType": id_type, "value": value}).encode()
        credentials = b64encode(f"{world.account_id}:{world.auth_token}".encode()).decode()
        headers = {"Content-Type": "application/json", "Authorization": f"Basic {credentials}"}
        took, answer = self._post(f"/v1/Stores/{world.store_id}/Profiles/Lookup", body, headers)
        if json.loads(answer) != {"normalizedValue": value, "profiles": [customer.profile_id]}:
            raise SystemExit(f"{value} is {customer.profile_id}, the answer was {answer.decode()}")
        return took

    def message(self) -> float:
        """Milliseconds of a message over HTTP from somebody who writes for the first time: a conversation opens."""
        if not self.quiet:
            raise SystemExit(f"all {self.profiles:,} customers have written: fewer rounds, or a larger store")
        line = Customer(self.quiet.pop()).line
        fields = form(self.world, number=line, sid="SM" + secrets.token_hex(16), text=_TEXT)
        signature = sign(self.world.auth_token, ORIGIN + PATH, fields.items())
        headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Twilio-Signature": signature}
        self.sent += 1
        return self._post(PATH, urlencode(fields).encode(), headers)[0]

    def batch(self) -> float:
        """Milliseconds of one transaction that recognises several customers, by SMS or by WhatsApp."""
        return self.runner.run(self._recognise())

    async def _recognise(self) -> float:
        wanted = {self._subject(customer): customer for customer in [self.anybody() for _ in range(BATCH)]}
        started = perf_counter()
        async with self.units.begin() as unit:
            found = await identity.recognise_or_create(unit, wanted)
        took = (perf_counter() - started) * 1000
        if wrong := [one for subject, one in wanted.items() if found[subject].profile_id != one.profile_id]:
            raise SystemExit(f"not recognised: {', '.join(one.phone for one in wrong)}")
        return took

    def _subject(self, customer: Customer) -> Subject:
        recognised_by = recognition(parse(random.choice([Channel.SMS, Channel.WHATSAPP]), customer.phone))
        assert recognised_by is not None
        return Subject(self.world.account_id, self.world.store_id, recognised_by)

    def _post(self, path: str, body: bytes, headers: dict[str, str]) -> tuple[float, bytes]:
        headers |= {"Host": ORIGIN.partition("//")[2]}
        started = perf_counter()
        self.connection.request("POST", path, body, headers)
        response = self.connection.getresponse()
        answer = response.read()
        took = (perf_counter() - started) * 1000
        if response.status != http.client.OK:
            raise SystemExit(f"{path} was answered {response.status}: {answer.decode()}")
        return took, answer

    def check(self) -> None:
        """End the program unless every message opened its conversation, and made no profile."""
        found = count_of(self.world, ["conversations", "communications", "profiles", "profile_identifiers"])
        if found != (wanted := [self.sent, self.sent, self.profiles, 2 * self.profiles]):
            raise SystemExit(f"conversations, communications, profiles, identifiers: {found} instead of {wanted}")


@contextmanager
def populated(profiles: int, runner: asyncio.Runner) -> Iterator[Population]:
    """A server, a store with so many profiles, an API process; all gone afterwards."""
    print(f"starting Postgres and writing {profiles:,} profiles", file=sys.stderr, flush=True)
    with new_world(conversations=0, callbacks=0) as world, tempfile.TemporaryDirectory() as folder:
        started = perf_counter()
        fill(world, profiles)
        print(f"written in {perf_counter() - started:.0f} s", file=sys.stderr, flush=True)
        engine = create_engine(world.dsn, pool_size=1)
        with servers.running(world, Path(folder), 1, worker=False) as [api]:
            connection = http.client.HTTPConnection("127.0.0.1", api.port)
            quiet = random.sample(range(1, profiles + 1), min(profiles, _QUIET))
            yield Population(profiles, world, connection, Units(engine, Clock()), runner, quiet)
            connection.close()
        runner.run(engine.dispose())
