"""How far a message got, whatever order its reports come in (contract: conversations.md section 5)."""

from collections.abc import Iterable
from functools import reduce
from itertools import product

import pytest

from orchestrator.domain.addresses import Channel, parse
from orchestrator.domain.messages import DeliveryStatus, advanced
from tests.domain.strategies import message

INITIATED, IN_PROGRESS, DELIVERED, READ, FAILED = DeliveryStatus
PROGRESS = [INITIATED, IN_PROGRESS, DELIVERED, READ]
ARRIVED = [DELIVERED, READ]

HISTORIES = [history for length in range(1, 6) for history in product(DeliveryStatus, repeat=length)]
"""Every way in which up to five reports can come."""


def after(reports: Iterable[DeliveryStatus], start: DeliveryStatus | None = None) -> DeliveryStatus | None:
    return reduce(advanced, reports, start)


def test_the_status_never_moves_backwards() -> None:
    steps = {(before, advanced(before, report)) for before, report in product(DeliveryStatus, repeat=2)}
    forward = {(PROGRESS[low], PROGRESS[high]) for low in range(4) for high in range(low, 4)}
    assert steps == forward | {(INITIATED, FAILED), (IN_PROGRESS, FAILED), (FAILED, FAILED)}


def test_the_first_report_is_believed() -> None:
    assert [advanced(None, report) for report in DeliveryStatus] == list(DeliveryStatus)


def test_a_repeated_report_changes_nothing() -> None:
    for history in HISTORIES:
        status = after(history)
        assert all(after([report], status) == status for report in history)


def test_without_failure_the_furthest_report_counts_in_any_order() -> None:
    for history in HISTORIES:
        if FAILED not in history:
            assert after(history) == max(history, key=PROGRESS.index)


@pytest.mark.parametrize("arrived", ARRIVED)
def test_once_arrived_the_order_of_reports_does_not_matter(arrived: DeliveryStatus) -> None:
    """Nor does a failure: all that can still happen is that the message is read."""
    for history in HISTORIES:
        assert after(history, arrived) == (READ if READ in history else arrived)


def test_failed_is_final() -> None:
    assert {after(history, FAILED) for history in HISTORIES} == {FAILED}


def test_whichever_of_failed_and_delivered_came_first_is_believed() -> None:
    """The only thing that the order of reports decides."""
    for history in HISTORIES:
        deciding = next((report for report in history if report in (FAILED, *ARRIVED)), None)
        assert (after(history) == FAILED) == (deciding == FAILED)


def test_delivered_then_failed_and_the_other_way_round() -> None:
    """Section 5: "FAILED final unless DELIVERED/READ"."""
    assert after([IN_PROGRESS, DELIVERED, FAILED]) == DELIVERED
    assert after([IN_PROGRESS, FAILED, DELIVERED]) == FAILED


def test_a_message_is_of_the_channel_of_its_author() -> None:
    found = message(parse(Channel.RCS, "rcs:brand_acme_agent"), parse(Channel.RCS, "+15551234567"))
    assert found.channel is Channel.RCS
