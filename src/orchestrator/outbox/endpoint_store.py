"""Statements on the health of endpoints. Nothing is written while an endpoint answers, but once a day that it does."""

from collections.abc import Collection, Mapping
from dataclasses import astuple
from datetime import datetime

from orchestrator.domain.pausing import Health, News, Pausing
from orchestrator.kernel.unit import Unit
from orchestrator.outbox.flow import Endpoint

_HEALTH = "failures, first_failure_at, last_failure_at, last_error, pauses, paused_at, paused_until, probing"


async def begin_probes(unit: Unit, endpoints: Collection[Endpoint], until: datetime) -> set[Endpoint]:
    """Those of the endpoints that this worker may try with one delivery, because their pause is over.

    For everybody else they are paused until then.
    """
    rows = await unit.driver.fetch(
        """
        update callback_endpoints e set probing = true, paused_until = $3
        where (e.account_id, e.url) in (
          select account_id, url from callback_endpoints
          where (account_id, url) in (select * from unnest($1::text[], $2::text[])) and paused_until <= $4
          order by account_id, url
          for no key update skip locked
        )
        returning e.account_id, e.url
        """,
        *_columns(endpoints),
        until,
        unit.now,
    )
    return {(row["account_id"], row["url"]) for row in rows}


async def note(unit: Unit, news: Mapping[Endpoint, News], pausing: Pausing) -> list[tuple[Endpoint, Health]]:
    """Write down what has come of attempts; returns the endpoints whose pause begins or ends by it, as they are now."""
    known = await _troubled(unit, news)
    changed = dict[Endpoint, Health]()
    turned = list[tuple[Endpoint, Health]]()
    for endpoint, told in news.items():
        before = known.get(endpoint, Health())
        after = before.after(told, unit.now, pausing)
        if after != before:
            changed[endpoint] = after
        if after.pauses != before.pauses:
            turned.append((endpoint, after))
    if changed:
        await _write(unit, changed)
    return turned


async def _troubled(unit: Unit, news: Mapping[Endpoint, News]) -> dict[Endpoint, Health]:
    """What is known of the endpoints that fail, now or until now; locked in one order for all."""
    rows = await unit.driver.fetch(
        f"""
        select account_id, url, {_HEALTH} from callback_endpoints known
        join unnest($1::text[], $2::text[], $3::boolean[]) as news (account_id, url, failed) using (account_id, url)
        where failed or known.failures > 0 or known.paused_until is not null
        order by account_id, url
        for no key update of known
        """,  # noqa: S608 - constants
        *_columns(news),
        [told.failures > 0 for told in news.values()],
    )
    return {(row["account_id"], row["url"]): Health(*list(row.values())[2:]) for row in rows}


async def _write(unit: Unit, changed: Mapping[Endpoint, Health]) -> None:
    endpoints = sorted(changed)
    health = zip(*(astuple(changed[endpoint]) for endpoint in endpoints), strict=True)
    await unit.driver.execute(
        f"""
        insert into callback_endpoints (account_id, url, created_at, last_used_at, {_HEALTH})
        select account_id, url, $3::timestamptz, $3::timestamptz, {_HEALTH}
        from unnest($1::text[], $2::text[], $4::int[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[],
                    $9::timestamptz[], $10::timestamptz[], $11::boolean[]) as changed (account_id, url, {_HEALTH})
        on conflict (account_id, url) do update set ({_HEALTH}) = (
          excluded.failures, excluded.first_failure_at, excluded.last_failure_at, excluded.last_error,
          excluded.pauses, excluded.paused_at, excluded.paused_until, excluded.probing)
        """,  # noqa: S608 - constants
        *_columns(endpoints),
        unit.now,
        *(list(column) for column in health),
    )


async def used(unit: Unit, endpoints: Collection[Endpoint]) -> None:
    """Have the endpoints known, and known to be in use."""
    await unit.driver.execute(
        """
        insert into callback_endpoints (account_id, url, created_at, last_used_at)
        select account_id, url, $3::timestamptz, $3::timestamptz
        from unnest($1::text[], $2::text[]) as used (account_id, url)
        on conflict (account_id, url) do update set last_used_at = excluded.last_used_at
        """,
        *_columns(sorted(endpoints)),
        unit.now,
    )


def _columns(endpoints: Collection[Endpoint]) -> tuple[list[str], list[str]]:
    return [account_id for account_id, _ in endpoints], [url for _, url in endpoints]
