"""Which different identifiers are taken for those of one person."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Linking:
    """What recognition looks at beside the identifier that was used."""

    phone_and_whatsapp: bool = True
    """A WhatsApp number is the phone number that it is."""
    number_variants: bool = True
    """The two forms in which numbers of some countries are written are one (`domain.variants`)."""


LINKED = Linking()
"""All that can be linked is."""
