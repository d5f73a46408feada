"""The figures of a run, for people and for programs."""

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.usage import Usage
from benchmarks.world import CONVERSATION_UPDATES

CEILING = "pgbench, one commit per message"


@dataclass
class Report:
    """What was measured, by variant, in the order of the rounds."""

    settings: Mapping[str, Any]
    usages: dict[str, list[Usage]] = field(default_factory=dict)
    rows: dict[str, dict[str, int]] = field(default_factory=dict)
    """Rows that appeared, by variant and table."""
    sizes: dict[str, Mapping[str, float]] = field(default_factory=dict)
    """Average bytes of a row, by variant and table."""
    hot_updates: float | None = None
    """Share of the updates of conversations that touched no index."""

    def add(self, variant: str, usage: Usage, appeared: Mapping[str, int]) -> None:
        """Keep one measurement. Ends the program unless the database holds exactly what was acknowledged."""
        self.usages.setdefault(variant, []).append(usage)
        rows = self.rows.setdefault(variant, {})
        for table, count in appeared.items():
            rows[table] = rows.get(table, 0) + count
        once = ("receipts", "communications", "events", CONVERSATION_UPDATES)
        wanted = dict.fromkeys(once, usage.count) | {"deliveries": usage.count * self.settings["callbacks"]}
        wrong = {
            table: (count, wanted.get(table, 0)) for table, count in appeared.items() if count != wanted.get(table, 0)
        }
        if wrong:
            told = ", ".join(f"{count} rows of {table} instead of {want}" for table, (count, want) in wrong.items())
            raise SystemExit(f"{variant}: {usage.count} messages were acknowledged, but there are {told}")

    def per_message(self, variant: str) -> dict[str, float]:
        """Rows of each table per message."""
        messages = sum(usage.count for usage in self.usages[variant])
        return {table: count / messages for table, count in self.rows[variant].items()}

    def text(self) -> str:
        """Tables."""
        return "\n\n".join([self._head(), self._rates(), self._row_table(), self._verdict()])

    def json(self) -> str:
        """The same and every single measurement."""
        return json.dumps(
            {
                "settings": self.settings,
                "machine": _machine(),
                "variants": [
                    {
                        "name": variant,
                        "ratio": self._ratio(variant),
                        "median": vars(_median(usages)),
                        "runs": [vars(usage) for usage in usages],
                        "rowsPerMessage": self.per_message(variant),
                        "bytesPerRow": self.sizes.get(variant, {}),
                    }
                    for variant, usages in self.usages.items()
                ],
                "hotUpdates": self.hot_updates,
            },
            indent=2,
        )

    def _head(self) -> str:
        machine, given = ", ".join(f"{value}" for value in _machine().values()), self.settings
        return (
            f"{machine}\n{given['conversations']:,} open conversations, {given['callbacks']} status callback(s), "
            f"{given['connections']} connections, {given['rounds']} x {given['seconds']} s interleaved, load by "
            f"{given['generator']}, worker {'on' if given['worker'] else 'off'}\n"
            "Medians. Ratio: to the ceiling of the same round. API, Postgres, generator: share of a core, per message."
        )

    def _rates(self) -> str:
        names = f"{'':<32}{'messages/s':>11}{'range':>17}{'ratio':>7}{'p50 ms':>8}{'p99 ms':>8}{'batch':>7}"
        lines = [names + "".join(f"{name:>16}" for name in ("API", "Postgres", "generator"))]
        for variant, usages in self.usages.items():
            middle, rates = _median(usages), [usage.rate for usage in usages]
            span = f"{min(rates):,.0f} - {max(rates):,.0f}"
            costs = "".join(f"{_cost(middle, name):>16}" for name in _CPU)
            batch = f"{middle.batch:.1f}" if middle.batch else ""
            lines.append(
                f"{variant:<32}{middle.rate:>11,.0f}{span:>17}{self._ratio(variant):>7.2f}{middle.p50:>8.1f}"
                f"{middle.p99:>8.1f}{batch:>7}{costs}"
            )
        return "\n".join(lines)

    def _row_table(self) -> str:
        variants = list(self.usages)
        lines = ["rows per message (bytes per row)" + "".join(f"{variant[:20]:>24}" for variant in variants)]
        for table in self.rows[variants[0]]:
            counts = [self.per_message(variant)[table] for variant in variants]
            if not any(counts):
                continue
            sizes = [self.sizes.get(variant, {}).get(table) for variant in variants]
            cells = [
                f"{count:.3f}" + (f" ({size:.0f})" if size else "") for count, size in zip(counts, sizes, strict=True)
            ]
            lines.append(f"{table:<32}" + "".join(f"{cell:>24}" for cell in cells))
        return "\n".join([*lines, "every other table: none"])

    def _verdict(self) -> str:
        messages = sum(usage.count for usages in self.usages.values() for usage in usages)
        hot = "" if self.hot_updates is None else f" {self.hot_updates:.1%} of the conversations' updates were HOT."
        return (
            f"Rows were counted after each of the runs: exactly those of the {messages:,} acknowledged messages.{hot}"
        )

    def _ratio(self, variant: str) -> float:
        """To the ceiling of the same round, because the machine is not the same from one minute to the next."""
        ceilings = [usage.rate for usage in self.usages[CEILING]]
        return statistics.median(
            usage.rate / ceiling for usage, ceiling in zip(self.usages[variant], ceilings, strict=True)
        )


_CPU = ("api", "postgres", "generator")


def _cost(usage: Usage, process: str) -> str:
    """Share of a core, and microseconds of it per message."""
    if process not in usage.cpu:
        return ""
    return f"{usage.cpu[process]:.0%} {usage.cpu[process] / usage.rate * 1e6:,.0f} µs"


def _median(usages: Sequence[Usage]) -> Usage:
    batches = [usage.batch for usage in usages if usage.batch is not None]
    return Usage(
        count=sum(usage.count for usage in usages),
        rate=statistics.median(usage.rate for usage in usages),
        p50=statistics.median(usage.p50 for usage in usages),
        p99=statistics.median(usage.p99 for usage in usages),
        cpu={name: statistics.median(usage.cpu[name] for usage in usages) for name in usages[0].cpu},
        batch=statistics.median(batches) if batches else None,
    )


def _machine() -> dict[str, str]:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    load = f"load {os.getloadavg()[2]:.1f} over the last 15 minutes"
    return {"system": platform.platform(), "cores": f"{cores} cores", "python": platform.python_version(), "load": load}
