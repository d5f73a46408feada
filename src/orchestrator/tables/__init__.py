"""The tables, one file per aggregate; no queries, no behaviour. `account_id` leads every key and unique index."""

from orchestrator.tables import account, action, clock, configuration, conversation, memory, message, outbox, provider
from orchestrator.tables.base import metadata

__all__ = [
    "account",
    "action",
    "clock",
    "configuration",
    "conversation",
    "memory",
    "message",
    "metadata",
    "outbox",
    "provider",
]
