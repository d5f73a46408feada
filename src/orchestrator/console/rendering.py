"""Templates become pages. Whatever text a customer wrote is escaped."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment, FileSystemLoader, pass_context
from jinja2.runtime import Context
from starlette.requests import Request
from starlette.responses import HTMLResponse

from orchestrator import __version__
from orchestrator.console.assets import address_of
from orchestrator.console.links import NAVIGATION, page_of
from orchestrator.console.sessions import Session

_STEPS = ((60, 1, "s"), (3_600, 60, "min"), (86_400, 3_600, "h"), (float("inf"), 86_400, "d"))
"""Below so many seconds, a time is told in units of so many seconds, called so."""

_TONES = {
    "good": "ACTIVE DELIVERED READ SENT COMPLETED SUCCEEDED RUNNING OK OPEN NEW JOINED REOPENED created",
    "wait": "INACTIVE PENDING IN_PROGRESS QUEUED INITIATED PROCESSING PAUSED FROZEN WARNING DUPLICATE",
    "bad": "DEAD FAILED UNDELIVERED CANCELED REFUSED UNCAPTURED",
    "idle": "CLOSED UNKNOWN",
}
_TONE_OF = {word: tone for tone, words in _TONES.items() for word in words.split()}


def render(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """The page of a template; for htmx only what is inside `<main>`."""
    session: Session | None = getattr(request.state, "session", None)
    shared: dict[str, Any] = {
        "fragment": request.headers.get("hx-request") == "true",
        "here": request.url.path,
        "address": request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        "session": session,
        "account_id": getattr(request.state, "account_id", None),
        "now": request.app.state.units.clock.now(),
        "clock": None,
        "notice": None,
        "live": False,
        "status_code": status,
        "form": getattr(request.state, "form", {}),
    }
    return HTMLResponse(_environment.get_template(template).render(shared | values), status_code=status)


def moment(text: str | datetime) -> datetime:
    """A time of the API. Raises ValueError."""
    found = text if isinstance(text, datetime) else datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


@pass_context
def _ago(context: Context, text: str | datetime) -> str:
    """How far a time is from the service's present: `4 min ago`, `in 2 h`."""
    seconds = (context["now"] - moment(text)).total_seconds()
    distance = _distance(abs(seconds))
    if abs(seconds) < 1:
        return "now"
    return f"{distance} ago" if seconds > 0 else f"in {distance}"


@pass_context
def _is_past(context: Context, text: str | datetime) -> bool:
    now: datetime = context["now"]
    return moment(text) < now


def _distance(seconds: float) -> str:
    unit, name = next((unit, name) for below, unit, name in _STEPS if seconds < below)
    return f"{int(seconds // unit)} {name}"


@pass_context
def _clock_time(context: Context, text: str | datetime) -> str:
    """The time of day, to the second; of another day than today also which."""
    at = moment(text).astimezone(UTC)
    return at.strftime("%H:%M:%S" if at.date() == context["now"].astimezone(UTC).date() else "%Y-%m-%d %H:%M:%S")


def _exact(text: str | datetime) -> str:
    return moment(text).astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _duration(seconds: float) -> str:
    return str(timedelta(seconds=int(seconds)))


def _as_json(value: Any) -> str:
    """For people: indented."""
    return orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()


def _short(thing: str) -> str:
    """The end of an id, which differs where the beginnings are alike."""
    return f"…{thing[-8:]}" if len(thing) > 14 else thing


_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
)
_environment.filters.update(
    ago=_ago,
    is_past=_is_past,
    clock_time=_clock_time,
    exact=_exact,
    duration=_duration,
    as_json=_as_json,
    short=_short,
    tone=lambda word: _TONE_OF.get(str(word), "plain"),
    words=lambda name: str(name).replace("_", " ").lower(),
)
_environment.globals.update(navigation=NAVIGATION, page_of=page_of, static=address_of, version=__version__)
