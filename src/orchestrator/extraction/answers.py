"""What an extractor answers, within the bounds of the Memory API (memory.md 5.1, 5.2)."""

from typing import Annotated, Any

import orjson
from pydantic import Field, ValidationError

from orchestrator.kernel.fields import Moment, Text
from orchestrator.kernel.openapi import Wire
from orchestrator.memory.memories import MOST_AT_ONCE, Content


class Malformed(Exception):
    """The answer cannot be used; the text says why."""


class Noted(Wire):
    """Something worth remembering."""

    content: Content
    occurred_at: Moment | None = None
    """Default: when the last communication was said; of a revision, as it was."""
    id: Text | None = None
    """The observation that says this now; None: a new one."""


class About(Wire):
    """What is worth remembering of one customer."""

    profile_id: Text
    observations: Annotated[list[Noted], Field(max_length=MOST_AT_ONCE)] | None = None
    summary: Content | None = None


class Answer(Wire):
    """The whole answer. Null is as good as absent; unknown members are ignored."""

    profiles: list[About] | None = None
    summary: Content | None = None
    """For every customer who gets no other."""


def read(body: bytes) -> Answer:
    """The answer in a body. Raises Malformed."""
    try:
        content: Any = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Malformed(f"the answer is not JSON: {error}") from error
    try:
        return Answer.model_validate(content)
    except ValidationError as error:
        problem = error.errors(include_input=False, include_url=False)[0]
        place = "/" + "/".join(str(part) for part in problem["loc"]) if problem["loc"] else "(body)"
        raise Malformed(f"the answer is not as it should be: {place}: {problem['msg']}") from error
