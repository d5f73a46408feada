"""What somebody looks for, in the forms in which it may be kept."""

import re
from dataclasses import dataclass

from orchestrator.domain.addresses import Channel, InvalidAddress, canonical, is_e164

_WRITTEN_AS_NUMBER = re.compile(r"(?:\+|00)?[0-9][0-9 .()/\u00a0-]{5,24}")
_WILD = re.compile(r"([\\%_])")


@dataclass(frozen=True, slots=True)
class Terms:
    """One search."""

    text: str
    """As it was written, without spaces around it."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """The canonical addresses that it may be; a number also if it is written without its `+`.

        >>> Terms("001 (555) 123-4567").addresses
        ('001 (555) 123-4567', '+15551234567')
        """
        written = [(channel, self.text) for channel in (Channel.SMS, Channel.EMAIL)]
        if _WRITTEN_AS_NUMBER.fullmatch(self.text):
            written.append((Channel.SMS, "+" + self.text.removeprefix("+").removeprefix("00").lstrip()))
        found = [one for channel, text in written if (one := _canonical(channel, text)) is not None]
        return tuple(dict.fromkeys(found))

    @property
    def digits(self) -> tuple[str, ...]:
        """The digits of those that are phone numbers."""
        return tuple(one.removeprefix("+") for one in self.addresses if is_e164(one))

    @property
    def pattern(self) -> str:
        """For `ilike`: what holds the text, whose wildcards are no wildcards."""
        return "%" + _WILD.sub(r"\\\1", self.text) + "%"


def _canonical(channel: Channel, text: str) -> str | None:
    try:
        return canonical(channel, text)
    except InvalidAddress:
        return None
