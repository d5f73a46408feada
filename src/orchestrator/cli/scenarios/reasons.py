"""Why a message landed where it did, in sentences: what a trace says."""

from collections.abc import Iterator
from typing import Any


def sentences(trace: dict[str, Any]) -> list[str]:
    """Sentences without a full stop, the most important one first."""
    return list(_sentences(trace))


def _sentences(trace: dict[str, Any]) -> Iterator[str]:
    if "reason" in trace:
        yield f"{trace['reason']}"
        return
    if rule := trace.get("rule"):
        yield f"captured by rule {rule['position']} of {rule['channel']}: {rule['from']} → {rule['to']}"
    if attribute := trace.get("attribute"):
        yield f"captured because its call says {attribute}"
    if profile := trace.get("profile"):
        by = profile.get("identifier")
        yield f"profile {profile['profileId']} {profile['outcome']}" + (
            f" by {by['idType']} {by['value']}" if by else ""
        )
    if key := trace.get("key"):
        yield f"grouped by {key}"
