"""Errors that clients see: one tree, each class with its HTTP status and a stable code.

The body is Twilio's `{code, message, more_info, status}` with the additions of the docs page
(`httpStatusCode`, `userError`, `params`/`details`); never both `type` and `title`, because the official Python SDK
would then raise another exception class than the one users catch.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class OrchestratorError(Exception):
    """The request cannot be answered."""

    status: ClassVar[int] = 500
    code: int = 20500

    def __init__(
        self,
        message: str,
        *,
        params: Mapping[str, Any] | None = None,
        details: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.params = params
        self.details = details
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        return error_body(self.status, self.code, self.message, params=self.params, details=self.details)


def error_body(
    status: int,
    code: int,
    message: str,
    *,
    params: Mapping[str, Any] | None = None,
    details: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Twilio's error body."""
    body: dict[str, Any] = {
        "code": code,
        "message": message,
        "more_info": f"https://www.twilio.com/docs/errors/{code}",
        "status": status,
        "httpStatusCode": status,
        "userError": 400 <= status < 500,
    }
    if params is not None:
        body["params"] = dict(params)
    if details is not None:
        body["details"] = dict(details)
    return body


class BadRequest(OrchestratorError):
    """The request is malformed, or asks for what the rules do not allow."""

    status = 400
    code = 20001


class Unauthorized(OrchestratorError):
    """No credentials, or wrong ones."""

    status = 401
    code = 20003


class WrongSignature(OrchestratorError):
    """Provider traffic without a valid X-Twilio-Signature."""

    status = 403
    code = 20403


class NotFound(OrchestratorError):
    """Nothing of that id in the account; ids of other accounts and malformed ids look the same."""

    status = 404
    code = 20404


class MethodNotAllowed(OrchestratorError):
    """The path exists, the method does not."""

    status = 405
    code = 20004


class Conflict(OrchestratorError):
    """The request collides with what is there."""

    status = 409
    code = 20409


class WouldDelete(Conflict):
    """A strict request leaves out fields that it does not name for deletion."""

    code = 20419


class Gone(OrchestratorError):
    """What is asked for was there, and is past its keeping."""

    status = 410
    code = 20410


class PreconditionFailed(OrchestratorError):
    """The resource is not at the version that `If-Match` names."""

    status = 412
    code = 20412


class PayloadTooLarge(OrchestratorError):
    """The request body is longer than the limit."""

    status = 413
    code = 20413


class UnsupportedMediaType(OrchestratorError):
    """A body that is not JSON where JSON is required."""

    status = 415
    code = 20415


class Unavailable(OrchestratorError):
    """The service cannot answer now; the request may be repeated."""

    status = 503
    code = 20503


class Moved(Exception):
    """What a path names has another id now: the client is sent there. The unit is rolled back."""

    def __init__(self, old: str, new: str, *, headers: Mapping[str, str]) -> None:
        super().__init__(f"{old} is {new} now")
        self.old = old
        self.new = new
        self.headers = dict(headers)
