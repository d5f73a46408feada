"""Configurations: made, replaced, deleted, and handed to the traffic that they capture.

Every write that changes something adds a version; conversations pin the version in force when they were opened. The
writes of one account happen one after another.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import replace as changed
from typing import Any

from sqlalchemy import Row

from orchestrator.configurations import store, versions
from orchestrator.configurations.channels import check_channel_settings
from orchestrator.configurations.guarding import ANYTHING, Guard
from orchestrator.configurations.model import Configuration
from orchestrator.configurations.patches import PatchConfigurationRequest, patched
from orchestrator.configurations.schemas import (
    CreateConfigurationRequest,
    StatusCallback,
    UpdateConfigurationRequest,
    to_settings,
)
from orchestrator.domain.configuration import GroupingType, Settings, settings_from_wire
from orchestrator.kernel.conditions import ALWAYS, IfMatch, etag
from orchestrator.kernel.errors import BadRequest, Conflict, NotFound
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import CONFIGURATION, is_id, new_id
from orchestrator.kernel.paging import Page, PageRequest
from orchestrator.kernel.unit import Unit
from orchestrator.memory.service import adopt_store
from orchestrator.operations import service as operations
from orchestrator.operations.service import Operation
from orchestrator.outbox.guard import ForbiddenTarget, check_url

MOST_CONFIGURATIONS = 10
"""Per account (seed document)."""


async def current(unit: Unit, account_ids: Collection[str]) -> dict[str, list[Configuration]]:
    """All configurations of each account, in creation order. Their settings are read once per version and process."""
    heads = await store.heads(unit, account_ids)
    known = await versions.read(unit, [(head["account_id"], head["id"], head["version"]) for head in heads])
    found: dict[str, list[Configuration]] = {account_id: [] for account_id in account_ids}
    for account_id, configuration_id, version, created_at, updated_at in heads:
        read = known[account_id, configuration_id, version]
        found[account_id].append(
            Configuration(account_id, configuration_id, version, read.body, read.settings, created_at, updated_at)
        )
    return found


async def settings_of(unit: Unit, pinned: Collection[versions.Key]) -> dict[versions.Key, Settings]:
    """The settings of pinned (account, configuration, version), whether or not the configuration still exists."""
    return {key: version.settings for key, version in (await versions.read(unit, pinned)).items()}


async def bodies_of(unit: Unit, pinned: Collection[versions.Key]) -> dict[versions.Key, Mapping[str, Any]]:
    """The same settings in the API's JSON form."""
    return {key: version.body for key, version in (await versions.read(unit, pinned)).items()}


async def lock_for_opening(unit: Unit, wanted: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
    """Which of these (account, configuration) exist; until the unit ends, they cannot be deleted."""
    return await store.lock_for_opening(unit, wanted)


async def find(unit: Unit, account_id: str, configuration_id: str) -> Configuration:
    """The configuration. Raises NotFound."""
    row = await store.find(unit, account_id, configuration_id) if is_id(configuration_id, CONFIGURATION) else None
    if row is None:
        raise NotFound(f"there is no configuration {configuration_id}")
    return _configuration(row)


async def page(unit: Unit, account_id: str, request: PageRequest) -> Page[Configuration]:
    """One page of the account's configurations, newest first."""
    rows = await store.page(unit, account_id, request)
    return Page([_configuration(row) for row in rows.items], rows.next_token, rows.previous_token)


async def create(
    unit: Unit, account_id: str, request: CreateConfigurationRequest, *, allow_insecure: bool
) -> Operation:
    """Make a configuration. Raises BadRequest, and Conflict for a classic service that is bridged already."""
    _check(request, allow_insecure=allow_insecure)
    await store.lock_account(unit, account_id)
    if await store.count(unit, account_id) >= MOST_CONFIGURATIONS:
        raise BadRequest(
            f"the account has {MOST_CONFIGURATIONS} configurations, which is the most; delete one first",
            details={"limit": MOST_CONFIGURATIONS},
        )
    body = to_settings(request, display_name=request.display_name)
    configuration = Configuration(
        account_id, new_id(CONFIGURATION), 1, body, settings_from_wire(body), unit.now, unit.now
    )
    await _check_bridge(unit, configuration)
    await store.insert_configuration(unit, configuration)
    return await _complete(unit, configuration)


async def replace(
    unit: Unit,
    account_id: str,
    configuration_id: str,
    request: UpdateConfigurationRequest,
    *,
    if_match: IfMatch = ALWAYS,
    guard: Guard = ANYTHING,
    allow_insecure: bool,
) -> Operation:
    """Replace the settings whole. Raises NotFound, PreconditionFailed, BadRequest, Conflict, WouldDelete."""
    _check(request, allow_insecure=allow_insecure)
    before = await _lock(unit, account_id, configuration_id, if_match)
    _check_grouping_type(before, request.conversation_grouping_type)
    body = to_settings(request, display_name=request.display_name or before.body["displayName"])
    guard.check(before.body, body, request)
    return await _advance(unit, before, body)


async def patch(
    unit: Unit,
    account_id: str,
    configuration_id: str,
    request: PatchConfigurationRequest,
    *,
    if_match: IfMatch = ALWAYS,
    guard: Guard = ANYTHING,
    allow_insecure: bool,
) -> Operation:
    """Change the settings that the request names.

    Raises NotFound, PreconditionFailed, BadRequest, Conflict, WouldDelete.
    """
    _check(request, allow_insecure=allow_insecure)
    before = await _lock(unit, account_id, configuration_id, if_match)
    _check_grouping_type(before, request.conversation_grouping_type)
    body = patched(before.body, request)
    guard.check(before.body, body, request)
    return await _advance(unit, before, body)


async def restore(
    unit: Unit,
    account_id: str,
    configuration_id: str,
    body: Mapping[str, Any],
    *,
    if_match: IfMatch = ALWAYS,
    allow_insecure: bool,
) -> Operation:
    """Make the settings of an earlier version current again, as a new version.

    Its callbacks are judged as if they were new. Raises NotFound, PreconditionFailed, BadRequest, Conflict.
    """
    callbacks = [StatusCallback.model_validate(callback) for callback in body["statusCallbacks"]]
    check_callbacks(callbacks, allow_insecure=allow_insecure, pointer="/statusCallbacks")
    before = await _lock(unit, account_id, configuration_id, if_match)
    return await _advance(unit, before, body)


async def rehearse(
    unit: Unit, configuration: Configuration, write: Callable[[], Awaitable[Operation]]
) -> tuple[Configuration, Configuration]:
    """The configuration before and after a write of which nothing is kept. Raises whatever the write raises."""
    await store.lock_account(unit, configuration.account_id)
    before = await find(unit, configuration.account_id, configuration.id)
    async with unit.trying(keep=False):
        await write()
        after = await find(unit, configuration.account_id, configuration.id)
    return before, after


async def delete(unit: Unit, account_id: str, configuration_id: str, *, if_match: IfMatch = ALWAYS) -> Operation:
    """Delete a configuration.

    Raises NotFound, PreconditionFailed, and Conflict while a conversation of it is ACTIVE or INACTIVE.
    """
    configuration = await _lock(unit, account_id, configuration_id, if_match)
    await store.lock_against_opening(unit, account_id, configuration_id)
    if (conversation_id := await store.open_conversation(unit, account_id, configuration_id)) is not None:
        raise _conflict(
            f"conversation {conversation_id} of this configuration is open; close it first", conversation_id
        )
    await store.mark_deleted(unit, account_id, configuration_id)
    return await operations.complete(unit, account_id, related={"configurationId": configuration.id})


def check_callbacks(callbacks: Collection[StatusCallback], *, allow_insecure: bool, pointer: str) -> None:
    """Raise BadRequest for a URL that must not be called, naming it by its place below the JSON pointer."""
    for position, callback in enumerate(callbacks):
        try:
            check_url(callback.url, allow_insecure=allow_insecure)
        except ForbiddenTarget as error:
            raise refused(f"{pointer}/{position}/url", str(error), callback.url) from error


async def _lock(unit: Unit, account_id: str, configuration_id: str, if_match: IfMatch) -> Configuration:
    """The configuration, which nobody else changes until the unit ends. Raises NotFound, PreconditionFailed."""
    await store.lock_account(unit, account_id)
    configuration = await find(unit, account_id, configuration_id)
    if_match.require(etag(configuration.version))
    return configuration


async def _advance(unit: Unit, before: Configuration, body: Mapping[str, Any]) -> Operation:
    """Make this the current version. Also where nothing is different: every accepted write is one."""
    after = changed(
        before, version=before.version + 1, body=body, settings=settings_from_wire(body), updated_at=unit.now
    )
    await _check_bridge(unit, after)
    await store.advance(unit, after)
    return await _complete(unit, after)


def _check(
    request: CreateConfigurationRequest | UpdateConfigurationRequest | PatchConfigurationRequest,
    *,
    allow_insecure: bool,
) -> None:
    settings = request.channel_settings or {}
    check_channel_settings({channel: setting for channel, setting in settings.items() if setting is not None})
    check_callbacks(request.status_callbacks or (), allow_insecure=allow_insecure, pointer="/statusCallbacks")


def _check_grouping_type(before: Configuration, wanted: GroupingType | None) -> None:
    if wanted not in {None, before.settings.grouping_type}:
        raise refused(
            "/conversationGroupingType",
            f"cannot be changed from {before.settings.grouping_type}; create another configuration",
            wanted,
        )


async def _check_bridge(unit: Unit, configuration: Configuration) -> None:
    bridge: Mapping[str, str] | None = configuration.body["conversationsV1Bridge"]
    if bridge is None:
        return
    holder = await store.bridged(unit, configuration.account_id, bridge["serviceId"])
    if holder not in {None, configuration.id}:
        raise _conflict(f"configuration {holder} already bridges service {bridge['serviceId']}", holder)


def _conflict(message: str, resource_id: str) -> Conflict:
    return Conflict(
        message, details={"conflictingResourceId": resource_id}, headers={"X-Conflicting-Resource-Id": resource_id}
    )


async def _complete(unit: Unit, configuration: Configuration) -> Operation:
    await adopt_store(unit, configuration.account_id, configuration.settings.memory_store_id)
    return await operations.complete(unit, configuration.account_id, related={"configurationId": configuration.id})


def _configuration(row: Row[Any]) -> Configuration:
    settings = settings_from_wire(row.settings)
    return Configuration(row.account_id, row.id, row.version, row.settings, settings, row.created_at, row.updated_at)
