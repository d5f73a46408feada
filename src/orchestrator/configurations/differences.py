"""What differs between two versions, as their reader means it: a field that says nothing is not there.

Stored settings are complete: what was left out is null, an empty list, false, or the latest closing time there is.
"""

from collections.abc import Mapping
from typing import Any

from orchestrator.configurations.channels import LONGEST_TIMEOUT
from orchestrator.domain.differences import Change, changes

_UNSAID: dict[str, Any] = {"memoryExtractionEnabled": False, "closed": LONGEST_TIMEOUT}
"""What stands for a field that was left out, beside null and an empty list."""


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """What leads from the settings of one version to those of another."""
    return changes(said(before), said(after))


def said(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without what says nothing. A channel stays, even if there is nothing in it."""
    return {
        name: said(value) if isinstance(value, Mapping) else value
        for name, value in settings.items()
        if value is not None and value != [] and (name not in _UNSAID or value != _UNSAID[name])
    }
