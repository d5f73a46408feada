"""Dry runs: a request that is judged as always, and changes nothing."""

from typing import Annotated

from fastapi import Depends

from orchestrator.kernel.http import InList
from orchestrator.kernel.openapi import query_parameter

DRY_RUN = query_parameter(
    "dryRun", "Tell what would happen, and change nothing: 200 instead of 202.", type="boolean", default=False
)
"""For FastAPI's `openapi_extra`."""


async def dry_run(query: InList) -> bool:
    """Whether the request is one. Raises BadRequest."""
    return query.flag("dryRun")


DryRun = Annotated[bool, Depends(dry_run)]
