"""How near two texts are in meaning: an embedder turns each into a vector, and what it made is kept for a while."""

import asyncio
import hashlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from operator import mul
from typing import Protocol

import structlog

log = structlog.get_logger(__name__)

MOST_KEPT = 20_000
"""Vectors that a process keeps; the one not used for longest goes. About 20 MB with 256 numbers each."""

Vector = Sequence[float]
Key = tuple[str, bytes]
"""A model, and the digest of a text."""


class Embedder(Protocol):
    """Turns texts into vectors of one length, which are the nearer the more alike the texts are in meaning."""

    @property
    def model(self) -> str:
        """What makes the vectors; those of different models cannot be compared."""

    def embed(self, texts: Sequence[str]) -> Sequence[Vector]:
        """A unit vector for each text, or one of zeros for a text without meaning. Called in threads, at once too."""


class EmbedderMissing(RuntimeError):
    """The embedder that a setting names cannot be used; the message says what to do."""


class Meaning:
    """Compares texts by meaning, without keeping the event loop from its work."""

    def __init__(self, embedder: Embedder, *, most_kept: int = MOST_KEPT) -> None:
        self._embedder = embedder
        self._most_kept = most_kept
        self._kept: OrderedDict[Key, Vector] = OrderedDict()
        self._guard = threading.Lock()

    async def likeness(self, query: str, texts: Sequence[str]) -> list[float] | None:
        """How like the query each text is, from 0 (not at all, or the contrary) to 1; None when the embedder fails."""
        try:
            return await asyncio.to_thread(self._likeness, query, texts)
        except Exception as error:  # whatever it is, what the words say is still known
            log.warning("the embedder failed", model=self._embedder.model, error=f"{type(error).__name__}: {error}")
            return None

    def _likeness(self, query: str, texts: Sequence[str]) -> list[float]:
        keys = [self._key(text) for text in (query, *texts)]
        vectors = self._vectors(dict(zip(keys, (query, *texts), strict=True)))
        sought = vectors[keys[0]]
        return [_cosine(sought, vectors[key]) for key in keys[1:]]

    def _vectors(self, texts: Mapping[Key, str]) -> dict[Key, Vector]:
        with self._guard:
            known = {key: self._kept[key] for key in texts if key in self._kept}
        missing = [key for key in texts if key not in known]
        made = self._embedder.embed([texts[key] for key in missing]) if missing else []
        known.update(zip(missing, made, strict=True))
        with self._guard:
            for key in texts:
                self._kept[key] = known[key]
                self._kept.move_to_end(key)
            while len(self._kept) > self._most_kept:
                self._kept.popitem(last=False)
        return known

    def _key(self, text: str) -> Key:
        return (self._embedder.model, hashlib.sha256(text.encode()).digest())


def _cosine(one: Vector, other: Vector) -> float:
    """Of unit vectors; the opposite of something is as little like it as what has nothing to do with it."""
    return min(max(float(sum(map(mul, one, other))), 0.0), 1.0)
