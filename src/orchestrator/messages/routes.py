"""`/2010-04-01/Accounts/{AccountSid}/Messages`: what `client.messages` of Twilio's SDKs calls."""

import re
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Path, Request, Response

from orchestrator.kernel.errors import NotFound, UnsupportedMediaType
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, list_query, query_parameter
from orchestrator.kernel.paging import ListQuery, Page, PageRequest
from orchestrator.messages import filters, service
from orchestrator.messages.form import check_redaction, read_form, read_wanted
from orchestrator.messages.model import Outgoing
from orchestrator.messages.schemas import MessagePage, MessageResource, path_of, to_wire

_FORM = "application/x-www-form-urlencoded"
_DATE_SENT = (
    "Only those sent on this day of GMT, such as 2026-02-03. As `DateSent<` those of then or before, as `DateSent>` "
    "those of then or after; a time counts there to the second."
)  # the other two are not declared: to generators of clients, all three have one name
_NUMBER = re.compile(r"[0-9]{1,6}")


class FormRoute(ApiRoute):
    """A route whose bodies are forms."""

    async def check_content_type(self, request: Request) -> None:
        given = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if request.method == "POST" and given != _FORM and (given or await request.body()):
            raise UnsupportedMediaType(f"send {_FORM}, not {given or 'a body without a content type'}")


router = APIRouter(prefix="/2010-04-01/Accounts/{AccountSid}", tags=["Messages"], route_class=FormRoute)


async def owner(account_id: AccountId, account_sid: Annotated[str, Path(alias="AccountSid")]) -> str:
    """The account of the path, which must be the one that asks. Raises NotFound."""
    if account_sid != account_id:
        raise NotFound(f"The requested resource {path_of(account_sid)} was not found")
    return account_id


Owner = Annotated[str, Depends(owner)]


_REFUSALS = errors(400, 404, 415)
_REFUSALS[415]["description"] = "A body that is not a form."


def _form_of(fields: dict[str, dict[str, Any]], required: list[str], **more: Any) -> dict[str, Any]:
    schema = {"type": "object", "required": required, "properties": fields, **more}
    return {"requestBody": {"required": True, "content": {_FORM: {"schema": schema}}}}


def _form_body() -> dict[str, Any]:
    text = {"type": "string"}
    fields: dict[str, dict[str, Any]] = {
        "To": {**text, "description": "The recipient; `whatsapp:` and `rcs:` tell the channel."},
        "From": {**text, "description": "The sender, on the same channel. Required."},
        "Body": {**text, "description": "At most 1,600 characters. One of Body, MediaUrl and ContentSid is required."},
        "MediaUrl": {"type": "array", "items": text, "description": "Repeated for up to 10 files."},
        "ContentSid": {**text, "description": "A template of Twilio's Content API."},
        "ContentVariables": {**text, "description": "Of the template: a JSON object of texts."},
        "StatusCallback": {**text, "description": "URL that is told how far the message gets."},
    }
    return _form_of(
        fields, ["To", "From"], additionalProperties={"description": "Goes to the provider, if there is one."}
    )


@router.post(
    "/Messages.json",
    summary="Send a message, as with Twilio's Messages API",
    operation_id="CreateMessage",
    status_code=201,
    response_model=MessageResource,
    responses=_REFUSALS,
    openapi_extra=_form_body(),
)
async def create(account_id: Owner, request: Request) -> Response:
    wanted, state = read_wanted(read_form(await request.body())), request.app.state
    if state.settings.sender == "loopback":
        service.check_callback(wanted, admits_insecure=state.settings.admits_insecure_callbacks)
        message = await service.accept(state.units, account_id, wanted, state.wake_messages)
    else:
        message = await service.hand_over(state.units, state.sender, account_id, wanted, state.wake_messages)
    return Json(to_wire(message), status_code=201)


@router.get(
    "/Messages.json",
    summary="List the messages that were asked for here, newest first",
    operation_id="ListMessage",
    response_model=MessagePage,
    responses=errors(400, 404),
    openapi_extra=list_query(
        query_parameter("To", "Only to this recipient.", type="string"),
        query_parameter("From", "Only from this sender.", type="string"),
        query_parameter(filters.ON, _DATE_SENT, type="string"),
    ),
)
async def list_messages(account_id: Owner, unit: InUnit, query: InList) -> Response:
    wanted: dict[str, Any] = {name: query.one(name) for name in filters.NAMES}
    request = query.page(**wanted)
    return Json(_envelope(path_of(account_id), query, request, await service.page(unit, account_id, request)))


@router.get(
    "/Messages/{Sid}.json",
    summary="Fetch a message that was asked for here",
    operation_id="FetchMessage",
    response_model=MessageResource,
    responses=errors(404),
)
async def fetch(account_id: Owner, sid: Annotated[str, Path(alias="Sid")], unit: InUnit) -> Response:
    return Json(to_wire(await service.find(unit, account_id, sid)))


@router.post(
    "/Messages/{Sid}.json",
    summary="Redact a message: its text is forgotten",
    operation_id="UpdateMessage",
    response_model=MessageResource,
    responses={**_REFUSALS, **errors(409)},
    openapi_extra=_form_of(
        {"Body": {"type": "string", "maxLength": 0, "description": "Empty: texts cannot be replaced."}}, ["Body"]
    ),
)
async def update(account_id: Owner, sid: Annotated[str, Path(alias="Sid")], unit: InUnit, request: Request) -> Response:
    message = await service.find(unit, account_id, sid)
    check_redaction(read_form(await request.body()))
    return Json(to_wire(await service.redact(unit, message)))


@router.delete(
    "/Messages/{Sid}.json",
    summary="Delete a message; what was captured of it stays",
    operation_id="DeleteMessage",
    status_code=204,
    responses=errors(400, 404, 409),
)
async def delete(account_id: Owner, sid: Annotated[str, Path(alias="Sid")], unit: InUnit) -> Response:
    await service.delete(unit, await service.find(unit, account_id, sid))
    return Response(status_code=204)


def _envelope(path: str, query: ListQuery, request: PageRequest, found: Page[Outgoing]) -> dict[str, Any]:
    """A MessagePage. Its URIs are relative to the host; a token brings filters and size, which are repeated to read."""
    given = query.one("Page") or ""
    number = int(given) if _NUMBER.fullmatch(given) else 0
    start = number * request.size

    def uri(page: int, token: str | None = None) -> str:
        filters = {name: value for name, value in request.filters.items() if value}
        fields = {**filters, "PageSize": request.size, "Page": page}
        return f"{path}?{urlencode(fields if token is None else {**fields, 'PageToken': token})}"

    return {
        "messages": [to_wire(message) for message in found.items],
        "page": number,
        "page_size": request.size,
        "start": start,
        "end": start + max(len(found.items) - 1, 0),
        "uri": uri(number, query.one("PageToken")),
        "first_page_uri": uri(0),
        "next_page_uri": found.next_token and uri(number + 1, found.next_token),
        "previous_page_uri": found.previous_token and uri(max(number - 1, 0), found.previous_token),
    }
