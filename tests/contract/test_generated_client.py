"""The OpenAPI file is good enough for a generator: the client that it makes is complete and does the work."""

import base64
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from openapi_python_client.strings import pascal_case, snake_case

from orchestrator.accounts.service import Account
from tests.support.factories import OUR_NUMBER, configuration_body
from tests.support.openapi import FILE, document
from tests.support.sdk import communication_body, conversation_body, owner

PACKAGE = "generated_client"


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of the generated package, which can be imported meanwhile."""
    folder = tmp_path_factory.mktemp("generated")
    (folder / "settings.yaml").write_text("post_hooks: []\n")  # nobody reads it, so nothing needs to format it
    program = shutil.which("openapi-python-client", path=str(Path(sys.executable).parent))
    command = [str(program), "generate", "--path", str(FILE), "--output-path", PACKAGE]
    options = ["--meta", "none", "--config", "settings.yaml", "--fail-on-warning"]
    made = subprocess.run([*command, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert (made.returncode, "Warning" in made.stdout + made.stderr) == (0, False), made.stdout + made.stderr
    sys.path.insert(0, str(folder))
    yield folder / PACKAGE
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


def operations() -> dict[str, dict[str, Any]]:
    """The operations of the file by method and path, such as `GET /v2/Conversations/{}`."""
    return {
        f"{method.upper()} {re.sub('{[^}]+}', '{}', path)}": operation
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "patch", "delete")
    }


class Generated:
    """The package with an account's credentials."""

    def __init__(self, origin: str, account: Account) -> None:
        token = base64.b64encode(f"{account.account_id}:{account.auth_token}".encode()).decode()
        client = import_module(f"{PACKAGE}.client").AuthenticatedClient
        # A status that the file does not declare is an exception.
        self.client = client(base_url=origin, token=token, prefix="Basic", raise_on_unexpected_status=True)
        self.models = import_module(f"{PACKAGE}.models")

    def __call__(self, request: str, *ids: str, body: dict[str, Any] | None = None, **query: Any) -> Any:
        """Call an operation; the response with its status, headers and parsed body."""
        operation = operations()[request]
        tag, name = (snake_case(one) for one in (operation["tags"][0], operation["operationId"]))
        if body is not None:
            schema = operation["requestBody"]["content"]["application/json"]["schema"]
            query["body"] = getattr(self.models, pascal_case(schema["$ref"].rpartition("/")[2])).from_dict(body)
        return import_module(f"{PACKAGE}.api.{tag}.{name}").sync_detailed(*ids, client=self.client, **query)


@pytest.fixture
def api(generated: Path, origin: str, account: Account) -> Iterator[Generated]:
    running = Generated(origin, account)
    with running.client:
        yield running


def test_every_operation_has_its_function(generated: Path) -> None:
    for operation in operations().values():
        tag, name = (snake_case(one) for one in (operation["tags"][0], operation["operationId"]))
        assert (generated / "api" / tag / f"{name}.py").is_file(), (tag, name)


def create_configuration(api: Generated) -> str:
    """Create one and poll its operation; its id."""
    made = api("POST /v2/ControlPlane/Configurations", body=configuration_body())
    assert made.status_code == 202
    operation_id = made.parsed.status_url.rpartition("/")[2]
    assert made.headers["Operation-Id"] == operation_id
    operation = api("GET /v2/ControlPlane/Operations/{}", operation_id).parsed
    assert operation.status == "COMPLETED"
    configuration_id: str = operation.related.additional_properties["configurationId"]
    return configuration_id


def create_conversation(api: Generated, configuration_id: str) -> Any:
    return api("POST /v2/Conversations", body=conversation_body(configuration_id))


def test_a_configuration_lives_and_dies(api: Generated) -> None:
    configuration_id = create_configuration(api)
    one = ("/v2/ControlPlane/Configurations/{}", configuration_id)
    patch = {"description": "Another", "channelSettings": {"VOICE": None}}
    assert api(f"PATCH {one[0]}", one[1], body=patch).status_code == 202
    found = api(f"GET {one[0]}", one[1]).parsed
    assert (found.description, found.version) == ("Another", 2)
    assert set(found.channel_settings.additional_properties) == {"SMS", "WHATSAPP"}
    listed = api("GET /v2/ControlPlane/Configurations", page_size=1).parsed
    assert [each.id for each in listed.configurations] == [configuration_id]
    assert api(f"DELETE {one[0]}", one[1]).status_code == 202
    gone = api(f"GET {one[0]}", one[1])
    assert (gone.status_code, gone.parsed.code) == (404, 20404)


def test_a_conversation_lives_and_dies(api: Generated) -> None:
    configuration_id = create_configuration(api)
    conversation = create_conversation(api, configuration_id).parsed
    taken = create_conversation(api, configuration_id)
    assert (taken.status_code, taken.headers["X-Conflicting-Resource-Id"]) == (409, conversation.id)
    assert conversation.id in taken.parsed.message
    members = ("/v2/Conversations/{}/Participants", conversation.id)
    joined = api(f"POST {members[0]}", members[1], body=owner("+16505550142", "HUMAN_AGENT")).parsed
    listed = api(f"GET {members[0]}", members[1]).parsed.participants
    assert [one.id for one in listed] == [*(one.id for one in conversation.participants), joined.id]
    patch = {"name": "Parcel", "metadata": {"order": "4711"}}
    patched = api("PATCH /v2/Conversations/{}", conversation.id, body=patch).parsed
    assert (patched.name, patched.metadata.to_dict()) == ("Parcel", {"order": "4711"})
    assert api("DELETE /v2/Conversations/{}", conversation.id).status_code == 202
    status = api.models.ListConversationByAccountStatusItem
    assert api("GET /v2/Conversations", status=[status.ACTIVE, status.CLOSED]).parsed.conversations == []


def test_a_message_is_written_and_read(api: Generated) -> None:
    conversation = create_conversation(api, create_configuration(api)).parsed
    messages = ("/v2/Conversations/{}/Communications", conversation.id)
    made = api(f"POST {messages[0]}", messages[1], body=communication_body("hello")).parsed
    assert made.content.text == "hello"
    assert [one.address for one in made.recipients] == [OUR_NUMBER]
    listed = api(f"GET {messages[0]}", messages[1]).parsed
    assert [one.to_dict() for one in listed.communications] == [made.to_dict()]
