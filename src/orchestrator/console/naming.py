"""What an id or a SID names, and the page that shows it."""

import re
from collections.abc import Awaitable, Callable, Mapping

from orchestrator.console.api import Answer
from orchestrator.console.links import page_of
from orchestrator.console.page import Page, path_to
from orchestrator.kernel import ids

_SID = re.compile(r"(SM|MM|CA|GT)[0-9A-Za-z]{1,64}")
_EVENT = re.compile(rf"({ids.CONVERSATION}_[0-9a-z]{{26}}):([0-9]{{1,18}})")
_STORES = 20
_OPERATIONS = ("/v2/ControlPlane/Operations/{}", "/v1/ControlPlane/Operations/{}")

_KINDS = {
    ids.CONVERSATION: ("conversation", "/v2/Conversations/{}"),
    ids.COMMUNICATION: ("communication", "/orchestrator/v1/Communications/{}/Trace"),
    ids.CONFIGURATION: ("configuration", "/v2/ControlPlane/Configurations/{}"),
    ids.MEMORY_STORE: ("store", "/v1/ControlPlane/Stores/{}"),
    ids.DELIVERY: ("delivery", "/orchestrator/v1/Deliveries/{}"),
    ids.UNCAPTURED: ("uncaptured", "/orchestrator/v1/Uncaptured/{}"),
}
"""The kind of thing by the prefix of its id, and where the API has it."""
_IN_STORES = {
    ids.PROFILE: ("profile", "/v1/Stores/{}/Profiles/{}"),
    ids.MERGE: ("merge", "/orchestrator/v1/Stores/{}/Merges/{}"),
}
"""The same of what is in a store."""


async def find_named(page: Page, text: str) -> str | None:
    """The path of the page of what a text names; None when it names nothing, or nothing that is there."""
    if event := _EVENT.fullmatch(text):
        return f"{page_of('conversation', event[1])}#event-{event[2]}"
    if _SID.fullmatch(text):
        return await _of_sid(page, text)
    for prefix, find in _FINDERS.items():
        if ids.is_id(text, prefix):
            return await find(page, text)
    return "/console" if text == page.account_id else None


async def _by_id(page: Page, text: str) -> str | None:
    """What the API has under its id alone."""
    kind, path = next(place for prefix, place in _KINDS.items() if ids.is_id(text, prefix))
    return page_of(kind, text) if (await page.ask(path_to(path, text))).succeeded else None


async def _in_store(page: Page, text: str) -> str | None:
    """Profiles and merges are of a store, which the id does not tell."""
    kind, path = next(place for prefix, place in _IN_STORES.items() if ids.is_id(text, prefix))
    stores = await page.ask("/v1/ControlPlane/Stores", pageSize=_STORES)
    known = stores.body["stores"] if stores.succeeded else []
    asked = await page.together(*(page.ask(path_to(path, one, text)) for one in known))
    store = next((store for store, answer in zip(known, asked, strict=True) if answer.succeeded), None)
    return page_of(kind, text, store) if store is not None else None


async def _of_participant(page: Page, participant_id: str) -> str | None:
    """The conversation that somebody takes part in."""
    found = _items(await page.ask("/orchestrator/v1/Search", q=participant_id, pageSize=1), "conversations")
    return page_of("conversation", found[0]["id"]) if found else None


async def _of_operation(page: Page, operation_id: str) -> str | None:
    """What an operation was about, if that is still there."""
    asked = [page.ask(path_to(path, operation_id)) for path in _OPERATIONS]
    bodies = [answer.body for answer in await page.together(*asked) if answer.succeeded]
    about = [one for body in bodies for one in ((body.get("related") or {}) | (body.get("result") or {})).values()]
    texts = [one for one in about if isinstance(one, str) and not ids.is_id(one, ids.OPERATION)]
    named = [await find_named(page, one) for one in texts]
    return next((one for one in named if one is not None), None)


async def _of_sid(page: Page, sid: str) -> str | None:
    """A message or call: the conversation that it is part of, or the list of several; or where it was turned away."""
    conversations, uncaptured = await page.together(
        page.ask("/v2/Conversations", channelId=sid), page.ask("/orchestrator/v1/Uncaptured", resourceId=sid)
    )
    found = _items(conversations, "conversations")
    if len(found) > 1:
        return f"/console/conversations?channelId={sid}"
    if found:
        path = path_to("/v2/Conversations/{}/Communications", found[0]["id"])
        said = _items(await page.ask(path, channelId=sid), "communications")
        anchor = f"#{said[0]['id']}" if said else ""
        return f"{page_of('conversation', found[0]['id'])}{anchor}"
    turned_away = _items(uncaptured, "uncaptured")
    return page_of("uncaptured", turned_away[0]["id"]) if turned_away else None


def _items(answer: Answer, name: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = answer.body[name] if answer.succeeded else []
    return found


async def _diagnostic(_page: Page, diagnostic_id: str) -> str:
    """Diagnostics have no pages of their own."""
    return f"/console/diagnostics#{diagnostic_id}"


_FINDERS: Mapping[str, Callable[[Page, str], Awaitable[str | None]]] = {
    **dict.fromkeys(_KINDS, _by_id),
    **dict.fromkeys(_IN_STORES, _in_store),
    ids.PARTICIPANT: _of_participant,
    ids.OPERATION: _of_operation,
    ids.DIAGNOSTIC: _diagnostic,
}
