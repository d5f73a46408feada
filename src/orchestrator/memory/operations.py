"""Operations as the Memory API tells of them (contract: memory.md 2.4)."""

import re
from datetime import timedelta

from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.unit import Unit
from orchestrator.memory.errors import MalformedOperationId, OperationNotFound
from orchestrator.operations import service
from orchestrator.operations.service import Operation

PATH = "/v1/ControlPlane/Operations/"
KEPT = timedelta(days=7)
"""How long a finished operation can be asked for."""


async def find_operation(unit: Unit, account_id: str, operation_id: str) -> Operation:
    """The operation. Raises MalformedOperationId, OperationNotFound."""
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,512}", operation_id):
        raise MalformedOperationId(
            "an operation id is proc_job_ and 26 lower-case characters", params={"field": "operationId"}
        )
    try:
        operation = await service.find(unit, account_id, operation_id)
    except NotFound as error:
        raise OperationNotFound(error.message) from error
    if operation.completed_at is not None and operation.completed_at + KEPT < unit.now:
        raise OperationNotFound(f"operation {operation_id} finished more than {KEPT.days} days ago")
    return operation
