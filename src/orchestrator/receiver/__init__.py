"""For applications that receive status callbacks: prove them, take each once, in order, and miss none.

It is meant to be imported by programs other than the service, and needs the standard library and httpx alone. How it is
used is in docs/receiving.md.
"""

from orchestrator.receiver.events import Event, NotGenuine, verify
from orchestrator.receiver.inbox import Inbox, SqliteInbox
from orchestrator.receiver.log import EventLog
from orchestrator.receiver.receiving import Gap, Receipt, Receiver

__all__ = [
    "Event",
    "EventLog",
    "Gap",
    "Inbox",
    "NotGenuine",
    "Receipt",
    "Receiver",
    "SqliteInbox",
    "verify",
]
