"""What is there of a migration: the two configurations, and the old one's open conversations.

Everything is read from the service, so a run that broke off is taken up where it was. While it lasts, the description
of the new configuration ends with a mark that names the old one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orchestrator.cli.api import Api
from orchestrator.cli.errors import CommandFailed, WrongUsage
from orchestrator.configurations.service import MOST_CONFIGURATIONS
from orchestrator.domain.configuration import GroupingType

Body = Mapping[str, Any]

CONFIGURATIONS = "/v2/ControlPlane/Configurations"
CONVERSATIONS = "/v2/Conversations"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody asked for."""

    old_id: str
    grouping: GroupingType
    name: str | None = None
    """Of the new configuration; None for the old one's."""
    closes: bool = True
    """Whether the old one's open conversations are closed, or left to their timers."""

    @property
    def mark(self) -> str:
        """What the description of the new configuration ends with until all is done."""
        return f" [replaces {self.old_id}]"


@dataclass(frozen=True, slots=True)
class State:
    """How far it has got."""

    old: Body | None
    """None once it is deleted."""
    new: Body | None
    """None until it is made."""
    bridge: Mapping[str, str] | None
    """The classic service that the new one is to bridge, and does not yet."""
    open_conversations: tuple[str, ...]
    """Of the old one."""


async def look(api: Api, wish: Wish) -> State:
    """The state. Raises CommandFailed where there is nothing to migrate, or nobody can tell what was meant."""
    found = [one async for one in api.every(CONFIGURATIONS, "configurations")]
    old = next((one for one in found if one["id"] == wish.old_id), None)
    new = _successor(found, wish)
    if old is None and new is None:
        raise CommandFailed(f"there is no configuration {wish.old_id}: it was migrated and deleted, or never there")
    if old is not None and old["conversationGroupingType"] == wish.grouping:
        raise WrongUsage(f"configuration {wish.old_id} has the grouping type {wish.grouping} already")
    if new is None and len(found) >= MOST_CONFIGURATIONS:
        raise CommandFailed(
            f"the account has {len(found)} configurations, which is the most: delete one, because the old and the new "
            "one are there side by side for a while"
        )
    return State(old, new, await _bridge(api, old, new), await open_conversations(api, wish.old_id))


def _successor(found: Sequence[Body], wish: Wish) -> Body | None:
    marked = [one for one in found if str(one["description"]).endswith(wish.mark)]
    if len(marked) > 1:
        several = ", ".join(str(one["id"]) for one in marked)
        raise CommandFailed(f"the configurations {several} all say that they replace {wish.old_id}: delete all but one")
    for one in marked:
        if one["conversationGroupingType"] != wish.grouping:
            raise CommandFailed(
                f"a migration to {one['conversationGroupingType']} has begun (configuration {one['id']}): finish that "
                f"one, or delete {one['id']} if it has no capture rules yet"
            )
        return one
    return None


async def _bridge(api: Api, old: Body | None, new: Body | None) -> Mapping[str, str] | None:
    """The old one's bridge. Only one configuration may have it, so a break may leave it with neither for a moment."""
    if old is None or (new is not None and new["conversationsV1Bridge"]):
        return None
    bridge: Mapping[str, str] | None = old["conversationsV1Bridge"]
    if bridge is None and new is not None and old["version"] > 1:
        path = f"/orchestrator/v1/Configurations/{old['id']}/Versions/{old['version'] - 1}"
        bridge = (await api.get(path))["settings"]["conversationsV1Bridge"]
    return bridge


async def open_conversations(api: Api, configuration_id: str) -> tuple[str, ...]:
    """Those of a configuration that are ACTIVE or INACTIVE, oldest first."""
    found = api.every(CONVERSATIONS, "conversations", status="ACTIVE,INACTIVE")
    return tuple([str(one["id"]) async for one in found if one["configurationId"] == configuration_id])[::-1]
