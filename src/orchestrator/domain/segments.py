"""How many SMS segments a text takes: GSM 03.38 (7 bits) where all of it fits, else UCS-2."""

import math

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")
"""Each takes two of the 7-bit characters."""


def segments(text: str) -> int:
    """At least one. A text in parts loses some characters of each part to their numbering.

    >>> segments("a" * 160), segments("a" * 161), segments("ы" * 71)
    (1, 2, 2)
    """
    if all(one in _BASIC or one in _EXTENDED for one in text):
        length, alone, each = sum(2 if one in _EXTENDED else 1 for one in text), 160, 153
    else:
        length, alone, each = len(text.encode("utf-16-be", "replace")) // 2, 70, 67
    return 1 if length <= alone else math.ceil(length / each)
