"""What an id or a SID names, and the page that shows it."""

import re

from orchestrator.console.api import Answer
from orchestrator.console.links import page_of
from orchestrator.console.page import Page, path_to
from orchestrator.kernel import ids

_SID = re.compile(r"(SM|MM|CA|GT)[0-9A-Za-z]{1,64}")
_EVENT = re.compile(rf"({ids.CONVERSATION}_[0-9a-z]{{26}}):([0-9]{{1,18}})")
_STORES = 20

_KINDS = {
    ids.CONVERSATION: ("conversation", "/v2/Conversations/{}"),
    ids.COMMUNICATION: ("communication", "/orchestrator/v1/Communications/{}/Trace"),
    ids.CONFIGURATION: ("configuration", "/v2/ControlPlane/Configurations/{}"),
    ids.MEMORY_STORE: ("store", "/v1/ControlPlane/Stores/{}"),
    ids.DELIVERY: ("delivery", "/orchestrator/v1/Deliveries/{}"),
    ids.UNCAPTURED: ("uncaptured", "/orchestrator/v1/Uncaptured/{}"),
}
"""The kind of thing by the prefix of its id, and where the API has it."""


async def find_named(page: Page, text: str) -> str | None:
    """The path of the page of what a text names; None when it names nothing, or nothing that is there."""
    if event := _EVENT.fullmatch(text):
        return f"{page_of('conversation', event[1])}#event-{event[2]}"
    for prefix, (kind, path) in _KINDS.items():
        if ids.is_id(text, prefix):
            return page_of(kind, text) if (await page.ask(path_to(path, text))).succeeded else None
    if ids.is_id(text, ids.PROFILE):
        return await _profile(page, text)
    if ids.is_id(text, ids.DIAGNOSTIC):
        return f"/console/diagnostics#{text}"
    if _SID.fullmatch(text):
        return await _of_sid(page, text)
    return "/console" if text == page.account_id else None


async def _profile(page: Page, profile_id: str) -> str | None:
    """Profiles are of a store, which the id does not tell."""
    stores = await page.ask("/v1/ControlPlane/Stores", pageSize=_STORES)
    known = stores.body["stores"] if stores.succeeded else []
    asked = await page.together(*(page.ask(path_to("/v1/Stores/{}/Profiles/{}", one, profile_id)) for one in known))
    store = next((store for store, answer in zip(known, asked, strict=True) if answer.succeeded), None)
    return page_of("profile", profile_id, store) if store is not None else None


async def _of_sid(page: Page, sid: str) -> str | None:
    """A message or call: the conversation that it is part of, if it is one alone; or where it was turned away."""
    conversations, uncaptured = await page.together(
        page.ask("/v2/Conversations", channelId=sid), page.ask("/orchestrator/v1/Uncaptured", resourceId=sid)
    )
    found = _items(conversations, "conversations")
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
