"""`orchestrator doctor`: looks at a running instance and at what this machine knows of it, and says what is wrong."""

from orchestrator.cli.doctor.command import doctor

__all__ = ["doctor"]
