"""docs/why.md: its example is so, and its tables have every field of a trace."""

import json
import re
from typing import Any

import pytest

from tests.support.app import Service
from tests.support.documents import ROOT
from tests.support.openapi import document

TEXT = (ROOT / "docs" / "why.md").read_text()
TABLES = re.findall(r"<!-- schemas: ([\w ]+) -->\n((?:\|.*\n)+)", TEXT)


def blocks(name: str) -> list[str]:
    """The code after each comment of this name."""
    return re.findall(rf"<!-- {name} -->\n```\w+\n(.*?)```", TEXT, re.DOTALL)


async def test_the_example_is_so(service: Service) -> None:
    (configuration,) = blocks("configuration")
    made = await service.api.post("/v2/ControlPlane/Configurations", json=json.loads(configuration))
    assert made.status_code == 202, made.text
    asked = [json.loads(question) for question in blocks("question")]
    assert len(asked) == 2
    for question, expected in zip(asked, blocks("answer"), strict=True):
        answer = await service.api.post("/orchestrator/v1/Explain", json=question)
        assert answer.json()["sentences"] == expected.splitlines()


@pytest.mark.parametrize(("names", "table"), TABLES, ids=[names for names, _ in TABLES])
def test_every_field_of_a_trace_is_there(names: str, table: str) -> None:
    schemas: dict[str, Any] = document()["components"]["schemas"]
    fields = {field for name in names.split() for field in schemas[name]["properties"]}
    shown = [field for row in table.splitlines()[2:] for field in re.findall(r"`(\w+)`", row.split("|")[1])]
    assert sorted(shown) == sorted(fields)
