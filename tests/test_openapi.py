"""The committed OpenAPI file is the application's, and says of every operation what a client needs."""

from fastapi import FastAPI

from orchestrator.app import create_app
from orchestrator.openapi import describe, to_yaml
from tests.support.app import test_settings as settings_for
from tests.support.openapi import FILE, document

METHODS = {"get", "post", "put", "patch", "delete"}


def app() -> FastAPI:
    return create_app(settings_for("postgresql://nobody@localhost/none"))


def test_the_committed_file_is_current() -> None:
    assert FILE.read_text() == to_yaml(describe(app())), "run `make openapi` and commit the file"


def test_every_operation_has_a_summary_a_unique_id_and_its_errors() -> None:
    operations = [
        (path, operation)
        for path, methods in document()["paths"].items()
        for method, operation in methods.items()
        if method in METHODS
    ]
    ids = [operation["operationId"] for _, operation in operations]
    assert len(ids) == len(set(ids))
    for path, operation in operations:
        assert operation["summary"], path
        assert operation["tags"], path
        if path.startswith(("/v1", "/v2", "/orchestrator")):
            assert operation["security"], path
            assert {"401", "default"} <= set(operation["responses"]), path
            assert "422" not in operation["responses"], path
