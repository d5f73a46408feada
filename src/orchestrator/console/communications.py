"""Why something that was said landed where it did; and what became of a delivery, attempt by attempt."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, path_to

router = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)


@router.get("/communications/{communication_id}")
async def explain(page: InPage, communication_id: str) -> Response:
    trace = await page.get(path_to("/orchestrator/v1/Communications/{}/Trace", communication_id))
    conversation = path_to("/v2/Conversations/{}", trace.body["conversationId"])
    said = await page.ask(conversation + path_to("/Communications/{}", communication_id))
    return await page.show(
        "communication.html", trace=trace, said=said, sentences=_sentences(trace.body["trace"] or {})
    )


@router.get("/deliveries/{delivery_id}/attempts")
async def attempts(page: InPage, delivery_id: str) -> Response:
    delivery = await page.get(path_to("/orchestrator/v1/Deliveries/{}", delivery_id))
    return await page.show("attempts.html", delivery=delivery)


def _sentences(trace: Mapping[str, Any]) -> list[str]:
    """A trace in words."""
    rule, profile, sides = trace.get("rule"), trace.get("profile"), trace.get("sides")
    told = []
    if rule:
        told.append(f"Rule {rule['position']} of {rule['channel']} captured it: from {rule['from']} to {rule['to']}.")
    if sides:
        told.append(f"Its author is {sides['author']}, its recipient {sides['recipient']}; the {sides['toldBy']} told.")
    if profile and profile.get("profileId"):
        told.append(f"The customer's profile is {profile['profileId']}, which was {profile['outcome']}.")
    if trace.get("key"):
        told.append(f"{trace.get('groupingType')} makes its key {trace['key']}.")
    if trace.get("outcome"):
        told.append(f"The outcome is {trace['outcome']}.")
    return told
