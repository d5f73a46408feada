"""`/orchestrator/v1/Numbers`: a resource of our own, beyond Twilio's API."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field

from orchestrator.domain.addresses import MAX_LENGTH
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import Meta, Wire, errors, list_query
from orchestrator.numbers import service

router = APIRouter(prefix="/orchestrator/v1/Numbers", route_class=ApiRoute, tags=["Numbers"])

_LABEL = "What the number is for, in your words."


class NumberRequest(Wire):
    """An address to register."""

    model_config = ConfigDict(json_schema_extra={"example": {"address": "+16505550199", "label": "Support"}})

    address: Text = Field(
        min_length=1,
        max_length=MAX_LENGTH,
        description="A phone number in E.164 form, a short code or sender id, a WhatsApp or RCS sender, a SIP URI.",
    )
    label: Text | None = Field(None, max_length=128, description=_LABEL)


class NumberResource(Wire):
    """An address of the account's own side: who writes to it is a customer."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "accountId": "AC0123456789abcdef0123456789abcdef",
                "address": "whatsapp:+16505550199",
                "canonicalAddress": "+16505550199",
                "label": "Support",
                "createdAt": "2026-02-03T09:15:04Z",
            }
        }
    )

    account_id: str
    address: str = Field(description="As it was registered.")
    canonical_address: str = Field(description="The form in which it is compared with traffic.")
    label: str | None = Field(description=_LABEL)
    created_at: str = Field(json_schema_extra={"format": "date-time"})


class NumberPage(Wire):
    """One page of numbers."""

    numbers: list[NumberResource]
    meta: Meta


@router.post(
    "",
    operation_id="RegisterNumber",
    summary="Register an address of ours, or change its label",
    status_code=201,
    response_model=NumberResource,
    responses=errors(400, 415),
)
async def register_number(wanted: NumberRequest, account_id: AccountId, unit: InUnit) -> Response:
    number = await service.register(unit, account_id, address=wanted.address, label=wanted.label)
    return Json(_to_wire(number), status_code=201)


@router.get(
    "",
    operation_id="ListNumber",
    summary="List our addresses",
    response_model=NumberPage,
    responses=errors(400),
    openapi_extra=list_query(),
)
async def list_numbers(account_id: AccountId, unit: InUnit, query: InList) -> Response:
    page = await service.page(unit, account_id, query.page())
    return Json(page.envelope("numbers", [_to_wire(number) for number in page.items]))


@router.delete(
    "/{address:path}",
    operation_id="RemoveNumber",
    summary="Forget an address of ours",
    status_code=204,
    responses=errors(404),
)
async def remove_number(
    address: Annotated[str, Path(description="The address in any form, URL-encoded.")],
    account_id: AccountId,
    unit: InUnit,
) -> None:
    await service.remove(unit, account_id, address)


def _to_wire(number: service.Number) -> dict[str, Any]:
    return {
        "accountId": number.account_id,
        "address": number.address,
        "canonicalAddress": number.canonical,
        "label": number.label,
        "createdAt": rest_time(number.created_at),
    }
