"""What every page of the console shares: who is signed in, that no other site asked, headers, errors as pages."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol
from urllib.parse import parse_qsl, quote, urlsplit

import orjson
from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import RedirectResponse, Response

from orchestrator.console.api import Refused
from orchestrator.console.rendering import render
from orchestrator.console.sessions import IDLE, Session, Sessions
from orchestrator.kernel.errors import BadRequest, OrchestratorError, Unauthorized, WrongSignature
from orchestrator.kernel.http import render_error
from orchestrator.kernel.secrets import same

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    # Not `no-referrer`: then browsers hide the Origin of forms, too, by which other sites are told apart.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_FORM = "application/x-www-form-urlencoded"


class Forbidden(OrchestratorError):
    """A form of the console did not come from a page of this session.

    What to do: load the page again, and send its form.
    """

    status = WrongSignature.status
    code = WrongSignature.code


class Accounts(Protocol):
    """Finds the account behind credentials; the application has one for the API."""

    async def authenticate(self, authorization: str | None) -> str: ...

    async def auth_tokens(self, account_id: str) -> tuple[str, ...]: ...


class Open(APIRoute):
    """A route of the console that anybody may see. Refusals and failures become pages, not JSON."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            try:
                response = await self.answer(request, handle)
            except Exception as error:  # whatever it is, somebody looks at a page
                response = _error_page(request, error)
            response.headers.update(_HEADERS)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return guarded

    async def answer(self, request: Request, handle: Handler) -> Response:
        """The page."""
        request.state.session = None
        if request.method == "POST":
            _check_origin(request)
            request.state.form = await _form(request)
        return await handle(request)


class SignedIn(Open):
    """A page for whoever is signed in; others are sent to sign in first."""

    async def answer(self, request: Request, handle: Handler) -> Response:
        session = await _session(request)
        if session is None:
            return to_login(request)
        request.state.session = session
        if request.method == "POST":
            _check_origin(request)
            request.state.form = await _form(request)
            _check_form_token(request, session)
        response = await handle(request)
        is_over = request.state.session is None
        if session.is_old and not is_over and not is_fragment(request):  # a page that is left open is not used
            keep(request, response, session)
        return response


def is_fragment(request: Request) -> bool:
    """Whether a page that is there already asks for its new content."""
    return request.headers.get("hx-request") == "true"


def sessions_of(request: Request) -> Sessions:
    """Reads and writes the cookies."""
    found: Sessions = request.app.state.sessions
    return found


async def account_of(request: Request, session: Session) -> str | None:
    """The account of a session; None once its credentials are no longer valid.

    The API takes an auth token for a while after it was rotated, so that clients can change over. Sessions end with
    the rotation: whoever rotates wants everybody out.
    """
    accounts: Accounts = request.app.state.authenticator
    try:
        account_id = await accounts.authenticate(session.authorization)
    except Unauthorized:
        return None
    if not session.username.startswith("SK"):
        tokens = await accounts.auth_tokens(account_id)
        if not tokens or not same(tokens[0], session.secret):
            return None
    return account_id


def keep(request: Request, response: Response, session: Session) -> None:
    """Have the browser keep a session."""
    sessions = sessions_of(request)
    response.set_cookie(
        sessions.cookie,
        sessions.seal(session),
        max_age=int(IDLE.total_seconds()),
        path="/console",
        secure=session.is_secure,
        httponly=True,
        samesite="strict",
    )


def to_login(request: Request) -> Response:
    """Sign in, and come back to what was asked for."""
    here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    target = f"/console/login?next={quote(here, safe='')}" if request.method == "GET" else "/console/login"
    if is_fragment(request):
        return Response(status_code=200, headers={"HX-Redirect": target})
    return RedirectResponse(target, status_code=303)


async def _session(request: Request) -> Session | None:
    sessions = sessions_of(request)
    session = sessions.read(request.cookies.get(sessions.cookie, ""))
    if session is None:
        return None
    account_id = await account_of(request, session)
    request.state.account_id = account_id
    return session if account_id is not None else None


def _check_origin(request: Request) -> None:
    """Raise Forbidden when another site had the browser send this."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site not in {"same-origin", "none"}:
            raise Forbidden("this form was sent from another site")
        return
    origin = request.headers.get("origin")
    public_url: str | None = request.app.state.settings.public_url
    hosts = {request.headers.get("host"), public_url and urlsplit(public_url).netloc}
    if origin is not None and urlsplit(origin).netloc not in hosts:
        raise Forbidden("this form was sent from another site")


def _check_form_token(request: Request, session: Session) -> None:
    given = request.headers.get("x-form-token") or request.state.form.get("formToken", "")
    if not same(given, session.form_token):
        raise Forbidden("this form is not of your session: go back, load the page again, and repeat")


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a form; of a field that comes twice, the last value. Raises BadRequest."""
    content_type = request.headers.get("content-type", _FORM).partition(";")[0].strip().lower()
    try:
        text = (await request.body()).decode()
    except UnicodeDecodeError as error:
        raise BadRequest("the form is not UTF-8") from error
    if content_type != _FORM or "\x00" in text or "%00" in text:
        raise BadRequest("send a form, as application/x-www-form-urlencoded and without the character U+0000")
    return dict(parse_qsl(text, keep_blank_values=True, errors="replace"))


def _error_page(request: Request, error: Exception) -> Response:
    if isinstance(error, Refused):
        status, code, message = error.answer.status, error.answer.code, error.answer.message
        asked = error.answer.request
    else:
        body = orjson.loads(bytes(render_error(error).body))  # which also writes failures to the log
        status, code, message, asked = body["status"], body["code"], body["message"], None
    return render(request, "error.html", status, code=code, message=message, asked=asked)
