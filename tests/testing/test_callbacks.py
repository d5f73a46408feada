"""What a test can ask of the callbacks that came; here the test itself is who calls back."""

from threading import Timer

import httpx
import pytest

from orchestrator.kernel.callback_signing import Signer
from orchestrator.testing import Callbacks, NotCalledBack, situation
from orchestrator.testing.api import Api
from orchestrator.testing.receiver import receiving
from tests.support.called_back import CONVERSATION, OTHER_TOKEN, TOKEN, callback

SAID = "COMMUNICATION_CREATED"


def call_back(callbacks: Callbacks, sequence: int = 1, *, attempt: int = 1, auth_token: str = TOKEN) -> int:
    sent = callback(sequence, signer=Signer(auth_token))
    return callbacks.take(sent.url, sent.headers | {"Orchestrator-Attempt": str(attempt)}, sent.body)


@pytest.fixture
def callbacks() -> Callbacks:
    return Callbacks("http://127.0.0.1/", TOKEN, lambda: ["The service is in a bad mood."])


def test_what_came_is_there_at_once_and_stays(callbacks: Callbacks) -> None:
    assert [call_back(callbacks, sequence) for sequence in (1, 2)] == [204, 204]
    for _ in range(2):
        assert callbacks.wait_for(SAID, CONVERSATION, timeout=0).sequence == 1
    assert callbacks.wait_for(SAID, where=lambda one: one.data["id"] == "2é", timeout=0).sequence == 2
    assert [one.sequence for one in callbacks.all] == [1, 2]


def test_who_waits_is_woken(callbacks: Callbacks) -> None:
    later = Timer(0.05, call_back, [callbacks])
    later.start()
    assert callbacks.wait_for(SAID, timeout=30).conversation_id == CONVERSATION
    later.join()


def test_waiting_in_vain_tells_what_came(callbacks: Callbacks) -> None:
    callbacks.fail_with(503)
    call_back(callbacks)
    call_back(callbacks, auth_token=OTHER_TOKEN)
    with pytest.raises(NotCalledBack) as error:
        callbacks.wait_for(SAID, CONVERSATION, timeout=0.01)
    heading, came, forged, situation = str(error.value).splitlines()
    assert heading == f"no {SAID} of {CONVERSATION} that fits came within 0.01 s. What came:"
    assert came == f"  {SAID} of {CONVERSATION} (number 1, attempt 1, answered 503)"
    assert forged.startswith("  refused, for it is not the account's: X-Twilio-Signature")
    assert situation == "The service is in a bad mood."


def test_waiting_in_vain_for_a_service_that_is_gone_says_so() -> None:
    api = Api("http://127.0.0.1:9", "AC", TOKEN)
    callbacks = Callbacks("http://127.0.0.1/", TOKEN, lambda: situation.asked(situation.lines, api))
    with pytest.raises(NotCalledBack, match=r"the service cannot be asked: .*refused"):
        callbacks.wait_for(SAID, timeout=0)
    api.close()


def test_waiting_for_another_conversation_or_for_nothing_at_all_is_in_vain(callbacks: Callbacks) -> None:
    with pytest.raises(NotCalledBack, match="  nothing"):
        callbacks.wait_for(SAID, timeout=0)
    call_back(callbacks)
    with pytest.raises(NotCalledBack, match="number 1, attempt 1"):
        callbacks.wait_for(SAID, "conv_conversation_another", timeout=0)


def test_a_misspelt_event_is_not_waited_for(callbacks: Callbacks) -> None:
    with pytest.raises(ValueError, match="CONVERSATION_UPDATED"):
        callbacks.wait_for("CONVERSATION_CLOSED")


def test_callbacks_fail_as_often_as_they_are_told_to(callbacks: Callbacks) -> None:
    callbacks.fail_with(500, times=2)
    callbacks.fail_with(429)
    assert [call_back(callbacks, attempt=attempt) for attempt in (1, 2, 3, 4)] == [500, 500, 429, 204]
    assert callbacks.wait_for(SAID, timeout=0).attempt == 4
    with pytest.raises(ValueError, match="not 204"):
        callbacks.fail_with(204)


def test_clearing_forgets_what_came_and_what_was_to_fail(callbacks: Callbacks) -> None:
    call_back(callbacks)
    call_back(callbacks, auth_token=OTHER_TOKEN)
    callbacks.fail_with(500)
    callbacks.clear()
    assert (callbacks.all, callbacks.forged) == ([], [])
    assert call_back(callbacks, 2) == 204


def test_what_the_account_has_not_signed_is_refused_and_no_callback(callbacks: Callbacks) -> None:
    assert call_back(callbacks, auth_token=OTHER_TOKEN) == 403
    assert callbacks.all == []
    assert len(callbacks.forged) == 1


def test_one_server_tells_tests_apart_and_takes_what_comes_too_late() -> None:
    with receiving() as receiver, httpx.Client(trust_env=False) as caller:
        with receiver.listening(TOKEN, list) as one, receiver.listening(TOKEN, list) as another:
            assert caller.post(f"{one.url}/below?x=1", content=b"{}").status_code == 403
            assert (len(one.forged), len(another.forged)) == (1, 0)
        assert caller.get(one.url).status_code == 204
        assert len(one.forged) == 1
