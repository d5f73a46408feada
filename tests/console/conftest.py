"""A browser at the console, nobody signed in; and one that the service's account is signed in with."""

from collections.abc import AsyncIterator

import pytest

from orchestrator.console import login
from tests.support.app import Service
from tests.support.console import Browser, browser_at


@pytest.fixture
async def stranger(service: Service, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Browser]:
    monkeypatch.setattr(login, "SLOWED", 0.05)
    async with browser_at(service) as browser:
        yield browser


@pytest.fixture
async def browser(stranger: Browser) -> Browser:
    assert (await stranger.sign_in()).status_code == 303
    return stranger
