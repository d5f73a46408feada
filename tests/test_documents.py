"""What the documents say of the code is so: settings, metrics, errors, events, tables, layers, files, decisions."""

import re
import tomllib
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from orchestrator.domain.events import EventType
from orchestrator.kernel import telemetry
from orchestrator.tables import metadata
from tests.support.app import Service
from tests.support.documents import (
    DOCS,
    ERRORS_PAGE,
    EVENTS_PAGE,
    README,
    ROOT,
    SETTINGS_PAGE,
    settings_table,
    with_current_codes,
    with_current_tables,
)
from tests.support.error_codes import codes, numbers_in_the_code
from tests.support.event_examples import play, with_current_events
from tests.support.snippets import blocks

ARCHITECTURE = DOCS / "ARCHITECTURE.md"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
PROGRAM = ROOT / "src" / "orchestrator"


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def section(document: Path, heading: str) -> str:
    """The text under a heading of the second level."""
    return document.read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


@pytest.mark.parametrize("document", [README, SETTINGS_PAGE], ids=relative)
def test_the_tables_of_settings_are_current(document: Path) -> None:
    text = document.read_text()
    assert text == with_current_tables(text), "run `python -m tests.support.documents` and commit the result"
    assert "ORCHESTRATOR_DATABASE_URL" in text


def test_a_setting_is_shown_with_its_default_and_its_choices() -> None:
    header, _, *rows = settings_table(["port", "worker", "public_url", "callback_order"]).splitlines()
    assert header == "| variable | default | meaning |"
    assert rows[0] == "| `ORCHESTRATOR_PORT` | `8080` | Port to listen on. |"
    assert rows[1].startswith("| `ORCHESTRATOR_WORKER` | `true` | ")
    assert rows[2].startswith("| `ORCHESTRATOR_PUBLIC_URL` |  | ")
    assert rows[3].endswith(" One of `bounded`, `strict`, `parallel`. |")


def test_the_page_of_errors_is_current_and_no_code_is_missing() -> None:
    text = ERRORS_PAGE.read_text()
    assert text == with_current_codes(text), "run `python -m tests.support.documents` and commit the result"
    assert numbers_in_the_code() - {one.code for one in codes()} == set(), "codes that no docstring tells of"


async def test_the_page_of_events_is_current_and_no_type_is_missing(service: Service) -> None:
    text, examples = EVENTS_PAGE.read_text(), await play(service)
    assert set(examples) == set(EventType) - {EventType.PARTICIPANT_REMOVED}  # which is never told
    assert text == with_current_events(text, examples), "run `python -m tests.support.documents` and commit the result"


def test_every_metric_is_documented_and_every_documented_one_is_there() -> None:
    metrics = [value for value in vars(telemetry).values() if isinstance(value, MetricWrapperBase)]
    families = [family for metric in metrics for family in metric.collect()]
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    rows = re.findall(r"(?m)^\| `(orchestrator_\w+)` \|", section(DOCS / "operations.md", "Metrics"))
    assert sorted(rows) == sorted(names)


def test_every_label_of_a_metric_is_documented() -> None:
    text = section(DOCS / "operations.md", "Metrics")
    for metric in vars(telemetry).values():
        if isinstance(metric, MetricWrapperBase):
            (family,) = metric.collect()
            (labels,) = re.findall(rf"(?m)^\| `{family.name}(?:_total)?` \|([^|]*)\|", text)
            assert re.findall(r"`(\w+)`", labels) == list(metric._labelnames), family.name


def test_the_picture_shows_the_layers_of_the_import_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (layers,) = [contract["layers"] for contract in contracts if contract["type"] == "layers"]
    picture = section(ARCHITECTURE, "The house in one picture").split("```")[1].strip()
    drawn = [re.split(r" {2,}", line)[0].replace("/", "").replace(".py", "") for line in picture.splitlines()]
    assert drawn == layers


def test_every_table_has_its_row_with_its_key() -> None:
    rows = re.findall(r"(?m)^\| `(\w+)` \|[^|]+\|([^|]*)\|", section(ARCHITECTURE, "What is where"))
    keys = {
        name: [column.name for column in table.primary_key if column.name != "account_id"]
        for name, table in metadata.tables.items()
    }
    assert {name: re.findall(r"`(\w+)`", key.partition(";")[0]) for name, key in rows} == keys


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"(?m)(?:\]\(|^\[[^\]]+\]: )([^)\s]+)", prose(document)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path) if path else document
        assert found.exists(), target
        if anchor:
            headings = re.findall(r"(?m)^#+ (.+)$", prose(found))
            assert anchor in [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings], target


def prose(document: Path) -> str:
    """A document without its fenced blocks, where a # begins a comment."""
    return re.sub(r"(?ms)^ *```.*?^ *```$", "", document.read_text())


def test_the_index_has_every_page() -> None:
    index = DOCS / "README.md"
    listed = set(re.findall(r"\]\(([\w./-]+\.md)\)", index.read_text()))
    pages = {str(page.relative_to(DOCS)) for page in [*DOCS.glob("*.md"), *(DOCS / "recipes").glob("*.md")]}
    assert pages - listed == {"README.md"}


@pytest.mark.parametrize("document", DOCUMENTS, ids=relative)
def test_files_that_are_named_exist(document: Path) -> None:
    """Paths in backticks, from the root of the checkout or of the program."""
    named = re.findall(r"`((?:[\w.-]+/)*[\w-]+\.(?:py|md|toml|yml|yaml|txt|lua))`", document.read_text())
    own = {block.file for block in blocks(document.read_text())}  # a reader saves them
    missing = [name for name in named if not any((root / name).exists() for root in (ROOT, PROGRAM, DOCS))]
    missing = [name for name in missing if name not in own]
    assert missing == []


def test_decisions_are_numbered_without_gaps_and_all_are_listed() -> None:
    records = sorted((DOCS / "adr").glob("*.md"))
    titles = [record.read_text().partition("\n")[0].removeprefix("# ") for record in records]
    numbers = [int(record.name[:4]) for record in records]
    assert numbers == list(range(1, len(records) + 1))
    assert numbers == [int(title.partition(".")[0]) for title in titles]
    for record, title in zip(records, titles, strict=True):
        assert "\nStatus: " in record.read_text(), record.name
        assert f"- [{title}](adr/{record.name})" in section(ARCHITECTURE, "Decisions"), record.name
