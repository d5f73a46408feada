"""`orchestrator run`: scenarios, each at the same time a test, a demonstration and a page of the documentation."""

from pathlib import Path

__all__ = ["EXTENSION", "SHIPPED", "shipped_names"]

SHIPPED = Path(__file__).parents[2] / "scenarios"
"""Where the scenarios are that come with the program."""
EXTENSION = ".yaml"


def shipped_names() -> list[str]:
    """Of the scenarios that come with the program, in alphabetical order."""
    return sorted(file.stem for file in SHIPPED.glob(f"*{EXTENSION}"))
