"""Deliveries: what was sent to which callback, one of them attempt by attempt, and all of it once more."""

from fastapi import APIRouter
from starlette.responses import Response

from orchestrator.console.edge import SignedIn
from orchestrator.console.page import InPage, path_to
from orchestrator.domain.events import EventType
from orchestrator.kernel.signing import signed_url

router = APIRouter(prefix="/console/deliveries", route_class=SignedIn, include_in_schema=False)

_DELIVERIES = "/orchestrator/v1/Deliveries"
_PER_PAGE = 50
_STATUSES = ("PENDING", "DELIVERED", "DEAD")


@router.get("")
async def list_deliveries(page: InPage) -> Response:
    chosen = {name: page.query(name) for name in ("status", "url", "conversationId", "eventType")}
    found, endpoints, dead = await page.together(
        page.get(_DELIVERIES, pageSize=_PER_PAGE, pageToken=page.query("pageToken"), **chosen),
        page.ask("/orchestrator/v1/Endpoints", pageSize=100),
        page.ask(_DELIVERIES, status="DEAD", url=chosen["url"], pageSize=100),
    )
    return await page.show(
        "deliveries.html",
        live=True,
        found=found,
        endpoints=endpoints.body["endpoints"] if endpoints.succeeded else [],
        dead=dead.body["deliveries"] if dead.succeeded else [],
        chosen=chosen,
        kept={name: value for name, value in chosen.items() if value},
        statuses=_STATUSES,
        types=[one.value for one in EventType],
    )


@router.post("/redeliver")
async def redeliver_failed(page: InPage) -> Response:
    wanted = {"failedSince": page.form.get("failedSince", ""), "url": page.form.get("url") or None}
    body = {name: value for name, value in wanted.items() if value is not None}
    done = (await page.send("POST", f"{_DELIVERIES}/Redeliver", body)).body
    more = " There are more: repeat it." if done["more"] else ""
    return page.go("/console/deliveries", f"{done['redelivered']} deliveries are made once more.{more}")


@router.get("/{delivery_id}")
async def show_delivery(page: InPage, delivery_id: str) -> Response:
    path = path_to(_DELIVERIES + "/{}", delivery_id)
    delivery = await page.get(path)
    event = delivery.body["event"] or {}
    body = {name: event[name] for name in ("eventType", "timestamp", "data") if name in event}
    return await page.show(
        "delivery.html",
        live=delivery.body["status"] == "PENDING",
        delivery=delivery,
        body=body,
        signed=_signed(delivery.body["url"]) if delivery.body["method"] == "POST" else None,
        again=page.request_for("POST", path + "/Redeliver"),
    )


@router.post("/{delivery_id}/redeliver")
async def redeliver(page: InPage, delivery_id: str) -> Response:
    await page.send("POST", path_to(_DELIVERIES + "/{}/Redeliver", delivery_id))
    return page.go(path_to("/console/deliveries/{}", delivery_id), "It is made once more, with the same token.")


def _signed(url: str) -> str:
    """The URL that the signature is over; in place of the digest, what it is one of."""
    return signed_url(url, b"").rpartition("=")[0] + "=<SHA-256 of the body>"
