"""Statements on participants, set-based: each works on many conversations at once."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Row, select

from orchestrator.domain.addresses import Channel
from orchestrator.domain.identity import ParticipantType
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit
from orchestrator.participants.model import OwnedAddress, Participant
from orchestrator.tables.conversation import participants

ConversationKey = tuple[str, str]
"""Account id, conversation id."""


async def of_conversations(
    unit: Unit, conversations: Collection[ConversationKey]
) -> dict[ConversationKey, list[Participant]]:
    """The participants of each conversation, oldest first, with their addresses."""
    rows = await unit.driver.fetch(
        """
        select p.account_id, p.conversation_id, p.id, p.name, p.type, p.profile_id, p.created_at, p.updated_at,
               a.channel, a.address, a.canonical, a.channel_id
        from participants p
        left join participant_addresses a on a.account_id = p.account_id and a.conversation_id = p.conversation_id
                                         and a.participant_id = p.id
        where (p.account_id, p.conversation_id) in (select * from unnest($1::text[], $2::text[]))
        order by p.id, a.added_at, a.channel, a.canonical
        """,
        [account_id for account_id, _ in conversations],
        [conversation_id for _, conversation_id in conversations],
    )
    found: dict[ConversationKey, dict[str, Participant]] = {key: {} for key in conversations}
    for row in rows:
        of_conversation = found[row["account_id"], row["conversation_id"]]
        participant = of_conversation.get(row["id"])
        if participant is None:
            participant = of_conversation[row["id"]] = Participant(
                row["account_id"],
                row["conversation_id"],
                row["id"],
                row["name"],
                ParticipantType(row["type"]),
                row["created_at"],
                row["updated_at"],
                row["profile_id"],
            )
        if row["channel"] is not None:
            participant.addresses.append(
                OwnedAddress(Channel(row["channel"]), row["address"], row["canonical"], row["channel_id"])
            )
    return {key: list(members.values()) for key, members in found.items()}


async def page_of_ids(unit: Unit, account_id: str, conversation_id: str, page: PageRequest) -> Page[Row[Any]]:
    """The ids of one page, oldest first."""
    statement = select(participants.c.id).where(
        participants.c.account_id == account_id, participants.c.conversation_id == conversation_id
    )
    return await fetch_page(unit, statement, page, order=[participants.c.id], descending=False)


async def insert(unit: Unit, members: Sequence[Participant]) -> None:
    """Write new participants (their addresses go by `insert_addresses`)."""
    await unit.driver.execute(
        """
        insert into participants (account_id, conversation_id, id, name, type, profile_id, created_at, updated_at)
        select account_id, conversation_id, id, name, type, profile_id, $7, $7
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[])
          as new (account_id, conversation_id, id, name, type, profile_id)
        """,
        *_columns(members),
        unit.now,
    )


async def update(unit: Unit, members: Sequence[Participant]) -> None:
    """Write what changed on participants that were there."""
    await unit.driver.execute(
        """
        update participants p
        set name = changed.name, type = changed.type, profile_id = changed.profile_id, updated_at = changed.updated_at
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[])
          as changed (account_id, conversation_id, id, name, type, profile_id, updated_at)
        where (p.account_id, p.conversation_id, p.id) = (changed.account_id, changed.conversation_id, changed.id)
        """,
        *_columns(members),
        [participant.updated_at for participant in members],
    )


async def insert_addresses(unit: Unit, owned: Sequence[tuple[Participant, OwnedAddress]]) -> None:
    """Give participants addresses, which then come in this order."""
    await unit.driver.execute(
        """
        insert into participant_addresses
          (account_id, conversation_id, participant_id, channel, canonical, address, channel_id, added_at)
        select account_id, conversation_id, participant_id, channel, canonical, address, channel_id,
               $8::timestamptz + position * interval '1 microsecond'
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
          with ordinality
          as new (account_id, conversation_id, participant_id, channel, canonical, address, channel_id, position)
        """,
        [participant.account_id for participant, _ in owned],
        [participant.conversation_id for participant, _ in owned],
        [participant.id for participant, _ in owned],
        [address.channel for _, address in owned],
        [address.canonical for _, address in owned],
        [address.address for _, address in owned],
        [address.channel_id for _, address in owned],
        unit.now,
    )


async def delete_addresses(unit: Unit, participant: Participant) -> None:
    """Take all addresses from a participant."""
    await unit.driver.execute(
        """
        delete from participant_addresses where account_id = $1 and conversation_id = $2 and participant_id = $3
        """,
        participant.account_id,
        participant.conversation_id,
        participant.id,
    )


async def update_addresses(unit: Unit, owned: Sequence[tuple[Participant, OwnedAddress]]) -> None:
    """Write which call or chat addresses stand for now."""
    await unit.driver.execute(
        """
        update participant_addresses a set channel_id = changed.channel_id
        from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[])
          as changed (account_id, conversation_id, channel, canonical, channel_id)
        where (a.account_id, a.conversation_id, a.channel, a.canonical)
            = (changed.account_id, changed.conversation_id, changed.channel, changed.canonical)
        """,
        [participant.account_id for participant, _ in owned],
        [participant.conversation_id for participant, _ in owned],
        [address.channel for _, address in owned],
        [address.canonical for _, address in owned],
        [address.channel_id for _, address in owned],
    )


def _columns(members: Sequence[Participant]) -> tuple[list[str | None], ...]:
    return (
        [participant.account_id for participant in members],
        [participant.conversation_id for participant in members],
        [participant.id for participant in members],
        [participant.name for participant in members],
        [participant.type for participant in members],
        [participant.profile_id for participant in members],
    )
