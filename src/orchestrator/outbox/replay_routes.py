"""`/orchestrator/v1/Events/Replay`: past events are sent to a callback."""

from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import AfterValidator, ConfigDict, Field

from orchestrator.kernel.fields import Moment, Text, refused
from orchestrator.kernel.http import AccountId, AdmitsInsecure, ApiRoute, InUnit, Json
from orchestrator.kernel.openapi import Wire, errors
from orchestrator.outbox import replay
from orchestrator.outbox.replay import Callback, Span

router = APIRouter(prefix="/orchestrator/v1/Events", tags=["Orchestrator"], route_class=ApiRoute)

_LONGEST_URL = 2_048
_LAST_POSITION = 10**18


def _indexable(url: str) -> str:
    # As with `statusCallbacks`: URLs are part of an index, whose entries Postgres limits to about 2,700 bytes.
    if len(url.encode()) > _LONGEST_URL:
        raise ValueError(f"a callback URL has at most {_LONGEST_URL} bytes")
    return url


class ReplayRequest(Wire):
    """Which events, and where to. At least one of the fields that choose events is needed."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "conversationId": "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a",
                "after": "2026-02-03T09:00:00Z",
                "before": "2026-02-03T11:00:00Z",
                "afterPosition": 0,
                "beforePosition": 5000,
                "url": "https://hooks.example.com/conversations",
                "method": "POST",
            }
        }
    )

    url: Annotated[Text, AfterValidator(_indexable)] = Field(
        description="Where to: HTTPS on a public host, like any status callback.", json_schema_extra={"format": "uri"}
    )
    method: Literal["POST", "GET"] | None = Field(
        None, description="Default: as the event was delivered there before, else POST."
    )
    conversation_id: Text | None = Field(None, description="Only events of this conversation.")
    after: Moment | None = Field(None, description="Only events of this time or later.")
    before: Moment | None = Field(None, description="Only events before this time.")
    after_position: int | None = Field(
        None, strict=True, ge=0, le=_LAST_POSITION, description="Only events after this position."
    )
    before_position: int | None = Field(
        None, strict=True, ge=0, le=_LAST_POSITION, description="Only events before this position."
    )

    def span(self) -> Span:
        """Raises BadRequest when nothing is chosen: the whole log would be sent."""
        span = Span(self.conversation_id, self.after, self.before, self.after_position, self.before_position)
        if span == Span():
            raise refused("/conversationId", "say which events: by conversation, by time or by position")
        return span


class ReplayResult(Wire):
    """What is going to be sent."""

    events: int = Field(description=f"Events that were found; at most {replay.MOST_AT_ONCE:,} at once.")
    redelivered: int = Field(description="Deliveries that are made once more, with the same idempotency tokens.")
    created: int = Field(description="New deliveries, of events that had none to this URL.")
    pending: int = Field(description="Events that wait to be delivered there anyhow.")
    after_position: int | None = Field(
        description="If there are more: repeat the request with this `afterPosition`. Else null."
    )


@router.post(
    "/Replay",
    summary="Send past events to a callback",
    description="In the order of each conversation. What was delivered to the URL before is delivered once more, with "
    "the same `Orchestrator-Event-Id` and `I-Twilio-Idempotency-Token`, and `Orchestrator-Redelivery` beside them.",
    operation_id="ReplayEvents",
    response_model=ReplayResult,
    responses=errors(400, 410, 415),
)
async def replay_events(
    wanted: ReplayRequest, account_id: AccountId, unit: InUnit, allow_insecure: AdmitsInsecure
) -> Response:
    callback = Callback(wanted.url, wanted.method)
    replay.check(callback, allow_insecure=allow_insecure)
    done = await replay.replay(unit, account_id, wanted.span(), callback)
    return Json(
        {
            "events": done.events,
            "redelivered": done.redelivered,
            "created": done.created,
            "pending": done.pending,
            "afterPosition": done.after_position,
        }
    )
