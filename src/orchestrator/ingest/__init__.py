"""Provider traffic in: from a signed webhook to communications in the right conversations."""
