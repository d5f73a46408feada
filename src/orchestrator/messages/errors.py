"""Refusals of the Messages API, with the codes that its clients know.

Source: Twilio's error dictionary; each constant is the code of its page there.
"""

from orchestrator.kernel.errors import BadRequest, OrchestratorError

INVALID_TO = 21211
INVALID_FROM = 21212
SAME_NUMBER = 21266
NO_CONTENT = 21602
NO_FROM = 21603
NO_TO = 21604
INVALID_CALLBACK = 21609
TOO_LONG = 21617
INVALID_MEDIA = 21620
TOO_MANY_MEDIA = 21623
INVALID_CONTENT = 21655
INVALID_VARIABLES = 21656
MIXED_CHANNELS = 21910
UNKNOWN_OUTCOME = 30008


class MessageRefused(BadRequest):
    """The message is not sent. `name` is the form field that is wrong, if one is."""

    def __init__(self, code: int, message: str, name: str | None = None, value: str | None = None) -> None:
        params = None if name is None else {"field": name, "value": None if value is None else value[:200]}
        super().__init__(message, params=params)
        self.code = code


class SendingUncertain(OrchestratorError):
    """The provider did not say whether it took the message, which is not handed over again."""

    status = 502
    code = UNKNOWN_OUTCOME
