"""Statistics as the API shows them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import Field
from pydantic.config import JsonDict

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.openapi import Wire
from orchestrator.statistics.counting import MOST_COUNTED, Counts, number_of
from orchestrator.statistics.span import By, Span

_TIME: JsonDict = {"format": "date-time"}


class LandingCounts(Wire):
    """What became of messages and fragments."""

    new: int = Field(description="Opened a conversation.")
    joined: int
    reopened: int = Field(description="Woke an INACTIVE conversation up.")
    placed: int = Field(description="Put into a conversation by a caller of the API, or sent by an action.")
    uncaptured: int


class Latency(Wire):
    """From event to success."""

    p50: float = Field(description="Milliseconds; half of the deliveries were faster.")
    p95: float = Field(description="Milliseconds; all but one of twenty were faster.")


class DeliveryCounts(Wire):
    """How callbacks went."""

    delivered: int = Field(description="Deliveries that succeeded then.")
    dead: int = Field(description="Deliveries that were given up then.")
    failed_attempts: int
    latency: Latency | None = Field(description="Of those that succeeded for the first time; null without any.")


class StatisticsBucket(Wire):
    """One minute, hour or day."""

    at: str = Field(description="When it begins.", json_schema_extra=_TIME)
    communications: int
    channels: dict[str, int] = Field(description="Communications by channel; only those that have any.")
    landings: LandingCounts
    deliveries: DeliveryCounts


class StatisticsResource(Wire):
    """What happened in a span of time, in pieces of one length."""

    from_: str = Field(alias="from", description="When the first piece begins.", json_schema_extra=_TIME)
    to: str = Field(description="When the last piece ends.", json_schema_extra=_TIME)
    by: By
    buckets: list[StatisticsBucket] = Field(description="Oldest first; none is left out.")
    is_complete: bool = Field(
        description=f"False when the span has more than the newest {MOST_COUNTED:,} communications, which are counted."
    )


def to_wire(span: Span, counts: Counts) -> dict[str, Any]:
    said: dict[int, list[Any]] = defaultdict(list)
    for row in counts.said:
        said[number_of(row)].append(row)
    uncaptured, settled, failed = (_by_piece(rows) for rows in (counts.uncaptured, counts.settled, counts.failed))
    return {
        "from": rest_time(span.begin),
        "to": rest_time(span.end),
        "by": span.by,
        "buckets": [
            {
                "at": rest_time(span.at(number)),
                "communications": sum(row["count"] for row in said[number]),
                "channels": _summed(said[number], "channel"),
                "landings": _landings(said[number], uncaptured.get(number)),
                "deliveries": _deliveries(settled.get(number), failed.get(number)),
            }
            for number in span.numbers
        ],
        "isComplete": counts.is_complete,
    }


def _by_piece(rows: Iterable[Any]) -> dict[int, Any]:
    return {number_of(row): row for row in rows}


def _summed(rows: Sequence[Any], name: str) -> dict[str, int]:
    found: dict[str, int] = defaultdict(int)
    for row in rows:
        found[row[name]] += row["count"]
    return dict(sorted(found.items()))


def _landings(said: Sequence[Any], uncaptured: Mapping[str, Any] | None) -> dict[str, int]:
    counted = _summed(said, "outcome")
    names = {"NEW": "new", "JOINED": "joined", "REOPENED": "reopened", "PLACED": "placed"}
    landings = {wire: counted.get(outcome, 0) for outcome, wire in names.items()}
    return {**landings, "uncaptured": uncaptured["count"] if uncaptured else 0}


def _deliveries(settled: Mapping[str, Any] | None, failed: Mapping[str, Any] | None) -> dict[str, Any]:
    latencies = settled["latencies"] if settled else None
    return {
        "delivered": settled["delivered"] if settled else 0,
        "dead": settled["dead"] if settled else 0,
        "failedAttempts": failed["count"] if failed else 0,
        "latency": latencies and dict(zip(("p50", "p95"), (round(one, 1) for one in latencies), strict=True)),
    }
