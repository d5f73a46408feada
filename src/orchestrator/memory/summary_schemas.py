"""What conversation summaries look like (contract: memory.md 5.2)."""

from typing import Annotated, Any

from pydantic import ConfigDict, Field

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.fields import Moment
from orchestrator.kernel.openapi import Meta, Wire
from orchestrator.memory.memories import CONVERSATION_PATTERN, MOST_AT_ONCE, Content, ConversationId, Source
from orchestrator.memory.summaries import Summary
from orchestrator.memory.wire import example

_TOLD = {
    "content": "Kiran's parcel was late; it will be left with the neighbour.",
    "conversationId": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a",
    "occurredAt": "2026-02-03T09:15:04Z",
    "source": "conversations",
}
_KEPT = {
    "id": "mem_summary_01kgh3m8r0f5d2c7b9n4m6k8jh",
    **_TOLD,
    "createdAt": "2026-02-03T09:20:11Z",
    "updatedAt": "2026-02-03T09:20:11Z",
}
_CONVERSATION = "An id of any product is taken, and shown as `conv_conversation_…`."


class SummaryRequest(Wire):
    """What came of a conversation."""

    content: Content
    conversation_id: ConversationId = Field(description=_CONVERSATION)
    occurred_at: Moment = Field(description="With a time zone; kept in UTC.")
    source: Source | None = Field(None, description="Which system wrote it.")


class CreateSummariesRequest(Wire):
    """Summaries to create."""

    model_config = ConfigDict(**example(summaries=[_TOLD]), extra="forbid")

    summaries: Annotated[list[SummaryRequest], Field(min_length=1, max_length=MOST_AT_ONCE)]


class PatchSummaryRequest(Wire):
    """What is different now. Null is as good as absent."""

    model_config = example(content="Kiran's parcel was late; it was left with the neighbour.")

    content: Content | None = None
    conversation_id: ConversationId | None = None
    occurred_at: Moment | None = None
    source: Source | None = None


class SummaryResource(Wire):
    """A conversation summary."""

    model_config = example(**_KEPT)

    id: str
    content: str
    conversation_id: Annotated[str, Field(pattern=CONVERSATION_PATTERN)]
    occurred_at: str = Field(json_schema_extra={"format": "date-time"})
    source: str | None = Field(None, description="Absent when nobody said.")
    created_at: str = Field(json_schema_extra={"format": "date-time"})
    updated_at: str = Field(json_schema_extra={"format": "date-time"})


class SummaryPage(Wire):
    """One page of summaries."""

    model_config = example(summaries=[_KEPT], meta={"key": "summaries", "pageSize": 1})

    summaries: list[SummaryResource]
    meta: Meta


def summary_to_wire(summary: Summary) -> dict[str, Any]:
    """The resource."""
    shown = {
        "id": summary.id,
        "content": summary.content,
        "conversationId": summary.conversation_id,
        "occurredAt": rest_time(summary.occurred_at),
        "createdAt": rest_time(summary.created_at),
        "updatedAt": rest_time(summary.updated_at),
    }
    return shown if summary.source is None else {**shown, "source": summary.source}
