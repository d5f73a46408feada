"""Conversations that a caller creates, with the participants that they begin with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orchestrator.configurations import service as configurations
from orchestrator.configurations.model import Configuration
from orchestrator.conversations import service
from orchestrator.conversations.holding import hold
from orchestrator.conversations.model import Conversation
from orchestrator.conversations.telling import tell
from orchestrator.domain.addresses import Channel
from orchestrator.domain.configuration import Settings, StatusCallback, settings_from_wire
from orchestrator.domain.lifecycle import Status
from orchestrator.domain.linking import Linking
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.fields import refused
from orchestrator.kernel.ids import CONVERSATION, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.memory.service import adopt_store
from orchestrator.outbox.record import Outbox
from orchestrator.participants import introducing
from orchestrator.participants import service as participants
from orchestrator.participants.introducing import Directory, Introduction


@dataclass(frozen=True, slots=True)
class Creation:
    """A conversation as a caller wants it. One of `configuration` and `own_body` is given, or both."""

    account_id: str
    configuration: Configuration | None = None
    own_body: Mapping[str, Any] | None = None
    """Its own settings whole, where they differ from the configuration's."""
    own_callbacks: tuple[StatusCallback, ...] | None = None
    name: str | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)
    introductions: tuple[Introduction, ...] = ()

    @property
    def settings(self) -> Settings:
        """In force from the beginning."""
        if self.own_body is not None:
            return settings_from_wire(self.own_body)
        assert self.configuration is not None
        return self.configuration.settings


async def create(unit: Unit, wish: Creation, *, linking: Linking) -> Conversation:
    """Create a conversation with its participants, all or nothing.

    Raises BadRequest when two participants bring the same address; AddressConflict when an open conversation holds
    one of its grouping keys; NotFound when its configuration was deleted a moment ago.
    """
    _check_owners(wish.introductions)
    conversation = _new(unit, wish)
    store_id = conversation.settings.memory_store_id
    if wish.configuration is None and store_id:
        await adopt_store(unit, wish.account_id, store_id)
    directory = Directory(wish.account_id, store_id, linking)
    identified = await directory.identify(unit, wish.introductions)
    conversation.participants = [
        introducing.join(unit, (wish.account_id, conversation.id), introduction, who)
        for introduction, who in zip(wish.introductions, identified, strict=True)
    ]
    await _keep_configuration(unit, conversation)
    outbox = Outbox(unit)
    await hold(unit, outbox, conversation, conversation.participants)
    attendance = participants.joining(conversation.participants)
    tell(outbox, [conversation], attendance)
    await participants.write(unit, attendance)
    await service.save(unit, [conversation])
    await outbox.write()
    return conversation


def _new(unit: Unit, wish: Creation) -> Conversation:
    configuration, settings = wish.configuration, wish.settings
    return Conversation(
        account_id=wish.account_id,
        id=new_id(CONVERSATION),
        configuration_id=configuration.id if configuration else None,
        configuration_version=configuration.version if configuration else None,
        settings=settings,
        status=Status.ACTIVE,
        created_at=unit.now,
        updated_at=unit.now,
        live_callbacks=(configuration.settings if configuration else settings).status_callbacks,
        own_callbacks=wish.own_callbacks,
        name=wish.name,
        metadata=dict(wish.metadata),
        is_new=True,
        own_body=wish.own_body,
    )


def _check_owners(introductions: Sequence[Introduction]) -> None:
    """An address of a conversation belongs to one participant."""
    owned = set[tuple[Channel, str]]()
    for position, introduction in enumerate(introductions):
        for place, own in enumerate(introduction.addresses):
            if (own.channel, own.canonical) in owned:
                pointer = f"/participants/{position}/addresses/{place}/address"
                raise refused(pointer, "a participant before this one has the same address", own.address)
            owned.add((own.channel, own.canonical))


async def _keep_configuration(unit: Unit, conversation: Conversation) -> None:
    """From here on the configuration cannot be deleted before this unit ends."""
    if conversation.configuration_id is None:
        return
    if conversation.scope not in await configurations.lock_for_opening(unit, {conversation.scope}):
        raise NotFound(f"there is no configuration {conversation.configuration_id}")
