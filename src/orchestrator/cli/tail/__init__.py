"""`orchestrator tail`: the event log as it grows, shown, or handed on to a URL."""

from orchestrator.cli.tail.command import tail

__all__ = ["tail"]
