"""The published OpenAPI file: `describe` makes it, `to_yaml` writes it."""

from orchestrator.openapi.document import describe, to_yaml

__all__ = ["describe", "to_yaml"]
