"""Making and changing configurations: with a form or as JSON, and not before the API has told what would change."""

from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.api import Answer
from orchestrator.console.channel_fields import CHANNELS
from orchestrator.console.configuration_form import (
    CALLBACKS,
    CONFIRMED,
    GROUPINGS,
    fields_of,
    only,
    problems,
    read_json,
    settings_of,
    version_of,
    written,
)
from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, Page, path_to
from orchestrator.kernel.errors import PreconditionFailed
from orchestrator.kernel.ids import MEMORY_STORE, new_id

router = APIRouter(prefix="/console/configurations", route_class=SignedIn, include_in_schema=False)

_LIST = "/v2/ControlPlane/Configurations"
_DRY = "?dryRun=true"
_FIRST_CHANNELS = ("SMS", "VOICE", "WHATSAPP")
_FIRST_TIMEOUTS = {"inactive": 10, "closed": 60}
"""Minutes."""


@router.get("/new")
async def new(page: InPage) -> Response:
    return await _editor(page, None)


@router.post("/new")
async def create(page: InPage) -> Response:
    body, wrong = _wanted(page, {})
    if body is None:
        return await _editor(page, None, wrong)
    made = await page.try_to_send("POST", _LIST, body)
    if not made.succeeded:
        return await _editor(page, None, problems(made, page.form), made)
    return page.go(f"/console/configurations/{made.body['related']['configurationId']}", "It is in force from now.")


@router.get("/{configuration_id}/edit")
async def edit(page: InPage, configuration_id: str) -> Response:
    return await _editor(page, await page.get(path_to(f"{_LIST}/{{}}", configuration_id)))


@router.post("/{configuration_id}/edit")
async def change(page: InPage, configuration_id: str) -> Response:
    """`step` of the form: `preview` tells what would change, `save` changes it, anything else shows the form again."""
    path = path_to(f"{_LIST}/{{}}", configuration_id)
    current = await page.get(path)
    body, wrong = _wanted(page, settings_of(current.body))
    step = page.form.get("step")
    if body is None or step not in {"preview", "save"}:
        return await _editor(page, current, wrong)
    version = version_of(page.form.get("onto") or page.form.get("version", ""))
    headers = only(version) | CONFIRMED
    answer = await page.try_to_send("PUT", path + (_DRY if step == "preview" else ""), body, headers)
    if not answer.succeeded:
        return await _editor(page, current, problems(answer, page.form), answer)
    if step == "save":
        return page.go(f"/console/configurations/{configuration_id}", f"Version {version + 1} is in force from now.")
    return await page.show(
        "configuration_preview.html",
        current=current,
        preview=answer,
        began_with=version,
        write=page.request_for("PUT", path, body, headers),
        kept={name: value for name, value in page.form.items() if name not in {"formToken", "step"}},
    )


def _wanted(page: Page, kept: dict[str, Any]) -> tuple[dict[str, Any] | None, dict[str, str]]:
    if page.form.get("how") == "json":
        return read_json(page.form.get("text", ""))
    return written(page.form, kept), {}


async def _editor(
    page: Page, current: Answer | None, wrong: dict[str, str] | None = None, refusal: Answer | None = None
) -> Response:
    """The form, and the JSON beside it: what was typed in the one of them that was sent, else what is in force."""
    stores = await page.ask("/v1/ControlPlane/Stores", pageSize=100)
    known = stores.body["stores"] if stores.succeeded else []
    settings = settings_of(current.body) if current else _first(known)
    how, text = page.form.get("how"), orjson.dumps(settings, option=orjson.OPT_INDENT_2).decode()
    return await page.show(
        "configuration_editor.html",
        (refusal.status if refusal else 400) if wrong or refusal else 200,
        current=current,
        fields=page.form if how == "fields" else fields_of(settings),
        text=page.form.get("text", "") if how == "json" else text,
        began_with=page.form.get("version") or (current and current.body["version"]),
        wrong=wrong or {},
        refusal=refusal,
        is_conflict=refusal is not None and refusal.status == PreconditionFailed.status,
        stores=known,
        groupings=GROUPINGS,
        channels=CHANNELS,
        callbacks=CALLBACKS,
        example=page.request_for("POST", _LIST, settings),
    )


def _first(stores: list[str]) -> dict[str, Any]:
    """What a new configuration begins with. A store that it names is made when the account has none of that id."""
    channel = {"statusTimeouts": _FIRST_TIMEOUTS, "captureRules": []}
    return {
        "displayName": "",
        "description": "",
        "conversationGroupingType": next(iter(GROUPINGS)),
        "memoryStoreId": (*stores, new_id(MEMORY_STORE))[0],
        "channelSettings": dict.fromkeys(_FIRST_CHANNELS, channel),
        "statusCallbacks": [],
    }
