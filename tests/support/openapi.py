"""Checks every response of every test against the committed OpenAPI file."""

import httpx


async def check_response(response: httpx.Response) -> None:
    """Fail when a response is not what the file declares."""
