"""The benchmark's database: an embedded Postgres of its own, one account, and conversations that are already open.

Everything is numbered, so that the ceiling and the service can both address customer `n` without asking first: phone
number, profile and conversation follow from `n`.
"""

import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import asyncpg
import uvloop

from orchestrator.accounts import service as accounts
from orchestrator.configurations import service as configurations
from orchestrator.configurations.schemas import CreateConfigurationRequest
from orchestrator.kernel.clock import Clock
from orchestrator.kernel.db import create_engine
from orchestrator.kernel.ids import MEMORY_STORE, new_id
from orchestrator.kernel.migrations import migrate
from orchestrator.kernel.postgres import EmbeddedPostgres
from orchestrator.kernel.secrets import SecretBox
from orchestrator.kernel.unit import Units

OUR_NUMBER = "+16505550199"
SECRET_KEY = "a key for benchmarks"
TABLES = (
    *("receipts", "communications", "events", "deliveries", "uncaptured"),
    *("conversations", "conversation_keys", "participants", "participant_addresses"),
    *("profiles", "profile_identifiers", "profile_traits"),
)
CONVERSATION_UPDATES = "conversations, updates"
_CALLBACK = "http://127.0.0.1:9/events?callback={}"  # recorded, never sent: the worker is off

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class World:
    """What a run works on."""

    dsn: str
    postgres_pid: int
    account_id: str
    auth_token: str
    configuration_id: str
    store_id: str
    conversations: int
    callbacks: int

    def ask(self, question: Callable[["asyncpg.Connection[asyncpg.Record]"], Awaitable[Answer]]) -> Answer:
        """Put a question to the database over a connection of its own."""

        async def put() -> Answer:
            connection = await asyncpg.connect(self.dsn)
            try:
                return await question(connection)
            finally:
                await connection.close()

        return uvloop.run(put())

    def rows(self) -> dict[str, int]:
        """The rows of each table. Updates of conversations are told by their event counters, which move by one."""
        counts = ", ".join(f"(select count(*) from {table}) as {table}" for table in TABLES)
        total = f'(select sum(event_sequence)::bigint from conversations) as "{CONVERSATION_UPDATES}"'
        row = self.ask(lambda connection: connection.fetchrow(f"select {counts}, {total}"))
        assert row is not None
        return dict(row)

    def time(self) -> datetime:
        """The server's clock."""
        found: datetime = self.ask(lambda connection: connection.fetchval("select clock_timestamp()"))
        return found

    def row_sizes(self, since: datetime) -> dict[str, float]:
        """Average bytes of the rows written since, where a table tells when that was."""
        moments = {"receipts": "received_at", "communications": "created_at", "events": "occurred_at"}
        if self.callbacks:
            moments["deliveries"] = "created_at"
        sizes = ", ".join(
            f"(select avg(pg_column_size(t.*))::float from {table} t where {moment} >= $1) as {table}"
            for table, moment in moments.items()
        )
        row = self.ask(lambda connection: connection.fetchrow(f"select {sizes}", since))
        assert row is not None
        return dict(row)

    def hot_updates(self) -> float | None:
        """Share of the updates of conversations that touched no index."""
        query = "select n_tup_hot_upd::float / nullif(n_tup_upd, 0) from pg_stat_user_tables where relname = $1"
        share: float | None = self.ask(lambda connection: connection.fetchval(query, "conversations"))
        return share

    def checkpoint(self) -> None:
        """Let every measurement start with an empty log, so that none of them pays for the one before."""
        self.ask(lambda connection: connection.execute("checkpoint"))


@contextmanager
def new_world(*, conversations: int, callbacks: int) -> Iterator[World]:
    """Start a server in a temporary folder, migrate and fill it; both are gone afterwards."""
    with (
        tempfile.TemporaryDirectory(prefix="orchestrator-bench-", ignore_cleanup_errors=True) as folder,
        EmbeddedPostgres(Path(folder)) as postgres,
    ):
        postgres.ensure_database()
        assert postgres.pid is not None
        yield uvloop.run(_filled(postgres.dsn(), postgres.pid, conversations, callbacks))


async def _filled(dsn: str, postgres_pid: int, conversations: int, callbacks: int) -> World:
    engine = create_engine(dsn, pool_size=2)
    await migrate(engine)
    store_id = new_id(MEMORY_STORE)
    async with Units(engine, Clock()).begin() as unit:
        account = await accounts.create_account(unit, SecretBox(SECRET_KEY), name="benchmark")
        wanted = CreateConfigurationRequest.model_validate(_configuration(store_id, callbacks))
        operation = await configurations.create(unit, account.account_id, wanted, allow_insecure=True)
        assert operation.related is not None
        configuration_id = str(operation.related["configurationId"])
        for statement in _SEED.split(";\n"):
            arguments = (account.account_id, store_id, configuration_id, OUR_NUMBER, conversations, unit.now)
            await unit.driver.execute(_ARGUMENTS + statement, *arguments)
    await engine.dispose()
    world = World(
        dsn, postgres_pid, account.account_id, account.auth_token, configuration_id, store_id, conversations, callbacks
    )
    connection = await asyncpg.connect(dsn)
    await connection.execute("vacuum (analyze)")
    await connection.close()
    return world


def _configuration(store_id: str, callbacks: int) -> dict[str, object]:
    rules = [{"from": OUR_NUMBER, "to": "*"}, {"from": "*", "to": OUR_NUMBER}]
    return {
        "displayName": "Benchmark",
        "description": "Captures what is sent to one number",
        "conversationGroupingType": "GROUP_BY_PROFILE",
        "memoryStoreId": store_id,
        "channelSettings": {
            channel: {"statusTimeouts": {"inactive": 600, "closed": 1200}, "captureRules": rules}
            for channel in ("SMS", "VOICE", "WHATSAPP")
        },
        "statusCallbacks": [{"url": _CALLBACK.format(number)} for number in range(callbacks)],
    }


def phone(number: int) -> str:
    """The phone number of a customer."""
    return f"+1555{number:07d}"


# Ids end in the customer's number; a participant's is even for the customer and odd for us.
_ARGUMENTS = """
with given (account_id, store_id, configuration_id, ours, moment) as (
  select $1::text, $2::text, $3::text, $4::text, $6::timestamptz
), customer as (
  select n, '+1555' || lpad(n::text, 7, '0') as phone, 'mem_profile_' || lpad(n::text, 26, '0') as profile_id,
         'conv_conversation_' || lpad(n::text, 26, '0') as conversation_id, given.*
  from given, generate_series(1, $5::int) n
), party as (
  select customer.*, side, 'conv_participant_' || lpad((2 * n + side)::text, 26, '0') as participant_id,
         case side when 0 then phone else ours end as address
  from customer, generate_series(0, 1) side
)
"""
_SEED = """
insert into profiles (account_id, store_id, id, created_at)
select account_id, store_id, profile_id, moment from customer;
insert into profile_traits (account_id, store_id, profile_id, trait_group, name, value, updated_at)
select account_id, store_id, profile_id, 'Contact', 'phone', to_jsonb(phone), moment from customer;
insert into profile_identifiers (account_id, store_id, id_type, value, profile_id, is_unique, created_at)
select account_id, store_id, 'phone', phone, profile_id, true, moment from customer;
insert into conversations (account_id, id, configuration_id, configuration_version, status, channel_activity,
                           next_transition_at, event_sequence, created_at, updated_at)
select account_id, conversation_id, configuration_id, 1, 'ACTIVE', jsonb_build_object('SMS', moment),
       moment + interval '10 hours', 0, moment, moment from customer;
insert into conversation_keys (account_id, configuration_id, key, conversation_id)
select account_id, configuration_id, 'profile ' || profile_id, conversation_id from customer;
insert into participants (account_id, conversation_id, id, name, type, profile_id, created_at, updated_at)
select account_id, conversation_id, participant_id, address, case side when 0 then 'CUSTOMER' else 'AGENT' end,
       case side when 0 then profile_id end, moment, moment from party;
insert into participant_addresses (account_id, conversation_id, channel, canonical, participant_id, address, added_at)
select account_id, conversation_id, 'SMS', address, participant_id, address, moment from party
"""
