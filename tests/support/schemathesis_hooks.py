"""What Schemathesis is to leave out or to change before it sends a request; loaded by the program itself."""

import uuid
from typing import Any

import schemathesis

from orchestrator.outbox.event_routes import LONGEST_WAIT

KEY = "Idempotency-Key"
LOG = "/orchestrator/v1/Events"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Give each request a key of its own.

    The coverage phase sends the same (empty) key with everything else that it tries, so that nothing else would be
    tried; a UUID that is used again with another body is a 409 whatever the body is. Keys that are wrong stay wrong.
    """
    if KEY in case.headers and (case.headers[KEY] == "" or is_uuid(case.headers[KEY])):
        case.headers[KEY] = str(uuid.uuid4())
    if case.operation.path == LOG:
        case.headers["Accept"] = "application/json"  # the stream of events does not end
        if str(case.query.get("wait", "")).isdecimal() and 0 < int(case.query["wait"]) <= LONGEST_WAIT:
            case.query["wait"] = 0  # nothing will happen


@schemathesis.hook
def filter_query(context: Any, query: Any) -> bool:
    """Leave out parameters without a value, such as `?status=`: the service takes them for not given."""
    given = query.values() if isinstance(query, dict) else ()
    return not any(value == "" or (isinstance(value, list) and "" in value) for value in given)


def is_uuid(text: str) -> bool:
    try:
        uuid.UUID(text)
    except ValueError:
        return False
    return True
