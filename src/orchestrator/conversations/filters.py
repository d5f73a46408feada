"""Filters of lists. A page token brings its own, and is whatever the client sends: all are checked alike."""

from orchestrator.domain.lifecycle import Status
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.paging import PageRequest


def check_conversations(page: PageRequest) -> None:
    """Raise BadRequest unless the filters of the list of conversations can be compared."""
    check_status(page)
    check_channel_id(page)
    page.text("configurationId")
    profiles = page.filters.get("profileId") or []
    if not isinstance(profiles, list) or not all(isinstance(one, str) and "\x00" not in one for one in profiles):
        raise BadRequest("profileId: ids of profiles are expected", params={"field": "profileId"})


def check_status(page: PageRequest) -> None:
    """Raise BadRequest unless the filter `status` holds known states."""
    given = page.filters.get("status") or []
    unknown = [status for status in given if status not in [*Status]] if isinstance(given, list) else [given]
    if unknown:
        raise BadRequest(
            f"status: {unknown[0]!r} is none of {', '.join(Status)}", params={"field": "status", "value": unknown[0]}
        )


def check_channel_id(page: PageRequest) -> None:
    """Raise BadRequest unless the filter `channelId` is a text that the database can compare."""
    channel_id = page.filters.get("channelId")
    if channel_id is not None and (not isinstance(channel_id, str) or "\x00" in channel_id):
        raise BadRequest("channelId: the SID of a call or message is expected", params={"field": "channelId"})
