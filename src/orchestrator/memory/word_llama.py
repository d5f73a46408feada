"""WordLlama as an embedder: a small model of word vectors that comes whole with its package (MIT), mostly for English.

It needs no graphics card and no network: the package holds its weights. The extra `embeddings` of this project
installs it.
"""

from array import array
from collections.abc import Sequence
from math import sqrt
from pathlib import Path
from typing import Any

from orchestrator.memory.embedding import EmbedderMissing, Vector

_CHARACTERS = 2048
"""Of a text that are looked at; a character may be four tokens."""
_AT_ONCE = 4
"""Texts that are looked at together, in steps that hold up the other threads: each token is 1 kB to be copied."""


class WordLlamaEmbedder:
    """Embeds in 256 dimensions. Raises EmbedderMissing when the package, or what belongs in it, is not there."""

    model = "wordllama-l2_supercat-256"

    def __init__(self) -> None:
        try:
            import wordllama  # it is optional
        except ImportError as error:
            raise EmbedderMissing(
                "the setting embedder is wordllama, but its package is not there; the extra `embeddings` brings it, "
                f"and so does pip install 'wordllama>=0.4' ({error})"
            ) from error
        try:
            # It would look for one of its files in the wrong folder, and then load it from the network.
            folder = Path(wordllama.__file__).parent
            self._model: Any = wordllama.WordLlama.load(cache_dir=folder, dim=256, disable_download=True)
        except Exception as error:  # of an old version, say, which has it all in other places
            raise EmbedderMissing(f"the package wordllama cannot be used: {error}") from error

    def embed(self, texts: Sequence[str]) -> list[Vector]:
        looked_at = [text[:_CHARACTERS] for text in texts]
        return [_unit(values) for values in self._model.embed(looked_at, batch_size=_AT_ONCE).tolist()]


def _unit(values: Sequence[float]) -> Vector:
    length = sqrt(sum(value * value for value in values))
    return array("f", (value / length for value in values) if length else values)
