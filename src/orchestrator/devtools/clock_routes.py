"""`/orchestrator/v1/Clock`: what time it is in this service, and turning its clock in dev mode."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from orchestrator.devtools import clock, deadlines
from orchestrator.devtools.clock_schemas import ClockResource, TurnedClock, TurnRequest, clock_to_wire, turn_to_wire
from orchestrator.devtools.turning import Turn, Turner
from orchestrator.kernel.fields import refused
from orchestrator.kernel.http import AccountId, ApiRoute, InList, InUnit, Json
from orchestrator.kernel.openapi import errors, query_parameter
from orchestrator.kernel.unit import Unit
from orchestrator.worker import leases_of

router = APIRouter(prefix="/orchestrator/v1/Clock", tags=["Orchestrator"], route_class=ApiRoute)


_CONVERSATION_ID = query_parameter(
    "conversationId", "Have `nextDeadline` be that of this conversation, also in production mode.", type="string"
)


async def turner(request: Request) -> Turner:
    """Who turns the clock of this service."""
    state = request.app.state

    def wake() -> None:
        state.units.wake_delivery()
        state.wake_actions()
        state.wake_messages()

    return Turner(state.units, leases_of(state.settings), wake, state.stopping.is_set)


@router.get(
    "",
    summary="Read the clock",
    operation_id="FetchClock",
    response_model=ClockResource,
    responses=errors(),
    openapi_extra={"parameters": [_CONVERSATION_ID]},
)
async def fetch_clock(account_id: AccountId, request: Request, unit: InUnit, query: InList) -> Response:
    return Json(await _shown(unit, request, account_id, query.one("conversationId")))


@router.post(
    "",
    summary="Turn the clock",
    description="In dev mode only. The clock goes forward with a stop at whatever is due on the way, so that each "
    "conversation moves on, and each callback is tried again, at its own time. The answer comes when all of it is "
    "done.",
    operation_id="TurnClock",
    response_model=TurnedClock,
    responses=errors(400, 403, 409, 415),
)
async def turn_clock(
    wanted: TurnRequest, account_id: AccountId, request: Request, turner: Annotated[Turner, Depends(turner)]
) -> Response:
    turn = await _turned(turner, wanted, account_id)
    async with turner.units.begin() as unit:
        shown = await _shown(unit, request, account_id)
    return Json({**shown, **turn_to_wire(turn)})


async def _turned(turner: Turner, wanted: TurnRequest, account_id: str) -> Turn:
    _check(wanted)
    match wanted.action:
        case "FREEZE":
            return await turner.freeze()
        case "RUN":
            return await turner.run()
        case "RESET":
            return await turner.reset(force=wanted.force)
        case "NEXT_DEADLINE":
            return await turner.next_deadline(account_id)
        case "ADVANCE":
            return await turner.advance(account_id, by=wanted.by, to=wanted.to)


def _check(wanted: TurnRequest) -> None:
    """Raise BadRequest for what does not go with the action: it would be left undone."""
    advances = wanted.action == "ADVANCE"
    if advances and (wanted.by is None) == (wanted.to is None):
        raise refused("/by", "ADVANCE needs either `by`, how far to go, or `to`, a time to go to")
    for name in ("by", "to"):
        if not advances and getattr(wanted, name) is not None:
            raise refused(f"/{name}", f"only ADVANCE takes it, not {wanted.action}")
    if wanted.force and wanted.action != "RESET":
        raise refused("/force", f"only RESET takes it, not {wanted.action}", value=True)


async def _shown(unit: Unit, request: Request, account_id: str, conversation_id: str | None = None) -> dict[str, Any]:
    reading = clock.read(unit, request.app.state.units.clock)
    if conversation_id:
        return clock_to_wire(reading, await deadlines.next_of_conversation(unit, account_id, conversation_id))
    dev: bool = request.app.state.settings.is_dev
    # Elsewhere there may be more open conversations than anybody wants to look through for this.
    return clock_to_wire(reading, await deadlines.next_of_account(unit, account_id) if dev else None)
