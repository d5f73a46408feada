"""Extraction: what is worth remembering of a conversation that has come to rest, as an extractor outside tells it."""
