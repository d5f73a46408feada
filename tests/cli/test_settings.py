"""`orchestrator settings` and what every command says of settings that make no sense."""

from pathlib import Path

import pytest
import yaml

from orchestrator import __version__
from orchestrator.kernel.migrations import head, newest_file
from orchestrator.serving import without_password
from orchestrator.settings import Settings
from tests.cli.running import invoke, invoke_json, run


def test_every_setting_is_shown_with_its_source_and_no_secret() -> None:
    given = {
        "database_url": "postgresql://me:hidden@db/orchestrator",
        "auth_token": "hidden",
        "secret_key": "hidden",
        "port": 9000,
    }
    rows = {row["name"]: row for row in invoke_json("settings", **given)}
    assert len(rows) == len(Settings.model_fields)
    assert rows["ORCHESTRATOR_PORT"]["value"] == "9000"
    assert rows["ORCHESTRATOR_PORT"]["source"] == "env"
    assert rows["ORCHESTRATOR_HOST"] == {
        "name": "ORCHESTRATOR_HOST",
        "value": "127.0.0.1",
        "source": "default",
        "description": "Address to listen on.",
    }
    assert rows["ORCHESTRATOR_CALLBACK_RETRY_DELAYS"]["value"].startswith("5,30,120,")
    assert "hidden" not in str(rows)


def test_a_setting_that_makes_no_sense_is_told_in_one_line() -> None:
    done = run("serve", port="many")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("orchestrator: ORCHESTRATOR_PORT: ")
    assert done.stderr.count("\n") == 1
    assert run("serve", "--port", "many").returncode == 2


def test_version() -> None:
    done = run("version")
    assert (done.returncode, done.stdout) == (0, f"orchestrator {__version__}\n")


def test_the_api_is_described_without_touching_anything(tmp_path: Path) -> None:
    shown = invoke("openapi", data_dir=tmp_path / "data")
    assert "/v2/Conversations" in yaml.safe_load(shown)["paths"]
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://me:p@ss:word@db:5432/x", "postgresql://me:***@db:5432/x"),
        ("postgresql://me@db/x?host=/run&password=word", "postgresql://me@db/x?host=/run&password=***"),
        ("postgresql:///x?host=/run", "postgresql:///x?host=/run"),
        ("https://orchestrator.example.com:8443", "https://orchestrator.example.com:8443"),
    ],
)
def test_urls_are_shown_without_passwords(url: str, shown: str) -> None:
    assert without_password(url) == shown


def test_the_last_migration_by_file_name_is_the_head() -> None:
    assert newest_file() == head()
