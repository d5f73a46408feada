"""Refusals of the Messages API, with the codes that its clients know.

Source: Twilio's error dictionary; each constant is the code of its page there.
"""

from orchestrator.kernel.errors import BadRequest, Conflict, OrchestratorError

INVALID_TO = 21211
"""`To` is no number or address that a message can go to.

What to do: write a number as `+` and its digits, WhatsApp as `whatsapp:+…`.
"""
INVALID_FROM = 21212
"""`From` is no number, sender id or address that a message can come from.

What to do: write a number as `+` and its digits, WhatsApp as `whatsapp:+…`.
"""
SAME_NUMBER = 21266
"""`To` and `From` are the same.

What to do: send to another address.
"""
NO_CONTENT = 21602
"""The message has neither `Body` nor `MediaUrl` nor `ContentSid`.

What to do: give it one of them.
"""
NO_FROM = 21603
"""The message has no `From`.

What to do: name the sender; a `MessagingServiceSid` alone is not enough here.
"""
NO_TO = 21604
"""The message has no `To`.

What to do: name the recipient.
"""
INVALID_CALLBACK = 21609
"""`StatusCallback` is no URL that may be called.

What to do: give an absolute URL; in production it must be HTTPS on a public host.
"""
TOO_LONG = 21617
"""`Body` has more than 1,600 characters.

What to do: send several messages.
"""
INVALID_MEDIA = 21620
"""A `MediaUrl` is not a URL.

What to do: give absolute http or https URLs.
"""
TOO_MANY_MEDIA = 21623
"""There are more than ten `MediaUrl`.

What to do: send several messages.
"""
INVALID_CONTENT = 21655
"""`ContentSid` is not the SID of a template.

What to do: a SID is `HX` and 32 hexadecimal digits.
"""
INVALID_VARIABLES = 21656
"""`ContentVariables` is not a JSON object of texts.

What to do: send an object such as `{"1": "Kiran"}`.
"""
MIXED_CHANNELS = 21910
"""`From` and `To` are of two channels.

What to do: use the same prefix, such as `whatsapp:`, on both.
"""
UNKNOWN_OUTCOME = 30008
NOT_SCHEDULED = 30409
"""A message is to be canceled by `Status`, and none waits for its time here.

What to do: leave `Status` out.
"""


class MessageRefused(BadRequest):
    """The message is not sent. `name` is the form field that is wrong, if one is."""

    def __init__(self, code: int, message: str, name: str | None = None, value: str | None = None) -> None:
        params = None if name is None else {"field": name, "value": None if value is None else value[:200]}
        super().__init__(message, params=params)
        self.code = code


class NotComplete(Conflict):
    """A message is to be changed or deleted that has not been delivered yet.

    What to do: wait until its `status` is `delivered`, and repeat.
    """

    code = 20009


class SendingUncertain(OrchestratorError):
    """The provider did not say whether it took the message, which is not handed over again.

    What to do: ask the provider whether the message is there before you send another one.
    """

    status = 502
    code = UNKNOWN_OUTCOME
