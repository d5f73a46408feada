"""Whatever happens in a conversation, an accepted message reaches who wrote last, or whom the caller named by address.

A model that keeps a plain diary of who owns what and who said what, beside the rules that judge an action.
"""

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from orchestrator.actions.model import Content, Correspondent, Message, Said
from orchestrator.actions.safety import Named, check_presence, check_replies, in_question, lost_recipient
from orchestrator.conversations.model import Conversation
from orchestrator.domain.addresses import Address, Channel, parse
from orchestrator.domain.configuration import GroupingType, Settings
from orchestrator.domain.identity import ParticipantType
from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.errors import BadRequest
from orchestrator.participants.model import Participant, owned_address

START = datetime(2026, 2, 3, tzinfo=UTC)
US = parse(Channel.SMS, "+16505550199")
NUMBERS = ("+15551234567", "+15559876543", "+15550000003")
POOL = [parse(channel, number) for number in NUMBERS for channel in (Channel.SMS, Channel.WHATSAPP)]
TYPES = (ParticipantType.CUSTOMER, ParticipantType.CUSTOMER, ParticipantType.UNKNOWN, ParticipantType.AGENT)
any_number = st.integers(0, 1_000)


class Replies(RuleBasedStateMachine):
    """People join, write, become one and are told apart again, gain addresses and lose them."""

    def __init__(self) -> None:
        super().__init__()
        nothing = Settings(GroupingType.PROFILE, "", {}, {}, (), frozenset())
        self.conversation = Conversation("AC", "conv", None, None, nothing, Status.ACTIVE, START, START, ())
        self.diary: list[tuple[str, Address]] = []
        """Who said something, and from where; the latest is the last."""
        self.profiles = 0

    @property
    def members(self) -> list[Participant]:
        return self.conversation.participants

    def any_member(self, number: int) -> Participant:
        return self.members[number % len(self.members)]

    def free(self) -> list[Address]:
        taken = {(own.channel, own.canonical) for member in self.members for own in member.addresses}
        return [one for one in POOL if (one.channel, one.canonical) not in taken]

    def new_profile(self) -> str:
        self.profiles += 1
        return f"profile {self.profiles}"

    @initialize()
    def two_customers(self) -> None:
        for position in range(2):
            self.join(position, ParticipantType.CUSTOMER)

    @precondition(lambda self: self.free())
    @rule(address=any_number, of_type=st.sampled_from(TYPES))
    def join(self, address: int, of_type: ParticipantType) -> None:
        owned = owned_address(self.free()[address % len(self.free())])
        profile = None if of_type is ParticipantType.UNKNOWN else self.new_profile()  # our side may be given one too
        id_ = f"p{len(self.members)}"
        self.members.append(Participant("AC", "conv", id_, id_, of_type, START, START, profile, [owned]))

    @precondition(lambda self: self.free())
    @rule(number=any_number, address=any_number)
    def gain(self, number: int, address: int) -> None:
        self.any_member(number).addresses.append(owned_address(self.free()[address % len(self.free())]))

    @precondition(lambda self: len(self.members) > 1)
    @rule(giver=any_number, taker=any_number)
    def lose_to_another(self, giver: int, taker: int) -> None:
        """As when two profiles are taken apart again."""
        if self.any_member(giver).addresses:
            self.any_member(taker).addresses.append(self.any_member(giver).addresses.pop())

    @rule(one=any_number, other=any_number)
    def become_one(self, one: int, other: int) -> None:
        gone, kept = self.any_member(one).profile_id, self.any_member(other).profile_id
        for member in self.members:
            if gone and kept and member.profile_id == gone:
                member.profile_id = kept

    @rule(number=any_number)
    def be_told_apart(self, number: int) -> None:
        if self.any_member(number).profile_id is not None:
            self.any_member(number).profile_id = self.new_profile()

    @rule(number=any_number, which=any_number)
    def write(self, number: int, which: int) -> None:
        member = self.any_member(number)
        if member.addresses:
            self.diary.append((member.id, member.addresses[which % len(member.addresses)].value))

    @invariant()
    def participants_are_met_where_they_wrote_last(self) -> None:
        """At whichever of its addresses one is met: how it is chosen does not matter."""
        for member, reached in self.owned():
            recipient = Correspondent(reached, member.id)
            last = self.last_of_customer(member)
            assert self.accepts(recipient, by_address=False) == (last is None or last.canonical == reached.canonical)
            assert self.accepts(recipient, by_address=True)
            assert self.accepts(recipient, by_address=False, force=True)

    @invariant()
    def addresses_are_met_if_they_are_in_the_conversation(self) -> None:
        """A number there is one phone, whatever the channel."""
        there = {own.canonical for _, own in self.owned()}
        for address in POOL:
            for force in (False, True):
                accepted = self.accepts(Correspondent(address), by_address=True, force=force)
                assert accepted == (address.canonical in there)

    @invariant()
    def what_was_accepted_is_sent_to_who_was_meant(self) -> None:
        for member in self.members:
            for address in POOL:
                message = Message("AC", Correspondent(US), (Correspondent(address, member.id),), Content("hello"), {})
                exact = [one.id for one in self.members if one.owned(address)]
                owners = exact or [one.id for one in self.members if one.has(address)]
                assert (lost_recipient(self.conversation, message) is None) == (member.id in owners)

    def owned(self) -> list[tuple[Participant, Address]]:
        return [(member, own.value) for member in self.members for own in member.addresses]

    def last_of_customer(self, member: Participant) -> Address | None:
        if member.type is ParticipantType.AGENT:
            return None
        theirs = {member.id} | {
            other.id
            for other in self.members
            if other.type is ParticipantType.CUSTOMER and member.profile_id and other.profile_id == member.profile_id
        }
        return next((address for id_, address in reversed(self.diary) if id_ in theirs), None)

    def accepts(self, recipient: Correspondent, *, by_address: bool, force: bool = False) -> bool:
        named = [Named("/payload/to/0", recipient, by_address)]
        try:
            check_presence(self.conversation, named)
            if not force:
                check_replies(named, in_question(self.conversation, named), self.said())
        except BadRequest:
            return False
        return True

    def said(self) -> dict[str, Said]:
        """The last of each, as the store tells it."""
        return {
            id_: Said(id_, address, f"{place:04d}", START + timedelta(seconds=place // 2))
            for place, (id_, address) in enumerate(self.diary)
        }


def test_nothing_accepted_goes_astray() -> None:
    run_state_machine_as_test(Replies, settings=settings(max_examples=40, stateful_step_count=20))
