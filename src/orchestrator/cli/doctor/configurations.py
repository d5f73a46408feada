"""Checks of configurations, and of what became of the traffic that they were made for."""

from collections import Counter
from collections.abc import Iterator

from orchestrator.cli.doctor.findings import Finding
from orchestrator.cli.doctor.seen import LOOKED_AT, Seen
from orchestrator.configurations.channels import LONGEST_TIMEOUT
from orchestrator.configurations.service import MOST_CONFIGURATIONS


def number_of_configurations(seen: Seen) -> Iterator[Finding]:
    """None, or as many as there can be."""
    count = len(seen.configurations)
    if count == 0:
        yield Finding(
            "no-configuration",
            "account",
            "There is no configuration yet, so nothing is captured.",
            "Create one: POST /v2/ControlPlane/Configurations (README, A five-minute tour).",
        )
    if count >= MOST_CONFIGURATIONS:
        yield Finding(
            "configurations-full",
            "account",
            f"The account has {count} configurations, which is the most there can be.",
            "Delete one before the next is needed, also before `orchestrator migrate-configuration`.",
        )


def never_closes(seen: Seen) -> Iterator[Finding]:
    """Channels that capture, and whose conversations end only by hand or after three years."""
    for one in seen.configurations:
        for channel, setting in one.body["channelSettings"].items():
            closed = (setting.get("statusTimeouts") or {}).get("closed")
            if setting.get("captureRules") and closed in {None, LONGEST_TIMEOUT}:
                yield Finding(
                    "never-closes",
                    f"{one.name}, {channel}",
                    "The channel has no closing time. A conversation with anything on it stays open for three years, "
                    "also if its other channels have timers: the last one decides.",
                    f'Set channelSettings.{channel}.statusTimeouts, such as {{"inactive": 10, "closed": 60}} '
                    "(minutes). Conversations that are open already keep what they began with.",
                )


def missing_stores(seen: Seen) -> Iterator[Finding]:
    """Configurations whose memory store is gone."""
    for one in seen.configurations:
        store_id = str(one.body["memoryStoreId"])
        if store_id in seen.stores_missing:
            yield Finding(
                "store-missing",
                one.name,
                f"Its memory store {store_id} does not exist or was deleted: traffic is captured, but no customer is "
                "recognised, and GROUP_BY_PROFILE groups by addresses.",
                "Name another store in memoryStoreId (POST /v1/ControlPlane/Stores makes one). A deleted store's id "
                "cannot be used again.",
            )


def uncaptured(seen: Seen) -> Iterator[Finding]:
    """Traffic of the last day that landed nowhere."""
    if seen.uncaptured:
        reason, count = Counter(str(one["trace"].get("reason")) for one in seen.uncaptured).most_common(1)[0]
        yield Finding(
            "traffic-uncaptured",
            "traffic of the last day",
            f"{_many(len(seen.uncaptured), 'message')} landed in no conversation. Most often ({count}): {reason}.",
            "`orchestrator uncaptured` tells of each. If it was meant to be captured, add a rule.",
        )


def unresolved(seen: Seen) -> Iterator[Finding]:
    """Customers of the last day for whom no profile was found, or not for certain."""
    if seen.diagnostics:
        code, count = Counter(int(one["code"]) for one in seen.diagnostics).most_common(1)[0]
        yield Finding(
            "profiles-unresolved",
            "traffic of the last day",
            f"{_many(len(seen.diagnostics), 'message')} had a customer whose profile was not resolved, or not for "
            f"certain. Most often ({count}): {code}.",
            "GET /orchestrator/v1/Diagnostics tells of each.",
        )


def _many(count: int, noun: str) -> str:
    return f"{count}{' or more' if count >= LOOKED_AT else ''} {noun}{'' if count == 1 else 's'}"


CHECKS = (number_of_configurations, never_closes, missing_stores, uncaptured, unresolved)
