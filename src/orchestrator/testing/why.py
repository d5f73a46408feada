"""A trace in words."""

from collections.abc import Mapping
from typing import Any


def sentences(trace: Mapping[str, Any]) -> list[str]:
    """Why something landed where it did, or nowhere; at least one sentence."""
    if "reason" in trace:
        return [f"Not captured: {trace['reason']}."]
    rule = trace.get("rule")
    where = f"configuration {trace.get('configurationId')}"
    by = f"rule {rule['position']} ({rule['from']} to {rule['to']}) of {rule['channel']} in {where}" if rule else where
    return [f"Captured by {by}.", f"Outcome {trace.get('outcome')}, grouping key {trace.get('key')}."]
