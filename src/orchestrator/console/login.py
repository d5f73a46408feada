"""Signing in and out."""

import asyncio
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.param_functions import Query
from starlette.responses import RedirectResponse, Response

from orchestrator.console.edge import Open, SignedIn, account_of, keep, sessions_of
from orchestrator.console.page import InPage, local
from orchestrator.console.rendering import render
from orchestrator.kernel.errors import Unauthorized

SLOWED = 1.0
"""Seconds that a failed attempt takes, whatever was wrong with it."""

router = APIRouter(prefix="/console", route_class=Open, include_in_schema=False)
leaving = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)

Next = Annotated[str | None, Query(alias="next")]


@router.get("/login")
async def ask_who(request: Request, to: Next = None) -> Response:
    return render(request, "login.html", to=local(to), username="", wrong=None)


@router.post("/login")
async def sign_in(request: Request) -> Response:
    slowed_until = asyncio.get_running_loop().time() + SLOWED
    form = request.state.form
    username, to = form.get("username", "").strip(), local(form.get("next"))
    sessions = sessions_of(request)
    session = sessions.begin(username, form.get("secret", "").strip(), is_secure=_is_secure(request))
    if await account_of(request, session) is None:
        await asyncio.sleep(slowed_until - asyncio.get_running_loop().time())
        wrong = Unauthorized("the credentials are not those of an account or API key")
        return render(request, "login.html", wrong.status, to=to, username=username, wrong=wrong)
    response = RedirectResponse(to, status_code=303)
    keep(request, response, session)
    return response


@leaving.post("/logout")
async def sign_out(request: Request, page: InPage) -> Response:
    response = page.go("/console/login")
    response.delete_cookie(sessions_of(request).cookie, path="/console")
    request.state.session = None  # or an old one would be renewed
    return response


def _is_secure(request: Request) -> bool:
    """Whether the browser speaks https, which it tells itself when a proxy hides it."""
    return "https" in {request.url.scheme, urlsplit(request.headers.get("origin", "")).scheme}
