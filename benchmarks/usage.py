"""Processor time by process, and what one measurement yields."""

import os
from dataclasses import dataclass, field
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """One measurement."""

    count: int
    """Messages written, the last ones included."""
    rate: float
    """Messages per second."""
    p50: float
    """Milliseconds."""
    p99: float
    cpu: dict[str, float] = field(default_factory=dict)
    """Cores in use: `api`, `postgres`, `generator`."""
    batch: float | None = None
    """Messages per ingest transaction, on average."""


def process_seconds(pid: int, *, with_children: bool = False) -> float:
    """Processor seconds of a process so far, and of the children that it has reaped."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0.0  # it ended meanwhile; its parent has the time
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11 : 15 if with_children else 13])) / _TICK


def postgres_seconds(pid: int) -> float:
    """Processor seconds of a server: its main process, its sessions, and those that have ended."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except FileNotFoundError:
        children = []
    return process_seconds(pid, with_children=True) + sum(process_seconds(int(child)) for child in children)
