"""Actions: what callers ask to be done in a conversation. There is one kind, the sending of a message."""
