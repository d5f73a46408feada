"""`orchestrator deliveries` and `orchestrator redeliver`: what was sent to callbacks, and all of it once more."""

from orchestrator.cli.deliveries.command import deliveries
from orchestrator.cli.deliveries.redeliver import redeliver

__all__ = ["deliveries", "redeliver"]
