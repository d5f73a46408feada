"""What stores and the operations on them look like (contract: memory.md 2.1 and 2.4)."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Text
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.stores import Store
from orchestrator.memory.wire import example
from orchestrator.operations.service import Operation

_STORE = "mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b"
_OPERATION = "proc_job_01kgh3k1w8fmkrxj2c5a9d7e6b"
_STATUS_URL = f"https://orchestrator.example.com/v1/ControlPlane/Operations/{_OPERATION}"


StoreName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9-]+$", max_length=64, description="Unique in the account.")]
StoreDescription = Annotated[Text, Field(min_length=1, max_length=128)]


class StoreRequest(Wire):
    """A memory store to make."""

    model_config = example(displayName="customer-care", description="What we know of our customers.")

    display_name: StoreName
    description: StoreDescription | None = None


class StorePatch(Wire):
    """What is to change of a memory store. Null leaves a field as it is."""

    model_config = example(displayName="customer-care", description="What we know of our customers.")

    display_name: StoreName | None = None
    description: StoreDescription | None = None

    @model_validator(mode="after")
    def _changes_something(self) -> "StorePatch":
        if self.display_name is None and self.description is None:
            raise ValueError("give displayName, description, or both")
        return self


class StoreResource(Wire):
    """A memory store."""

    model_config = example(
        id=_STORE,
        displayName="customer-care",
        description="What we know of our customers.",
        status="ACTIVE",
        intelligenceServiceId=None,
        version=1,
    )

    id: str
    display_name: str
    description: str | None = Field(None, description="Absent when the store has none.")
    status: Literal["QUEUED", "PROVISIONING", "ACTIVE", "FAILED"]
    intelligence_service_id: str | None = Field(description="Always null: stores here need no such service.")
    version: int = Field(ge=1, description="Rises by one with every update.")


class StorePage(Wire):
    """One page of store ids."""

    model_config = example(stores=[_STORE], meta={"key": "stores", "pageSize": 1})

    stores: list[str]
    meta: Meta


class Skip(Wire):
    """A profile of a bulk request that was not written."""

    index: int = Field(description="Its place in the request, from 0.")
    message: str = Field(description="Why it was not written.")


class MemoryOperationResult(Wire):
    """What an operation was about."""

    type: Literal["RESOURCE_ID"]
    id: str = Field(description="Id of the store, or name of the trait group.")
    written: int | None = Field(None, description="Of a bulk request: how many profiles were written.")
    skipped: int | None = Field(None, description="Of a bulk request: how many profiles were not.")
    skips: list[Skip] | None = Field(None, description="The first hundred of those.")


class MemoryOperationResource(Wire):
    """An asynchronous operation. Its work is done in the transaction of its request, so it is COMPLETED at once."""

    model_config = example(
        operationId=_OPERATION,
        status="COMPLETED",
        createdAt="2026-02-03T09:15:04Z",
        completedAt="2026-02-03T09:15:04Z",
        statusUrl=_STATUS_URL,
        result={"type": "RESOURCE_ID", "id": _STORE},
        error=None,
    )

    operation_id: str
    status: Literal["PENDING", "COMPLETED", "FAILED"]
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    completed_at: str | None = Field(description="Null while PENDING.", json_schema_extra={"format": "date-time"})
    status_url: str = Field(json_schema_extra={"format": "uri"})
    result: MemoryOperationResult | None = Field(description="Null unless COMPLETED.")
    error: dict[str, Any] | None = Field(description="Null unless FAILED.")


def store_to_wire(store: Store) -> dict[str, Any]:
    """The store resource."""
    described = {} if store.description is None else {"description": store.description}
    return {
        "id": store.id,
        "displayName": store.display_name,
        **described,
        "status": store.status,
        "intelligenceServiceId": None,
        "version": store.version,
    }


def operation_to_wire(operation: Operation, status_url: str) -> dict[str, Any]:
    """The Memory API's operation resource."""
    return {
        "operationId": operation.id,
        "status": operation.status,
        "createdAt": rest_time(operation.created_at),
        "completedAt": operation.completed_at and rest_time(operation.completed_at),
        "statusUrl": status_url,
        "result": operation.result,
        "error": operation.error,
    }
