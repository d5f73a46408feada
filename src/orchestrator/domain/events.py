"""The events that status callbacks tell of: the seven types of the Conversations API v2, and no others.

`docs/events.md` takes from here when each is told.
"""

from enum import StrEnum


class EventType(StrEnum):
    CONVERSATION_CREATED = "CONVERSATION_CREATED"
    """A conversation was opened, by traffic or over the API. The first event of each."""
    CONVERSATION_UPDATED = "CONVERSATION_UPDATED"
    """Its status, name or metadata changed: by a timer, by a request, or by a message that woke it."""
    PARTICIPANT_ADDED = "PARTICIPANT_ADDED"
    """Somebody takes part."""
    PARTICIPANT_UPDATED = "PARTICIPANT_UPDATED"
    """Name, type, profile or addresses of a participant changed: by a request, or because profiles were merged."""
    PARTICIPANT_REMOVED = "PARTICIPANT_REMOVED"
    """Never told: nothing removes a participant. The type is there because Twilio's clients know it."""
    COMMUNICATION_CREATED = "COMMUNICATION_CREATED"
    """Something was said, by either side."""
    COMMUNICATION_UPDATED = "COMMUNICATION_UPDATED"
    """What was said, or how far it got with a recipient, changed."""
