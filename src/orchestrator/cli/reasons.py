"""Why things landed where they did, told one after the other: what was said before is not said again."""

from collections.abc import Collection, Sequence


def news(told: Sequence[str], before: Collection[str]) -> list[str]:
    """The sentences that were not said before; the last one, which tells of the conversation, in any case."""
    return [sentence for sentence in told if sentence not in before] or list(told[-1:])
