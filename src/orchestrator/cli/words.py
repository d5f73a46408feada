"""Texts of strangers on a terminal: one line, and no control characters that would steer it."""

_MOST = 80
"""Characters."""


def plain(text: str) -> str:
    """Everything that is printed, on one line."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def quoted(text: str, most: int = _MOST) -> str:
    """In quotation marks, cut where it is long."""
    line = plain(text)
    return f"“{line if len(line) <= most else line[: most - 1] + '…'}”"
