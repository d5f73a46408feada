"""What became of the profiles of a bulk request: the operation that counts them (contract: memory.md 4.10)."""

from collections.abc import Sequence

from fastapi import Response

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import OrchestratorError
from orchestrator.kernel.http import Json
from orchestrator.kernel.unit import Unit
from orchestrator.memory import operations
from orchestrator.memory.stores import Store
from orchestrator.operations.accepted import operation_headers
from orchestrator.operations.service import complete

MOST_TOLD = 100
"""Profiles of which an operation tells why they were skipped."""


async def told(unit: Unit, store: Store, outcomes: Sequence[str | OrchestratorError], origin: str) -> Response:
    """Record the operation, and answer with it as newer SDKs read it. The outcomes are of `upsert.write_profiles`."""
    skips = [
        {"index": number, "message": outcome.message}
        for number, outcome in enumerate(outcomes)
        if isinstance(outcome, OrchestratorError)
    ]
    counted = {"written": len(outcomes) - len(skips), "skipped": len(skips), "skips": skips[:MOST_TOLD]}
    result = {"type": "RESOURCE_ID", "id": store.id, **counted}
    operation = await complete(unit, store.account_id, result=result)
    status_url = f"{origin}{operations.PATH}{operation.id}"
    body = {
        "message": f"Profiles written: {counted['written']}, skipped: {counted['skipped']}.",
        "operationId": operation.id,
        "createdAt": rest_time(operation.created_at),
        "statusUrl": status_url,
    }
    return Json(body, status_code=202, headers={**operation_headers(operation), "Location": status_url})
