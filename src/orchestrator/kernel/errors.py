"""Errors that clients see: one tree, each class with its HTTP status and a stable code.

What a class is for and what its client can do is in its docstring, here and in the classes of other modules:
`docs/errors.md` is made of them.

The body is Twilio's `{code, message, more_info, status}` with the additions of the docs page
(`httpStatusCode`, `userError`, `params`/`details`); never both `type` and `title`, because the official Python SDK
would then raise another exception class than the one users catch.
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class OrchestratorError(Exception):
    """A failure inside the service, which changed nothing; the root of all other errors.

    What to do: look for the answer's `Twilio-Request-Id` in the service's log, where the cause is.
    """

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
    """The request is malformed, or asks for what the rules do not allow.

    What to do: read `message`, which names the field; `details.errors` lists all that are wrong.
    """

    status = 400
    code = 20001


class Unauthorized(OrchestratorError):
    """No credentials, or wrong ones.

    What to do: send Basic auth with account SID and auth token, or API key SID and secret.
    """

    status = 401
    code = 20003


class WrongSignature(OrchestratorError):
    """Provider traffic without a valid X-Twilio-Signature.

    What to do: sign with the auth token of the account in `AccountSid`, over the very URL that the service is
    reached by; behind a proxy that is `ORCHESTRATOR_PUBLIC_URL` and the path.
    """

    status = 403
    code = 20403


class OnlyInDevMode(OrchestratorError):
    """What only a service in dev mode does, because it is no good for the data of real customers.

    What to do: use a service of your own on your machine; or set `ORCHESTRATOR_MODE=dev` where no real data is.
    """

    status = 403
    code = 20423


class NotFound(OrchestratorError):
    """Nothing of that id in the account; ids of other accounts and malformed ids look the same.

    What to do: check the id, the path, and whose credentials you send.
    """

    status = 404
    code = 20404


class MethodNotAllowed(OrchestratorError):
    """The path exists, the method does not.

    What to do: use one of the methods in the header `Allow`.
    """

    status = 405
    code = 20004


class Conflict(OrchestratorError):
    """The request collides with what is there.

    What to do: read `message`; where another resource is in the way, `details` or `X-Conflicting-Resource-Id` names it.
    """

    status = 409
    code = 20409


class WouldDelete(Conflict):
    """A strict request leaves out fields that it does not name for deletion.

    What to do: send the fields in `details.fields` too, or name them in the header `Orchestrator-Delete`.
    """

    code = 20419


class Gone(OrchestratorError):
    """What is asked for was there, and is past its keeping.

    What to do: read on from the position that `message` names; what was missed is in the resources themselves.
    """

    status = 410
    code = 20410


class PreconditionFailed(OrchestratorError):
    """The resource is not at the version that `If-Match` names.

    What to do: read the resource again, look at what somebody else has changed, and send its new `ETag`.
    """

    status = 412
    code = 20412


class PayloadTooLarge(OrchestratorError):
    """The request body is longer than the limit.

    What to do: send less at once, or raise `ORCHESTRATOR_MAX_BODY_BYTES`.
    """

    status = 413
    code = 20413


class UnsupportedMediaType(OrchestratorError):
    """A body that is not JSON where JSON is required, or is compressed in another way than is understood.

    What to do: send `Content-Type: application/json`, to the Messages API a form; compress with gzip or deflate alone.
    """

    status = 415
    code = 20415


class Unavailable(OrchestratorError):
    """The service cannot answer now; the request may be repeated.

    What to do: repeat it after the seconds in `Retry-After`, with the same `Idempotency-Key` where you sent one.
    """

    status = 503
    code = 20503


class Moved(Exception):
    """What a path names has another id now: the client is sent there. The unit is rolled back."""

    def __init__(self, old: str, new: str, *, headers: Mapping[str, str]) -> None:
        super().__init__(f"{old} is {new} now")
        self.old = old
        self.new = new
        self.headers = dict(headers)
