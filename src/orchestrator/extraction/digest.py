"""The summary that a closed conversation leaves without an extractor: who said how much, the first and last words.

It depends on nothing but what was said, so it is the same whenever it is made.
"""

from collections.abc import Mapping, Sequence

from orchestrator.conversations import service as conversations
from orchestrator.conversations.model import Conversation
from orchestrator.extraction import said, subjects, writing
from orchestrator.extraction.model import Job, Result
from orchestrator.extraction.said import Share
from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import NotFound
from orchestrator.kernel.unit import Unit

_LONGEST = 4096
"""Characters of a summary."""
_LONGEST_WORDS = 1000
"""Characters of the first words, and of the last."""


async def sum_up(unit: Unit, job: Job) -> Result:
    """Write the digest to every customer's profile."""
    try:
        conversation = await conversations.find(unit, job.account_id, job.conversation_id)
    except NotFound:
        return Result(note="the conversation is not there")
    found = await subjects.of_conversation(unit, conversation, writing=True)
    if isinstance(found, str):
        return Result(note=found)
    shares = await said.shares(unit, job)
    if not shares:
        return Result(note="nothing was said")
    text = digest(_names(conversation), shares, await said.ends(unit, job, most=_LONGEST_WORDS))
    last = max(share.last for share in shares)
    for profile_id in found.participants:
        await writing.write_summary(unit, found.store, profile_id, job, text, last)
    return Result(summaries=len(found.participants))


def digest(names: Mapping[str, str], shares: Sequence[Share], ends: Sequence[tuple[str, str]]) -> str:
    """The text; `ends` are the first and the last words, and by whom."""
    count = sum(share.count for share in shares)
    first, last = min(share.first for share in shares), max(share.last for share in shares)
    parts = [
        f"{_counted(count)} from {rest_time(first)} to {rest_time(last)}.",
        *(f"{names.get(share.participant_id, '?')}: {share.count} on {share.channel}." for share in shares),
    ]
    (opener, first_words), (closer, last_words) = ends
    words = f"First words, by {names.get(opener, '?')}: {first_words}"
    if count > 1:
        words += f"\nLast words, by {names.get(closer, '?')}: {last_words}"
    return f"{' '.join(parts)[: _LONGEST - len(words) - 1]}\n{words}"[:_LONGEST]


def _counted(count: int) -> str:
    return "1 communication" if count == 1 else f"{count} communications"


def _names(conversation: Conversation) -> dict[str, str]:
    return {one.id: f"{one.name[:200]} ({one.type})" for one in conversation.participants}
