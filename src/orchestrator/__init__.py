"""Orchestrator: a self-hosted service that Twilio clients take for Twilio's Conversation Orchestrator."""

__version__ = "0.1.0"
