"""Parsed versions, kept in the process: a version never changes, so what was read once stays true."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from orchestrator.configurations import store
from orchestrator.domain.configuration import Settings, settings_from_wire
from orchestrator.kernel.unit import Unit

Key = tuple[str, str, int]
"""Account, configuration, version."""

_CAPACITY = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Version:
    """What one version says, as JSON and as values."""

    body: Mapping[str, Any]
    settings: Settings
    size: int
    """Characters of the stored JSON: what the version weighs in the cache."""


class VersionCache:
    """Versions up to a total size; the one that came first goes first."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._size = 0
        self._versions: dict[Key, Version] = {}

    def get(self, key: Key) -> Version | None:
        return self._versions.get(key)

    def add(self, key: Key, version: Version) -> None:
        if key in self._versions:  # read by two units at once
            return
        self._versions[key] = version
        self._size += version.size
        while self._size > self._capacity:
            self._size -= self._versions.pop(next(iter(self._versions))).size


_cache = VersionCache()


async def read(unit: Unit, keys: Collection[Key]) -> dict[Key, Version]:
    """The versions of these keys; one statement for those that the process does not know yet.

    Not for versions that the unit itself has written: if it were rolled back, their numbers would be given again.
    """
    found = {key: version for key in keys if (version := _cache.get(key)) is not None}
    missing = [key for key in keys if key not in found]
    if missing:
        for key, text in (await store.bodies(unit, missing)).items():
            body = orjson.loads(text)
            found[key] = Version(body, settings_from_wire(body), len(text))
            _cache.add(key, found[key])
    return found
