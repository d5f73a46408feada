"""`orchestrator migrate-configuration`: another grouping type for what a configuration captures.

The type of a configuration cannot be changed, so another one takes its place: made with the same settings, given the
capture rules, and the old one is closed and deleted.
"""

from orchestrator.cli.regrouping.command import migrate_configuration

__all__ = ["migrate_configuration"]
