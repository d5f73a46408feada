"""What the properties of the domain rules are tried with."""

from hypothesis import reject
from hypothesis import strategies as st

from orchestrator.domain.addresses import Address, Channel, InvalidAddress, parse
from orchestrator.domain.messages import CallType, Direction, InboundMessage

channels = st.sampled_from(Channel)
phone_channels = st.sampled_from([Channel.VOICE, Channel.SMS, Channel.RCS, Channel.WHATSAPP])

phone_numbers = st.one_of(
    st.integers(2_000_000_000, 9_999_999_999).map("+1{}".format),
    st.integers(7_000_000_000, 7_999_999_999).map("+44{}".format),
    st.integers(1_500_000_000, 1_799_999_999).map("+49{}".format),
    st.integers(10_000_000, 99_999_999).map("+3906{}".format),  # Italy keeps the zero
    st.integers(900_000_000, 999_999_999).map("+5511{}".format),
    st.integers(6_000_000_000, 9_999_999_999).map("+91{}".format),
)
"""Numbers as the world's numbering plans have them, in E.164 form."""

prefixes = st.sampled_from(["", "tel:", "sms:", "whatsapp:", "rcs:"])
_outer_spaces = st.sampled_from(["", " ", "\u00a0"])
_separators = st.sampled_from([" ", ".", "-", "\u00a0", " - ", "(", ")"])
_casings = st.sampled_from([str.lower, str.upper, str.title])


@st.composite
def written(draw: st.DrawFn, number: str) -> str:
    """A way to write an E.164 number down: punctuated, in parentheses, behind a prefix in any case."""
    cuts = draw(st.dictionaries(st.integers(1, len(number) - 1), _separators, max_size=4))
    opening = "(" if draw(st.booleans()) else ""
    digits = opening + "".join(cuts.get(position, "") + digit for position, digit in enumerate(number))
    prefix = draw(_casings)(draw(prefixes))
    return f"{draw(_outer_spaces)}{prefix}{draw(_outer_spaces)}{digits}{draw(_outer_spaces)}"


_of_names = st.sampled_from(["whatsapp:", "RCS:", "sms:", "Tel:", "client:", "Ann", "*", "\\", "_", "ß", "İ", " "])
_of_numbers = st.sampled_from(["+", "1", "0", "00", "44", "261", "555123", "4567", " ", "-", "(", ")", "/", "\x85"])
_of_sip = st.sampled_from(["sip:", "SIPS:", "@", "Example.COM", ":5060", "[::1]", ";a=b", "?x=y", " "])
texts = st.one_of(st.text(), st.lists(_of_names | _of_numbers | _of_sip, max_size=12).map("".join))
"""Arbitrary text, and text that nearly is an address."""

identities = st.text(st.characters(exclude_categories=["Z", "C"], exclude_characters="+*"), min_size=1).filter(
    lambda text: not text.lower().startswith(("whatsapp:", "rcs:", "sms:", "tel:", "client:", "sip:", "sips:"))
)
"""Names of chat and client users: anything without spaces that does not read like another kind of address."""


def address_or_none(channel: Channel, text: str) -> Address | None:
    """The address that a text is, if it can be one."""
    try:
        return parse(channel, text)
    except InvalidAddress:
        return None


@st.composite
def addresses(draw: st.DrawFn, channel: Channel | None = None) -> Address:
    """Any address, of one channel or of any."""
    address = address_or_none(channel or draw(channels), draw(phone_numbers | texts))
    if address is None:
        reject()
    return address


def message(
    author: Address,
    recipient: Address,
    *,
    direction: Direction | None = None,
    call_type: CallType | None = None,
    attributes: dict[str, str] | None = None,
) -> InboundMessage:
    """A message between two addresses; nothing else of it matters to the rules."""
    return InboundMessage(
        account_id="AC00000000000000000000000000000001",
        author=author,
        recipient=recipient,
        content={"type": "TEXT", "text": "Hello"},
        resource_id="SM1",
        channel_id="SM1",
        direction=direction,
        attributes={**(attributes or {}), **({"callType": call_type} if call_type else {})},
    )
