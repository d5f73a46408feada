"""What is handed out: the files of image and compose fit together, dependencies are pinned, nothing private is told."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from orchestrator.settings import Settings
from tests.support.documents import ROOT

REGISTRIES = re.compile(
    r"py[p]i\.(?:org|python)|pythonhos[t]ed|registry\.npm[j]s|registry\.yarn[p]kg|crates[.]io", re.IGNORECASE
)
INDEXES = re.compile(r"https?://[A-Za-z0-9.:-]+/(?:simple|packages)/|--(?:extra-)?index-url")
COMMON_FOLDERS = {"", "app", "builds", "home", "mnt", "opt", "root", "srv", "tmp", "usr", "var"}


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def example_environment() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def instructions(name: str) -> list[str]:
    """What the Dockerfile says after each of these words."""
    text = (ROOT / "Dockerfile").read_text().replace("\\\n", " ")
    return [line.partition(" ")[2] for line in text.splitlines() if line.partition(" ")[0] == name]


def copied() -> list[str]:
    """What the Dockerfile takes from the checkout."""
    return [source for line in instructions("COPY") if "--from" not in line for source in line.split()[:-1]]


def files() -> list[Path]:
    """What is tracked, or would be."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def test_the_image_copies_what_is_there_and_what_is_let_through() -> None:
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for source in copied():
        assert (ROOT / source).exists(), source
        assert source.split("/")[0] in let_through, source
    assert let_through == {source.split("/")[0] for source in copied()}


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    assert "pip install --require-hashes -r requirements/run.txt" in instructions("RUN")
    assert instructions("USER") == ["orchestrator"]
    assert {line.split()[0] for line in instructions("FROM")} == {"python:3.11-slim"}


def test_the_image_serves_and_asks_whether_it_can() -> None:
    command = [*json.loads(*instructions("ENTRYPOINT")), *json.loads(*instructions("CMD"))]
    assert command == ["orchestrator", "serve", "--host", "0.0.0.0"]
    (health,) = instructions("HEALTHCHECK")
    python, option, program = json.loads(health.partition(" CMD ")[2])
    assert (python, option) == ("python", "-c")
    assert "/readyz" in program
    compile(program, "HEALTHCHECK", "exec")


def test_compose_has_a_service_and_a_database_that_is_waited_for() -> None:
    services = compose()["services"]
    assert services["orchestrator"]["depends_on"]["postgres"]["condition"] == "service_healthy"
    assert services["postgres"]["healthcheck"]["test"][1] == "pg_isready"
    ((volume, place),) = (mount.split(":") for mount in services["postgres"]["volumes"])
    assert volume in compose()["volumes"]
    assert place == "/var/lib/postgresql"


def test_compose_knows_no_secret_and_every_setting_it_names() -> None:
    given = compose()["services"]["orchestrator"]["environment"]
    known = {f"ORCHESTRATOR_{name.upper()}" for name in Settings.model_fields}
    assert set(given) <= known
    for service in compose()["services"].values():
        for name, value in service["environment"].items():
            if re.search(r"PASSWORD|SECRET|TOKEN|_SID|_URL$", name) and name != "ORCHESTRATOR_PUBLIC_URL":
                assert re.search(r"\$\{[A-Z_]+:\?", value), f"{name} has a default"


def test_the_example_environment_names_what_compose_reads_and_fills_in_no_secret() -> None:
    read = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text()))
    example = example_environment()
    assert set(example) == read
    assert {name for name, value in example.items() if value} == {"BIND"}


@pytest.mark.parametrize("name", ["run.txt", "dev.txt"])
def test_every_requirement_is_pinned_and_carries_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text().replace("\\\n", " ")
    requirements = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(requirements) > 20
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+(?:\[[a-z,]+\])?==\S+ ", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_no_file_names_a_registry_or_a_place_on_somebodys_machine() -> None:
    places = [f"{folder}/" for folder in (ROOT, ROOT.parent, Path.home()) if folder.name not in COMMON_FOLDERS]
    for file in files():
        text = file.read_text(errors="replace")
        for pattern in (REGISTRIES, INDEXES):
            found = pattern.search(text)
            assert not found, f"{file}: {found and found[0]}"
        for place in places:
            assert place not in text, f"{file} names {place}"


def test_the_wheel_carries_the_migrations_the_api_page_and_the_licence(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.iterdir()
    names = zipfile.ZipFile(wheel).namelist()
    migrations = {path.name for path in (ROOT / "migrations" / "versions").glob("*.py")}
    assert migrations <= {Path(name).name for name in names if name.startswith("orchestrator/_migrations/versions/")}
    page = {path.name for path in (ROOT / "src/orchestrator/openapi/static").rglob("*") if path.is_file()}
    assert page == {Path(name).name for name in names if name.startswith("orchestrator/openapi/static/")}
    assert [name for name in names if name.endswith("/licenses/LICENSE")]
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
