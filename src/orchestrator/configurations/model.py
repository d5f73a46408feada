"""A configuration as the services see it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from orchestrator.domain.configuration import Settings


@dataclass(frozen=True, slots=True)
class Configuration:
    """One version of a configuration; versions never change, so their bodies are shared: read them only."""

    account_id: str
    id: str
    version: int
    body: Mapping[str, Any]
    """The settings in the API's JSON form, complete: as stored and as answered."""
    settings: Settings
    """The same settings as values."""
    created_at: datetime
    """Of the configuration, not of the version."""
    updated_at: datetime
