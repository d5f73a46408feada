"""What every refusal has in common."""

from typing import Any

import httpx


def refusal(response: httpx.Response, status: int, code: int) -> dict[str, Any]:
    """The error body, after the checks that hold for every refusal."""
    body: dict[str, Any] = response.json()
    assert (response.status_code, body["status"], body["code"]) == (status, status, code), body
    assert response.headers["Twilio-Request-Id"].startswith("RQ")
    assert not {"type", "title"} & set(body)
    return body
