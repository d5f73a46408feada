"""Asynchronous operations: what a 202 points to.

All validation happens before the 202, and the work itself is done in the same transaction, so an operation is
COMPLETED by the time anybody can ask for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.ids import OPERATION, is_id, new_id
from orchestrator.kernel.unit import Unit
from orchestrator.tables.configuration import operations

RETRY_AFTER_SECONDS = 1


@dataclass(frozen=True, slots=True)
class Operation:
    """The record of one asynchronous request."""

    id: str
    status: str
    related: Mapping[str, str] | None
    result: Mapping[str, Any] | None
    error: Mapping[str, Any] | None
    created_at: datetime
    completed_at: datetime | None


async def complete(
    unit: Unit, account_id: str, *, related: Mapping[str, str] | None = None, result: Mapping[str, Any] | None = None
) -> Operation:
    """Record an operation whose work is part of this unit."""
    operation = Operation(new_id(OPERATION), "COMPLETED", related, result, None, unit.now, unit.now)
    await unit.connection.execute(
        insert(operations).values(
            account_id=account_id,
            id=operation.id,
            status=operation.status,
            related=related,
            result=result,
            created_at=operation.created_at,
            completed_at=operation.completed_at,
        )
    )
    return operation


async def find(unit: Unit, account_id: str, operation_id: str) -> Operation:
    """The operation. Raises NotFound."""
    statement = select(operations).where(operations.c.account_id == account_id, operations.c.id == operation_id)
    # A malformed id is nobody's, and might hold what Postgres refuses to compare.
    row = (await unit.connection.execute(statement)).first() if is_id(operation_id, OPERATION) else None
    if row is None:
        raise NotFound(f"there is no operation {operation_id}")
    return Operation(row.id, row.status, row.related, row.result, row.error, row.created_at, row.completed_at)


def to_wire(operation: Operation, status_url: str) -> dict[str, Any]:
    """The Conversations API's operation resource."""
    return {
        "operationId": operation.id,
        "status": operation.status,
        "createdAt": rest_time(operation.created_at),
        "completedAt": operation.completed_at and rest_time(operation.completed_at),
        "statusUrl": status_url,
        "error": operation.error,
        "related": operation.related,
    }
