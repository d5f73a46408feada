"""Numbers that are written in two ways: what an operator, a handset and WhatsApp each take for the number.

| country   | one form            | the other form     | since                                              |
|-----------|---------------------|--------------------|----------------------------------------------------|
| Brazil    | `+55 AA 9NNNN-NNNN` | `+55 AA NNNN-NNNN` | mobile numbers got a ninth digit; the eight begin with 6 to 9 |
| Argentina | `+54 9 AREA NUMBER` | `+54 AREA NUMBER`  | from abroad a mobile number is dialled with a 9    |
| Mexico    | `+52 1 NNNNNNNNNN`  | `+52 NNNNNNNNNN`   | until 2019 a mobile number was dialled with a 1    |

`phonenumbers` keeps all of these as they are, although it takes the older ones for impossible; so the forms are told
apart by their length and their first digits.
"""

import re
from functools import lru_cache

_CACHED_NUMBERS = 1 << 16
_FORMS = (
    (re.compile(r"\+55([1-9][1-9])9([6-9][0-9]{7})"), r"+55\1\2"),
    (re.compile(r"\+55([1-9][1-9])([6-9][0-9]{7})"), r"+55\g<1>9\2"),
    (re.compile(r"\+549((?:11|[23][0-9])[0-9]{8})"), r"+54\1"),
    (re.compile(r"\+54((?:11|[23][0-9])[0-9]{8})"), r"+549\1"),
    (re.compile(r"\+521([2-9][0-9]{9})"), r"+52\1"),
    (re.compile(r"\+52([2-9][0-9]{9})"), r"+521\1"),
)


@lru_cache(maxsize=_CACHED_NUMBERS)
def variants(e164: str) -> tuple[str, ...]:
    """The other forms of an E.164 number, which is never one of them; none for most numbers, and for what is none.

    Whoever is a variant of a number has the number as a variant.

    >>> variants("+5511987654321")
    ('+551187654321',)
    >>> variants("+551132654321")
    ()
    """
    return tuple(form.sub(other, e164) for form, other in _FORMS if form.fullmatch(e164))
