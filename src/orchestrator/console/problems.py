"""What the API says is wrong with a request, place by place, so that a form can say it beside its fields."""

from typing import Any

from orchestrator.console.api import Answer


def told(refusal: Answer | None) -> list[tuple[str, str]]:
    """Pairs of JSON pointer and message; none where the API named no field."""
    body: Any = refusal.body if refusal is not None and not refusal.succeeded else None
    details = body.get("details") if isinstance(body, dict) else None
    errors = (details or {}).get("errors") or []
    return [(error["pointer"], error["message"]) for error in errors]


def by_field(refusal: Answer | None) -> dict[str, str]:
    """For a form whose fields are named as those of the request, such as `address`."""
    return {pointer.removeprefix("/"): message for pointer, message in told(refusal)}
