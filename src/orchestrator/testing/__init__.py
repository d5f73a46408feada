"""For the test suites of applications: a service to talk to, traffic that arrives, a clock to turn, callbacks to await.

`orchestrator.testing.plugin` makes pytest fixtures of it; how they are used is in docs/testing.md. Importing this costs
next to nothing: what a name needs is imported when the name is first used.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from orchestrator.testing.api import Refused
    from orchestrator.testing.callbacks import Callback, Callbacks, NotCalledBack
    from orchestrator.testing.clock import Turned
    from orchestrator.testing.instance import Instance, running_instance
    from orchestrator.testing.orchestrator import Orchestrator
    from orchestrator.testing.received import Call, Landing, NotCaptured, Received
    from orchestrator.testing.redirecting import NotSent, use_here

__all__ = [
    "Call",
    "Callback",
    "Callbacks",
    "Instance",
    "Landing",
    "NotCalledBack",
    "NotCaptured",
    "NotSent",
    "Orchestrator",
    "Received",
    "Refused",
    "Turned",
    "running_instance",
    "use_here",
]

_MODULES = {
    "Call": "received",
    "Callback": "callbacks",
    "Callbacks": "callbacks",
    "Instance": "instance",
    "Landing": "received",
    "NotCalledBack": "callbacks",
    "NotCaptured": "received",
    "NotSent": "redirecting",
    "Orchestrator": "orchestrator",
    "Received": "received",
    "Refused": "api",
    "Turned": "clock",
    "running_instance": "instance",
    "use_here": "redirecting",
}


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
