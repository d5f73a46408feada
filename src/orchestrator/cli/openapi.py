"""`orchestrator openapi`: the API's description, as it is committed in `openapi/`."""

import typer


def openapi() -> None:
    """Print the OpenAPI document as YAML."""
    from pydantic import SecretStr

    from orchestrator.app import create_app
    from orchestrator.openapi import to_yaml
    from orchestrator.settings import Settings

    # Nothing is opened: the application connects when it serves, and a given key keeps it from making one.
    settings = Settings.model_construct(database_url="postgresql:///none", secret_key=SecretStr("none"))
    typer.echo(to_yaml(create_app(settings).openapi()), nl=False)
