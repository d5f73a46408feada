"""Rules that a reviewer would otherwise have to remember."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Index, UniqueConstraint

from orchestrator.tables import metadata

SOURCES = Path(__file__).parents[1] / "src" / "orchestrator"
CLOCK_READS = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time")}
SQL_CLOCK = re.compile(r"\b(now\(\)|current_timestamp|clock_timestamp\(\)|statement_timestamp\(\))", re.IGNORECASE)


def trees() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted(SOURCES.rglob("*.py")):
        yield str(file.relative_to(SOURCES)), ast.parse(file.read_text())


def calls(tree: ast.Module) -> Iterator[ast.Attribute]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func


def texts(tree: ast.Module) -> Iterator[str]:
    """String constants that are not docstrings."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


def test_every_key_and_unique_index_is_led_by_the_account() -> None:
    for table in metadata.tables.values():
        if table.name == "clock":  # of the service, not of anybody
            continue
        assert next(iter(table.primary_key.columns)).name == "account_id", table.name
        unique = [index for index in table.indexes if index.unique]
        unique += [constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)]  # type: ignore[misc]
        for one in unique:
            assert isinstance(one, Index)
            assert one.columns[0].name == "account_id", one.name


def test_the_clock_is_read_in_one_place() -> None:
    for name, tree in trees():
        if name == "kernel/clock.py":
            continue
        for call in calls(tree):
            owner = call.value.id if isinstance(call.value, ast.Name) else getattr(call.value, "attr", "")
            assert (owner, call.attr) not in CLOCK_READS, f"{name}:{call.lineno}"


def test_sql_is_told_the_time() -> None:
    for name, tree in trees():
        if name == "cli/doctor/database.py":  # compares that clock with ours
            continue
        for text in texts(tree):
            assert not SQL_CLOCK.search(text), f"{name}: {text[:80]}"


def test_only_the_unit_of_work_begins_and_commits() -> None:
    for name, tree in trees():
        if name in {"kernel/unit.py", "kernel/migrations.py"}:
            continue
        for call in calls(tree):
            assert call.attr not in {"commit", "transaction"}, f"{name}:{call.lineno}"


def test_only_callbacks_and_the_sender_call_other_services() -> None:
    """The console calls the application that it is part of, in this process."""
    callers = ("outbox/", "cli/", "receiver/", "testing/", "actions/messages_api.py", "extraction/extractor_api.py")
    for name, tree in trees():
        if name.startswith((*callers, "console/api.py")):
            continue
        imported = {
            alias.name.partition(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        imported |= {
            (node.module or "").partition(".")[0] for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)
        }
        assert not imported & {"httpx", "aiohttp", "requests"}, name


def test_routes_contain_no_try() -> None:
    for name, tree in trees():
        if name.endswith("routes.py"):
            assert not any(isinstance(node, ast.Try) for node in ast.walk(tree)), name
