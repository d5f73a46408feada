"""`orchestrator conversations`: which there are, and what happened in one of them."""

from orchestrator.cli.conversations.command import conversations

__all__ = ["conversations"]
