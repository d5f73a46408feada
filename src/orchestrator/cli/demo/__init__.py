"""`orchestrator demo`: the grouping example of Twilio's documentation, played through the real ingress."""

from orchestrator.cli.demo.command import demo

__all__ = ["demo"]
