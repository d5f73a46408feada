"""Runs Schemathesis, the program, against a server, and tells it the ids of resources that are there."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from structlog.testing import capture_logs

from tests.support.app import Service
from tests.support.openapi import FILE, document
from tests.support.schemathesis_resources import make_resources, webhooks

CONFIG = Path(__file__).parents[1] / "contract" / "schemathesis.toml"
KINDS = {
    "ConversationId": "conversations",
    "ActionId": "actions",
    "AccountSid": "accounts",
    "Sid": "messages",
    "communication_id": "communications",
    "operationId": "store_operations",
    "profileId": "profiles",
    "idType": "id_types",
    "traitGroupName": "trait_groups",
    "observationId": "observations",
    "summaryId": "summaries",
    "conversationId": "conversations",
    "sequence": "sequences",
    "importId": "imports",
    "deliveryId": "deliveries",
    "mergeId": "merges",
    "address": "numbers",
    "version": "version_numbers",
    "Configurations": "changing_configurations",
    "Conversations": "changing_conversations",
    "Communications": "communications",
    "Operations": "operations",
    "Participants": "participants",
    "Uncaptured": "uncaptured",
    "Stores": "stores",
}
"""What a path parameter is one of, by its name or by the collection before it."""
DELETED = ("Configurations", "Conversations", "Stores")
"""Collections that have some to spare."""

_REST = "[0-7][0-9a-hjkmnp-tv-z]{25}"
EXAMPLES = {
    rf"conv_configuration_{_REST}": "configurations",
    rf"conv_participant_{_REST}": "customers",
    rf"mem_store_{_REST}": "stores",
    rf"mem_profile_{_REST}": "profiles",
    r"\bAC[0-9a-f]{32}\b": "accounts",
    re.escape("""'"3"'"""): "versions",
}
"""What the ids in the examples of the OpenAPI file are replaced by."""


def kind(method: str, path: str, parameter: str) -> str:
    """Which ids a path parameter is taken from; a KeyError asks for a line above, and for resources to be made."""
    before = path.partition(f"/{{{parameter}}}")[0].rpartition("/")[2]
    if method == "delete" and before in DELETED and path.endswith("}") and path.count("{") == 1:
        return f"expendable_{before.lower()}"
    return KINDS.get(parameter) or KINDS[before]


def path_parameters() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Method, path and declaration of all of the OpenAPI file."""
    for path, methods in document()["paths"].items():
        for method, operation in methods.items():
            for parameter in operation.get("parameters", []):
                if parameter.get("in") == "path":
                    yield method, path, parameter


def openapi_file(ids: dict[str, list[str]]) -> str:
    """The committed file, whose examples name what is there: the phases before the fuzzing use hardly anything else."""
    text = FILE.read_text()
    for pattern, name in EXAMPLES.items():
        text = re.sub(pattern, ids[name][0], text)
    file = yaml.load(text, Loader=yaml.CSafeLoader)
    for method, path, declared in path_parameters():
        for parameter in file["paths"][path][method]["parameters"]:
            if parameter["name"] == declared["name"]:
                parameter["example"] = ids[kind(method, path, declared["name"])][0]
    for path, example in webhooks(ids).items():
        operation = file["paths"][path]["post"]
        for media_type in operation["requestBody"]["content"].values():
            media_type["example"] = example
        for parameter in operation["parameters"]:
            parameter["required"] = False  # the signature: this server does not ask for it
    return yaml.dump(file, Dumper=yaml.CSafeDumper)


def bindings(ids: dict[str, list[str]]) -> str:
    """Dictionaries of ids, and for each operation which of them its path parameters are taken from (nearly always)."""
    lines = [f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in ids.items()]
    operations: dict[str, list[str]] = {}
    for method, path, parameter in path_parameters():
        taken_from = f'{{ dictionary = "{kind(method, path, parameter["name"])}", probability = 0.9 }}'
        operations.setdefault(f"{method.upper()} {path}", []).append(
            f'parameters."path.{parameter["name"]}" = {taken_from}'
        )
    for name, parameters in operations.items():
        lines.append("\n".join(["[[operations]]", f'include-name = "{name}"', *parameters]))
    return "\n\n".join(lines)


async def judge(service: Service, origin: str, folder: Path, *options: str) -> None:
    """Run it; raises AssertionError with its report, which says how to repeat each failure."""
    ids = await make_resources(service)
    (folder / "openapi.yaml").write_text(openapi_file(ids))
    (folder / "schemathesis.toml").write_text(f"{CONFIG.read_text()}\n{bindings(ids)}\n")
    program = shutil.which("schemathesis", path=str(Path(sys.executable).parent))
    process = await asyncio.create_subprocess_exec(
        *(str(program), "run", "openapi.yaml", "--url", origin, *options),
        cwd=folder,
        env={
            "PYTHONPATH": str(CONFIG.parents[2]),
            "ORCHESTRATOR_ACCOUNT_SID": service.account.account_id,
            "ORCHESTRATOR_AUTH_TOKEN": service.account.auth_token,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    with capture_logs():  # thousands of lines that would bury the report
        report, _ = await process.communicate()
    assert process.returncode == 0, report.decode()
