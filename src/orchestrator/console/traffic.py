"""Traffic over time: what came, where it landed, and how callbacks went."""

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.charts import Chart, lines, stacked
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage

router = APIRouter(prefix="/console/traffic", route_class=SignedIn, include_in_schema=False)

_STATISTICS = "/orchestrator/v1/Statistics"
_BY = {"MINUTE": "the last hour, by minute", "HOUR": "the last two days, by hour", "DAY": "the last 30 days, by day"}
_CHANNELS = ("SMS", "VOICE", "WHATSAPP", "RCS", "CHAT", "VIDEO", "EMAIL")
_LANDINGS = ("new", "joined", "reopened", "placed", "uncaptured")


@router.get("")
async def show_traffic(page: InPage) -> Response:
    by = page.query("by") or "MINUTE"
    found = await page.ask(_STATISTICS, by=by, to=page.query("to"), **{"from": page.query("from")})
    return await page.show(
        "traffic.html",
        found=found,
        charts=charts_of(found.body["buckets"]) if found.succeeded else [],
        spans=_BY,
        by=by,
    )


def charts_of(buckets: Sequence[Mapping[str, Any]]) -> list[Chart]:
    """The four charts of statistics."""
    times = [one["at"] for one in buckets]
    deliveries = [one["deliveries"] for one in buckets]
    used = [channel for channel in _CHANNELS if any(channel in one["channels"] for one in buckets)]
    return [
        stacked(
            "Communications",
            times,
            [(channel.lower(), channel) for channel in used],
            [{channel.lower(): one["channels"].get(channel, 0) for channel in used} for one in buckets],
        ),
        stacked("Where it landed", times, [(one, one) for one in _LANDINGS], [one["landings"] for one in buckets]),
        lines(
            "Time until delivered, in ms",
            times,
            [("p50", "half of them"), ("p95", "19 of 20")],
            [one["latency"] or {"p50": None, "p95": None} for one in deliveries],
        ),
        stacked(
            "Callbacks",
            times,
            [("delivered", "delivered"), ("failedAttempts", "failed attempts"), ("dead", "given up")],
            deliveries,
        ),
    ]
