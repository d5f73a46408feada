"""Where things are shown: the navigation, and the page of what an id names."""

from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Entry:
    """A line of the navigation."""

    name: str
    path: str
    key: str
    """Pressed after `g`, it leads there."""


NAVIGATION = (
    Entry("Overview", "/console", "o"),
    Entry("Conversations", "/console/conversations", "c"),
    Entry("Phones", "/console/phones", "p"),
    Entry("Events", "/console/events", "e"),
    Entry("Deliveries", "/console/deliveries", "d"),
    Entry("Not captured", "/console/uncaptured", "u"),
    Entry("Traffic", "/console/traffic", "t"),
    Entry("Configurations", "/console/configurations", "f"),
    Entry("Rule tester", "/console/explain", "r"),
    Entry("Memory", "/console/stores", "m"),
    Entry("Numbers", "/console/numbers", "n"),
)

_SHOWN_AT = {
    "conversation": "/console/conversations/{id}",
    "communication": "/console/communications/{id}",
    "configurations": "/console/configurations",
    "configuration": "/console/configurations/{id}",
    "explain": "/console/explain",
    "stores": "/console/stores",
    "store": "/console/stores/{id}",
    "profile": "/console/stores/{within}/profiles/{id}",
    "merge": "/console/stores/{within}/merges/{id}",
    "numbers": "/console/numbers",
    "deliveries": "/console/deliveries",
    "delivery": "/console/deliveries/{id}",
    "uncaptured": "/console/uncaptured/{id}",
    "uncaptured-list": "/console/uncaptured",
}
"""Page by kind of thing; what is not here has none, and its id is shown without a link."""


def page_of(kind: str, thing: str | None, within: str | None = None) -> str | None:
    """The path of the page that shows a thing, if there is one; `within` is the store of a profile."""
    template = _SHOWN_AT.get(kind)
    if template is None or thing is None or (within is None and "{within}" in template):
        return None
    return template.format(id=quote(thing, safe=""), within=quote(within or "", safe=""))
