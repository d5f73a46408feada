"""Official clients sent to an instance from within the program: in place of `orchestrator proxy`, without certificates.

Nothing of Twilio's is imported here; whoever passes a client has imported it.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any, TypeVar
from urllib.parse import urlsplit

AnyClient = TypeVar("AnyClient")
__tracebackhide__ = True  # pytest shows the line of the test

_PRODUCTS_OF_TAC = {"ConversationClient": "conversations", "MemoryClient": "memory", "KnowledgeClient": "knowledge"}
"""The clients within Twilio Agent Connect, and the products that they ask."""
_BUILD = "_build_base_url"
_BEFORE = "_orchestrator_before"
"""Where what was put in a place keeps what was there."""
_NOTHING = object()


class NotSent(RuntimeError):
    """The request is for a host that the instance does not stand in for; it was not sent to Twilio either."""


def use_here(client: AnyClient, url: str | None, *, allow: Iterable[str] = ()) -> AnyClient:
    """Send a client's requests for Conversations, Memory and messages to the service at `url`; returns the client.

    The client is a `twilio.rest.Client`, synchronous or not, or an object of Twilio Agent Connect (`tac.TAC` or one of
    its clients). The class, `Client` or `TAC`, stands for all objects that are made of it from now on, wherever the
    program makes them: TAC asks for its configuration as soon as it is made, so that there it has to be the class. With
    None for `url` they go to Twilio again. Requests to other hosts are refused with NotSent; those to `allow`, names
    such as `verify.twilio.com`, go out. Raises TypeError for anything else.
    """
    route = None if url is None else _Route(url.rstrip("/"), allow)
    if hasattr(client, "get_hostname"):
        _redirect_twilio(client, route)
    elif _is_of_tac(client):
        _redirect_tac(client, route)
    else:
        raise TypeError(
            f"pass a twilio.rest.Client, an object of Twilio Agent Connect, or one of these classes, not {client!r}"
        )
    return client


class _Route:
    """Where requests go."""

    def __init__(self, url: str, allow: Iterable[str]) -> None:
        # It brings the command line along, which only who redirects something should pay for.
        from orchestrator.cli.proxy.hosts import Hosts

        self.url = url
        self._hosts = Hosts(allow)

    def is_here(self, uri: str) -> bool:
        """Links in the service's answers lead to the service already."""
        return urlsplit(uri).netloc == urlsplit(self.url).netloc

    def lead(self, uri: str) -> str:
        """The same resource here. Raises NotSent."""
        there = urlsplit(uri)
        host = there.hostname or ""
        if self._hosts.leads_here(host):
            return self.url + uri[len(f"{there.scheme}://{there.netloc}") :]
        if self._hosts.leads_away(host):
            return uri
        raise NotSent(
            f"a request to {host} was not sent: this instance stands in for Conversations, Memory and messages. "
            f"use_here(…, allow=[{host!r}]) lets it go there"
        )

    def base(self, twilios: str) -> str:
        """Where a product is. One that is not here, and not allowed, leads here all the same: to a 404."""
        return twilios if self._hosts.leads_away(urlsplit(twilios).hostname or "") else self.url


def _redirect_twilio(client: Any, route: _Route | None) -> None:
    """`get_hostname` is the last that a client does to a URL, whichever its HTTP client and its region are."""
    _restore(client, "get_hostname")
    if route is None:
        return
    usual: Callable[..., str] = client.get_hostname

    def get_hostname(*arguments: str) -> str:
        return arguments[-1] if route.is_here(arguments[-1]) else route.lead(usual(*arguments))

    _replace(client, "get_hostname", get_hostname)


def _redirect_tac(client: Any, route: _Route | None) -> None:
    base = importlib.import_module("tac.context.base").BaseAPIClient
    if isinstance(client, type):
        _redirect_all_of_tac(base, route)
        return
    parts = [client] if isinstance(client, base) else [one for one in vars(client).values() if isinstance(one, base)]
    for part in parts:
        product = next(_PRODUCTS_OF_TAC[one] for one in _names(part) if one in _PRODUCTS_OF_TAC)
        twilios: str = _usual(base, _BUILD)(product, part.region)
        part.base_url = twilios if route is None else route.base(twilios)


def _redirect_all_of_tac(base: Any, route: _Route | None) -> None:
    _restore(base, _BUILD)
    if route is None:
        return
    usual: Callable[[str, str | None], str] = _usual(base, _BUILD)

    def _build_base_url(product: str, region: str | None) -> str:
        return route.base(usual(product, region))

    _replace(base, _BUILD, staticmethod(_build_base_url))


def _is_of_tac(client: Any) -> bool:
    return not {"TAC", *_PRODUCTS_OF_TAC}.isdisjoint(_names(client))


def _names(client: Any) -> list[str]:
    """Of the classes of Twilio Agent Connect that it is, or is made of."""
    kinds = client.__mro__ if isinstance(client, type) else type(client).__mro__
    return [kind.__name__ for kind in kinds if kind.__module__.partition(".")[0] == "tac"]


def _replace(owner: Any, name: str, function: Any) -> None:
    setattr(getattr(function, "__func__", function), _BEFORE, vars(owner).get(name, _NOTHING))
    setattr(owner, name, function)


def _before(owner: Any, name: str) -> Any:
    """What was there when `_replace` put something there; None if it has not."""
    found = vars(owner).get(name)
    return getattr(getattr(found, "__func__", found), _BEFORE, None)


def _usual(owner: Any, name: str) -> Any:
    return _before(owner, name) or getattr(owner, name)


def _restore(owner: Any, name: str) -> None:
    """Take away what `_replace` has put there, if it has."""
    before = _before(owner, name)
    if before is _NOTHING:
        delattr(owner, name)
    elif before is not None:
        setattr(owner, name, before)
