"""The HTTP edge that every route shares: request ids, authentication, JSON only, Twilio's error body."""

from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from typing import Annotated, Any, ClassVar, Protocol

import orjson
import structlog
from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import Response

from orchestrator.domain.linking import Linking
from orchestrator.kernel.errors import (
    BadRequest,
    MethodNotAllowed,
    Moved,
    NotFound,
    OrchestratorError,
    PayloadTooLarge,
    Unavailable,
    UnsupportedMediaType,
)
from orchestrator.kernel.paging import ListQuery
from orchestrator.kernel.unit import Unit, Units, is_transient

log = structlog.get_logger(__name__)


class Authenticates(Protocol):
    """Finds the account behind an `Authorization` header."""

    async def authenticate(self, authorization: str | None) -> str: ...


class ApiRoute(APIRoute):
    """A JSON route of the public API: authentication first, then the content type, then everything else."""

    bad_request_code: ClassVar[int] = BadRequest.code
    """Of a request that is malformed and has no code of its own."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            authenticator: Authenticates = request.app.state.authenticator
            account_id = await authenticator.authenticate(request.headers.get("authorization"))
            request.state.account_id = account_id
            structlog.contextvars.bind_contextvars(account=account_id)
            await self.check_content_type(request)
            response = await handle(request)
            for name, value in getattr(request.state, "headers", {}).items():
                response.raw_headers.append((HeaderName(name.encode()), value.encode()))
            return response

        return guarded

    async def check_content_type(self, request: Request) -> None:
        """Raise UnsupportedMediaType for a body that the route does not read."""
        await _require_json(request)


def add_header(request: Request, name: str, value: str) -> None:
    """Have a header in the answer of a route that a dependency knows more about than the route."""
    request.state.headers = {**getattr(request.state, "headers", {}), name: value}


async def _require_json(request: Request) -> None:
    """Forms are refused wherever a body counts; the Python SDK labels its bodyless list GETs as forms."""
    if request.method not in {"POST", "PUT", "PATCH"}:
        return
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type == "application/json" or (
        content_type.startswith("application/") and content_type.endswith("+json")
    ):
        return
    if content_type or await request.body():
        raise UnsupportedMediaType(f"send application/json, not {content_type or 'a body without a content type'}")


async def account_id(request: Request) -> str:
    """The account that the request acts for."""
    found: str = request.state.account_id
    return found


async def unit_of_work(request: Request) -> AsyncIterator[Unit]:
    """The request's transaction; with function scope it commits before the first byte of the response."""
    units: Units = request.app.state.units
    async with units.begin() as unit:
        yield unit


async def list_query(request: Request) -> ListQuery:
    """The query of a list, with names in any case."""
    return ListQuery(request.query_params)


async def origin(request: Request) -> str:
    """The origin that clients use, without a trailing slash."""
    return _origin(request)


def _origin(request: Request) -> str:
    public_url: str | None = request.app.state.settings.public_url
    return (public_url or f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}").rstrip("/")


async def admits_insecure_callbacks(request: Request) -> bool:
    """Whether status callbacks may go to http and private hosts."""
    admits: bool = request.app.state.settings.admits_insecure_callbacks
    return admits


async def linking(request: Request) -> Linking:
    """Which identifiers are taken for those of one person."""
    links: Linking = request.app.state.settings.linking
    return links


AccountId = Annotated[str, Depends(account_id)]
InUnit = Annotated[Unit, Depends(unit_of_work, scope="function")]
InList = Annotated[ListQuery, Depends(list_query)]
AdmitsInsecure = Annotated[bool, Depends(admits_insecure_callbacks)]
Links = Annotated[Linking, Depends(linking)]
Origin = Annotated[str, Depends(origin)]


class HeaderName(bytes):
    """A header name that is equal in any case, and is sent as it is spelled.

    twilio-python's `*_with_http_info` hands headers on in a plain dict, in which they are looked up as Twilio spells
    them; uvicorn writes to the wire what `lower` returns. Not for HTTP/2, which has small letters only.
    """

    def lower(self) -> "HeaderName":
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes) and super().lower() == bytes.lower(other)

    def __hash__(self) -> int:
        return hash(super().lower())


class Json(JSONResponse):
    """JSON, written by orjson. Names of headers stay as they are given."""

    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)

    def init_headers(self, headers: Mapping[str, str] | None = None) -> None:
        super().init_headers(headers)
        if headers:
            spelled = {name.lower().encode("latin-1"): HeaderName(name.encode("latin-1")) for name in headers}
            self.raw_headers = [(spelled.get(name, name), value) for name, value in self.raw_headers]


class Answered(Exception):
    """Raised by a dependency that knows the answer before the route begins. The unit is rolled back."""

    def __init__(self, response: Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def render_error(error: Exception) -> Response:
    """The response to an error: what a client did wrong or can repeat is told, what we did wrong is only logged."""
    if isinstance(error, OrchestratorError):
        return Json(error.body(), status_code=error.status, headers=error.headers)
    if is_transient(error):
        log.warning("database unavailable", error=f"{type(error).__name__}: {error}")
        return render_error(
            Unavailable("the database cannot be used at this moment; repeat", headers={"Retry-After": "1"})
        )
    log.error("request failed", exc_info=error)
    return render_error(OrchestratorError("the request failed inside the service; nothing was changed"))


def install_errors(app: FastAPI) -> None:
    """Answer every refusal and every failure with Twilio's error body."""

    async def rendered(request: Request, error: Exception) -> Response:
        return render_error(_coded(request, error))

    async def answered(_: Request, error: Exception) -> Response:
        assert isinstance(error, Answered)
        return error.response

    async def moved(request: Request, error: Exception) -> Response:
        assert isinstance(error, Moved)
        return _redirected(request, error)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return render_error(_from_status(request, error))

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return render_error(_coded(request, _from_validation(error)))

    app.add_exception_handler(OrchestratorError, rendered)
    app.add_exception_handler(Exception, rendered)
    app.add_exception_handler(Answered, answered)
    app.add_exception_handler(Moved, moved)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)


def _coded(request: Request, error: Exception) -> Exception:
    """Twilio's products have different codes for the same: a malformed request."""
    route = request.scope.get("route")
    if type(error) is BadRequest and isinstance(route, ApiRoute):
        error.code = route.bad_request_code
    return error


def _redirected(request: Request, moved: Moved) -> Response:
    """The same request at the new id: 301 where nothing is sent along, 308 where method and body have to stay."""
    path = "/".join(moved.new if part == moved.old else part for part in request.url.path.split("/"))
    uri = _origin(request) + path + (f"?{request.url.query}" if request.url.query else "")
    return Json(
        {"message": f"{moved.old} is part of {moved.new} now", "uri": uri},
        status_code=301 if request.method == "GET" else 308,
        headers={"Location": uri, **moved.headers},
    )


def _from_status(request: Request, error: HTTPException) -> OrchestratorError:
    match error.status_code:
        case 404:
            return NotFound(f"there is nothing at {request.url.path}")
        case 405:
            return MethodNotAllowed(
                f"{request.method} is not possible on {request.url.path}", headers=_allowed(request, error)
            )
        case 413:
            return PayloadTooLarge("the request body is larger than this service accepts")
        case 503:
            return Unavailable(str(error.detail))
        case _:
            return BadRequest(str(error.detail))


def _allowed(request: Request, error: HTTPException) -> dict[str, str]:
    """The `Allow` header. Each method of a path is a route of its own, and Starlette names those of one alone."""
    app: FastAPI = request.app
    template = getattr(request.scope.get("route"), "path", None)
    published = app.openapi()["paths"].get(template)
    if published is None:
        return dict(error.headers or {})
    return {"Allow": ", ".join(method.upper() for method in published)}


def _from_validation(error: RequestValidationError) -> BadRequest:
    """Name the first wrong field by JSON pointer and say what was expected; `details` lists them all."""
    problems = [{"pointer": _pointer(problem), "message": _expected(problem)} for problem in error.errors()]
    first = problems[0]
    return BadRequest(
        f"{first['pointer']}: {first['message']}",
        params={"field": first["pointer"], "value": _shown(error.errors()[0].get("input"))},
        details={"errors": problems},
    )


def _pointer(problem: dict[str, Any]) -> str:
    # Where JSON breaks off is an offset, not a field; a wrong name in a map is located by itself and then "[key]".
    location = () if problem["type"] == "json_invalid" else problem["loc"][1:]
    parts = [_printable(str(part)).replace("~", "~0").replace("/", "~1") for part in location if part != "[key]"]
    return "/" + "/".join(parts) if parts else "(body)"


def _expected(problem: dict[str, Any]) -> str:
    if problem["type"] == "json_invalid":
        return f"the body is not valid JSON ({problem.get('ctx', {}).get('error', 'syntax error')})"
    if problem["type"] == "value_error":
        return str(problem["ctx"]["error"])
    return str(problem["msg"])


def _shown(value: Any) -> Any:
    """The offending value, if it is a short scalar; a whole body would only repeat the request."""
    if isinstance(value, str):
        return _printable(value[:200])
    if isinstance(value, int) and value.bit_length() > 63:
        return str(value)[:200]  # more than JSON writers agree on
    return value if isinstance(value, int | float | bool) else None


def _printable(text: str) -> str:
    """JSON may hold halves of surrogate pairs, which no encoder writes."""
    return text.encode(errors="replace").decode()
