"""`/orchestrator/v1/Explain`: why something would land where it would, asked before it is there."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from orchestrator.ingest import uncaptured
from orchestrator.ingest.explain_schemas import ExplainRequest, Explanation, to_question, to_wire
from orchestrator.ingest.identifying import Policy
from orchestrator.ingest.rehearsing import again, rehearse
from orchestrator.kernel.http import AccountId, ApiRoute, InUnit, Json
from orchestrator.kernel.openapi import errors

router = APIRouter(prefix="/orchestrator/v1", tags=["Orchestrator"], route_class=ApiRoute)


async def policy_in_force(request: Request) -> Policy:
    """How the ingress recognises customers."""
    policy: Policy = request.app.state.policy
    return policy


InForce = Annotated[Policy, Depends(policy_in_force)]


@router.post(
    "/Explain",
    summary="Tell where a message would land, and why; nothing is written and nobody is told",
    operation_id="ExplainMessage",
    response_model=Explanation,
    responses=errors(400, 415),
)
async def explain(account_id: AccountId, request: ExplainRequest, unit: InUnit, policy: InForce) -> Response:
    return Json(to_wire(await rehearse(unit, account_id, to_question(request), policy)))


@router.post(
    "/Uncaptured/{id}/Explain",
    summary="Tell whether a message that was not captured would be captured now; nothing is written",
    operation_id="ExplainUncaptured",
    response_model=Explanation,
    responses=errors(400, 404),
)
async def explain_uncaptured(account_id: AccountId, row: uncaptured.OfPath, unit: InUnit, policy: InForce) -> Response:
    return Json(to_wire(await rehearse(unit, account_id, again(row.trace), policy)))
