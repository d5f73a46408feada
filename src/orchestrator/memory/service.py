"""What other resources may ask of the memory store; recognition of customers is in `memory.identity`."""

from orchestrator.memory.stores import adopt_store

__all__ = ["adopt_store"]
