"""`orchestrator send`: messages and calls of phones that do not exist, and what became of them."""

from orchestrator.cli.send.command import send

__all__ = ["send"]
