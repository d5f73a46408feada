"""`orchestrator proxy`: runs a program, in any language, so that what it sends to Twilio arrives here."""

from orchestrator.cli.proxy.command import proxy

__all__ = ["proxy"]
