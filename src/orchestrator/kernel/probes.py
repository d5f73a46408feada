"""`/healthz` (the process lives), `/readyz` (it can serve), `/metrics` (Prometheus)."""

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import text
from starlette.responses import PlainTextResponse

from orchestrator.kernel.errors import Unavailable
from orchestrator.kernel.http import Json
from orchestrator.kernel.unit import Units

router = APIRouter(tags=["Probes"])


@router.get("/healthz", summary="The process lives", operation_id="FetchHealth")
async def healthz() -> Response:
    return Json({"status": "ok"})


@router.get("/readyz", summary="The service can serve", operation_id="FetchReadiness")
async def readyz(request: Request) -> Response:
    units: Units = request.app.state.units
    try:
        async with units.begin() as unit:
            await unit.connection.execute(text("select 1 from accounts limit 1"))
    except Exception as error:  # whatever it is, the database cannot be used
        raise Unavailable(f"the database cannot be used: {type(error).__name__}") from error
    return Json({"status": "ready"})


@router.get(
    "/metrics",
    summary="Metrics in Prometheus' text format",
    operation_id="FetchMetrics",
    response_class=PlainTextResponse,
)
async def metrics() -> Response:
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
