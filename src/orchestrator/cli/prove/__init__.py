"""`orchestrator prove`: heavy traffic in disorder, and the counts afterwards that show that all of it was kept."""

from orchestrator.cli.prove.command import prove

__all__ = ["prove"]
