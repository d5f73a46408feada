"""The published OpenAPI file: what FastAPI knows of the routes, and by hand what it cannot know.

By hand are Basic auth (`ApiRoute` asks for it before FastAPI looks at a request) and the provider's webhooks (they
pass FastAPI by). `openapi/orchestrator.yaml` is this, committed; a test compares the two.
"""

from typing import Any

import yaml
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from orchestrator.openapi.names import with_twilio_names
from orchestrator.openapi.webhooks import WEBHOOK_PATHS

_AUTH = "accountOrKey"
_SECURED = ("/v1/", "/v2/", "/orchestrator/", "/2010-04-01/")


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of the application."""
    document = get_openapi(
        title=app.title,
        version=app.version,
        summary="Twilio's Conversation Orchestrator and Conversation Memory, self-hosted.",
        routes=app.routes,
    )
    document["components"]["securitySchemes"] = {
        _AUTH: {
            "type": "http",
            "scheme": "basic",
            "description": "Account SID and auth token, or API key SID and secret.",
        }
    }
    for path, operations in document["paths"].items():
        if path.startswith(_SECURED):
            for operation in operations.values():
                operation["security"] = [{_AUTH: []}]
    document["paths"] |= WEBHOOK_PATHS
    return with_twilio_names(document)


def to_yaml(document: dict[str, Any]) -> str:
    """The text of the committed file."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=120)
