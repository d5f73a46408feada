"""Checks every response of every test against the committed OpenAPI file."""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema_rs
import yaml

FILE = Path(__file__).parents[2] / "openapi" / "orchestrator.yaml"


class Undeclared(AssertionError):
    """The service answered what its OpenAPI file does not declare."""


@lru_cache
def document() -> dict[str, Any]:
    """The committed file."""
    loaded: dict[str, Any] = yaml.load(FILE.read_text(), Loader=yaml.CSafeLoader)
    return loaded


async def check_response(response: httpx.Response) -> None:
    """Raise Undeclared when a response is not what the file declares."""
    request = response.request
    found = _operation(request.method, request.url.raw_path.decode().partition("?")[0])
    if found is None:  # what no route answers: 404 and 405 in the general error form
        if response.status_code not in (404, 405):
            raise Undeclared(f"{request.method} {request.url.path} is not in the OpenAPI file")
        _validator("components", "schemas", "Error").validate(await _json(response))
        return
    template, operation = found
    status = str(response.status_code)
    declared = operation["responses"]
    key = status if status in declared else "default" if response.status_code >= 429 else None
    if key is None or key not in declared:
        raise Undeclared(f"{request.method} {request.url.path} answered {status}, declared are {', '.join(declared)}")
    content = declared[key].get("content", {})
    media_type = response.headers.get("content-type", "").partition(";")[0]
    if not content:
        return
    if media_type not in content:
        raise Undeclared(
            f"{request.method} {request.url.path} answered {media_type}, declared are {', '.join(content)}"
        )
    if media_type == "application/json" and "schema" in content[media_type]:
        path = ("paths", template, request.method.lower(), "responses", key, "content", media_type, "schema")
        validator = _validator(*path)
        for error in validator.iter_errors(await _json(response)):
            raise Undeclared(f"{request.method} {request.url.path} {status}: {error}")


async def _json(response: httpx.Response) -> Any:
    await response.aread()
    return response.json()


@lru_cache
def _validator(*path: str) -> Any:
    schema: Any = document()
    for part in path:
        schema = schema[part]
    return jsonschema_rs.validator_for({**schema, "components": document()["components"]})


@lru_cache
def _paths() -> list[tuple[re.Pattern[str], str]]:
    templates = sorted(document()["paths"], key=lambda template: template.count("{"))
    return [(re.compile(re.sub(r"\{[^}]+\}", "[^/]+", template)), template) for template in templates]


def _operation(method: str, path: str) -> tuple[str, dict[str, Any]] | None:
    for pattern, template in _paths():
        operation = document()["paths"][template].get(method.lower())
        if operation is not None and pattern.fullmatch(path):
            return template, operation
    return None
