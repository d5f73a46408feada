"""Why something that was said landed where it did; and what became of a delivery, attempt by attempt."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, path_to
from orchestrator.domain.explaining import sentences

router = APIRouter(prefix="/console", route_class=SignedIn, include_in_schema=False)


@router.get("/communications/{communication_id}")
async def explain(page: InPage, communication_id: str) -> Response:
    trace = await page.get(path_to("/orchestrator/v1/Communications/{}/Trace", communication_id))
    conversation = path_to("/v2/Conversations/{}", trace.body["conversationId"])
    said = await page.ask(conversation + path_to("/Communications/{}", communication_id))
    return await page.show("communication.html", trace=trace, said=said, sentences=sentences(trace.body["trace"] or {}))


@router.get("/deliveries/{delivery_id}/attempts")
async def attempts(page: InPage, delivery_id: str) -> Response:
    delivery = await page.get(path_to("/orchestrator/v1/Deliveries/{}", delivery_id))
    return await page.show("attempts.html", delivery=delivery)
