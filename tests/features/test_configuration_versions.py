"""What the ingest pipeline asks of configurations: set-based, cached, and safe against a DELETE at the same time."""

import asyncio
from typing import Any

import pytest

from orchestrator.configurations import service as configurations
from orchestrator.configurations import versions
from orchestrator.configurations.versions import Version, VersionCache
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import settings_from_wire
from orchestrator.kernel.ids import CONFIGURATION, new_id, new_sid
from orchestrator.kernel.unit import Driver, Unit
from tests.support.app import Service
from tests.support.factories import configuration_body, make_configuration

PATH = "/v2/ControlPlane/Configurations"


class CountingDriver:
    """Counts statements."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.fetched = 0

    async def fetch(self, query: str, *args: Any) -> list[Any]:
        self.fetched += 1
        return await self._driver.fetch(query, *args)


def counting(unit: Unit) -> CountingDriver:
    driver = CountingDriver(unit.driver)
    unit.driver = driver  # type: ignore[assignment]
    return driver


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_cache", VersionCache())


async def replaced(service: Service, configuration_id: str, **changes: Any) -> None:
    response = await service.api.put(f"{PATH}/{configuration_id}", json=configuration_body(**changes))
    assert response.status_code == 202


async def test_current_knows_all_in_creation_order(service: Service) -> None:
    account_id, stranger = service.account.account_id, new_sid("AC")
    one, two, gone = [await make_configuration(service) for _ in range(3)]
    await service.api.delete(f"{PATH}/{gone}")
    await replaced(service, one, description="new")
    async with service.units.begin() as unit:
        driver = counting(unit)
        found = await configurations.current(unit, {account_id, stranger})
        assert driver.fetched == 2
        assert await configurations.current(unit, {account_id, stranger}) == found
        assert driver.fetched == 3
    assert {account: [item.id for item in items] for account, items in found.items()} == {
        account_id: [one, two],
        stranger: [],
    }
    newest = found[account_id][0]
    assert (newest.version, newest.body["description"], newest.account_id) == (2, "new", account_id)
    assert newest.settings == settings_from_wire(newest.body)
    assert len(newest.settings.rules[Channel.SMS]) == 2
    assert newest.created_at < newest.updated_at


async def test_a_new_version_is_seen_at_once(service: Service) -> None:
    configuration_id = await make_configuration(service, description="1")
    for expected in ("1", "2", "3"):
        async with service.units.begin() as unit:
            found = await configurations.current(unit, [service.account.account_id])
        assert [item.body["description"] for item in found[service.account.account_id]] == [expected]
        await replaced(service, configuration_id, description=str(int(expected) + 1))


async def test_no_accounts_no_configurations(service: Service) -> None:
    async with service.units.begin() as unit:
        assert await configurations.current(unit, []) == {}
        assert await configurations.settings_of(unit, []) == {}
        assert await configurations.lock_for_opening(unit, []) == set()


async def test_pinned_versions_outlive_everything(service: Service) -> None:
    account_id, configuration_id = service.account.account_id, await make_configuration(service)
    await replaced(service, configuration_id, channelSettings={})
    await service.api.delete(f"{PATH}/{configuration_id}")
    first, second = (account_id, configuration_id, 1), (account_id, configuration_id, 2)
    async with service.units.begin() as unit:
        driver = counting(unit)
        settings = await configurations.settings_of(unit, [first])
        settings |= await configurations.settings_of(unit, [first, second, (account_id, configuration_id, 3)])
        assert driver.fetched == 2
        assert await configurations.settings_of(unit, {first, second}) == settings
        assert driver.fetched == 2
    assert set(settings) == {first, second}
    assert settings[first].rules
    assert settings[second].rules == {}


async def test_only_living_configurations_can_be_locked(service: Service) -> None:
    account_id = service.account.account_id
    one, two, gone = [await make_configuration(service) for _ in range(3)]
    await service.api.delete(f"{PATH}/{gone}")
    wanted = {(account_id, one), (account_id, two), (account_id, gone), (account_id, new_id(CONFIGURATION))}
    async with service.units.begin() as unit:
        driver = counting(unit)
        assert await configurations.lock_for_opening(unit, wanted) == {(account_id, one), (account_id, two)}
        assert driver.fetched == 1


async def test_a_delete_waits_for_an_opening_and_sees_its_conversation(service: Service) -> None:
    account_id, configuration_id = service.account.account_id, await make_configuration(service)
    async with service.units.begin() as unit:
        await configurations.lock_for_opening(unit, [(account_id, configuration_id)])
        deletion = asyncio.create_task(service.api.delete(f"{PATH}/{configuration_id}"))
        await asyncio.sleep(0.2)
        assert not deletion.done()
        await unit.driver.execute(
            """
            insert into conversations (account_id, id, configuration_id, configuration_version, status,
                                       channel_activity, event_sequence, created_at, updated_at)
            values ($1, 'conversation', $2, 1, 'ACTIVE', '{}', 0, $3, $3)
            """,
            account_id,
            configuration_id,
            unit.now,
        )
    response = await deletion
    assert response.status_code == 409
    assert response.headers["X-Conflicting-Resource-Id"] == "conversation"


async def test_an_opening_waits_for_a_delete_and_finds_nothing(service: Service) -> None:
    account_id, configuration_id = service.account.account_id, await make_configuration(service)

    async def lock() -> set[tuple[str, str]]:
        async with service.units.begin() as unit:
            return await configurations.lock_for_opening(unit, [(account_id, configuration_id)])

    async with service.units.begin() as unit:
        await configurations.delete(unit, account_id, configuration_id)
        opening = asyncio.create_task(lock())
        await asyncio.sleep(0.2)
        assert not opening.done()
    assert await opening == set()


async def test_an_opening_does_not_hold_up_a_replacement(service: Service) -> None:
    account_id, configuration_id = service.account.account_id, await make_configuration(service)
    async with service.units.begin() as unit:
        await configurations.lock_for_opening(unit, [(account_id, configuration_id)])
        await asyncio.wait_for(replaced(service, configuration_id), timeout=10)


def test_the_cache_is_bounded() -> None:
    body = configuration_body()
    cache = VersionCache(capacity=100)
    keys = [("AC", "configuration", number) for number in range(5)]
    for key in (*keys, keys[-1]):
        cache.add(key, Version(body, settings_from_wire(body), size=40))
    assert [key for key in keys if cache.get(key) is not None] == keys[-2:]
    cache.add(("AC", "large", 1), Version(body, settings_from_wire(body), size=101))
    assert cache.get(("AC", "large", 1)) is None
    cache.add(keys[0], Version(body, settings_from_wire(body), size=100))
    assert cache.get(keys[0]) is not None
