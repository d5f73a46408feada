"""What is accepted as a callback of the account, and what is not."""

from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.kernel.callback_signing import Signer
from orchestrator.receiver import NotGenuine
from tests.support.called_back import CONVERSATION, OTHER_TOKEN, SENT_AT, TOKEN, Callback, callback, content

MINUTES = timedelta(minutes=5)
EVERYTHING = Signer(TOKEN, (OTHER_TOKEN,), "HMAC_SHA256", standard_webhooks=True)


@pytest.mark.parametrize("method", ["POST", "GET"])
@pytest.mark.parametrize("signer", [Signer(TOKEN), EVERYTHING], ids=["plain", "everything"])
def test_a_callback_is_the_event_that_it_brings(method: str, signer: Signer) -> None:
    event = callback(7, signer=signer, method=method).verified()
    assert (event.id, event.conversation_id, event.sequence) == (f"{CONVERSATION}:7", CONVERSATION, 7)
    assert {"eventType": event.type, "timestamp": event.timestamp, "data": event.data} == content(7)
    assert event.token == "delivery-1"


def test_the_names_of_headers_are_read_in_any_case() -> None:
    sent = callback()
    assert replace(sent, headers={name.upper(): value for name, value in sent.headers.items()}).verified().sequence == 7


def test_any_of_several_auth_tokens_will_do() -> None:
    assert callback().verified(OTHER_TOKEN, TOKEN) == callback().verified(TOKEN)
    with pytest.raises(NotGenuine, match="X-Twilio-Signature"):
        callback().verified(OTHER_TOKEN)


def test_an_empty_auth_token_verifies_nothing() -> None:
    with pytest.raises(NotGenuine):
        callback(signer=Signer("")).verified("")


def forged() -> dict[str, Callback]:
    sent, other = callback(7), callback(8, token="delivery-2")
    unsigned = {name: value for name, value in sent.headers.items() if name != "Orchestrator-Signature"}
    return {
        "another body": replace(sent, body=other.body),
        "another URL": replace(sent, url=sent.url.replace("tenant=1", "tenant=2")),
        "no digest": replace(sent, url=sent.url.partition("&bodySHA256")[0]),
        "a POST as a GET": replace(sent, body=b""),
        "another event's number": replace(sent, headers=sent.headers | {"Orchestrator-Event-Id": f"{CONVERSATION}:8"}),
        "another token": replace(sent, headers=sent.headers | {"I-Twilio-Idempotency-Token": "delivery-2"}),
        "another event's signature": replace(
            sent, headers=sent.headers | {"Orchestrator-Signature": other.headers["Orchestrator-Signature"]}
        ),
        "no signature of ours": replace(sent, headers=unsigned),
        "no headers": replace(sent, headers={}),
        "settings of another algorithm": replace(
            sent, headers=sent.headers | {"X-Twilio-Webhooks-Signature-Settings": "key=k,algorithm=NONE"}
        ),
        "no text": replace(
            sent, headers=sent.headers | {"Orchestrator-Event-Id": "\udcff", "X-Twilio-Signature": "\udcff"}
        ),
    }


@pytest.mark.parametrize("how", forged())
def test_what_the_account_has_not_signed_is_refused(how: str) -> None:
    with pytest.raises(NotGenuine) as refusal:
        forged()[how].verified()
    assert TOKEN not in str(refusal.value)


@pytest.mark.parametrize(("seconds", "accepted"), [(0, True), (300, True), (-300, True), (301, False), (-301, False)])
def test_a_callback_may_be_asked_to_be_of_now(seconds: int, accepted: bool) -> None:
    sent, now = callback(signer=EVERYTHING), SENT_AT + timedelta(seconds=seconds)
    if accepted:
        assert sent.verified(tolerance=MINUTES, now=now).sequence == 7
    else:
        with pytest.raises(NotGenuine, match="too far"):
            sent.verified(tolerance=MINUTES, now=now)


@pytest.mark.parametrize(
    "changes",
    [
        {"webhook-id": "delivery-2"},
        {"webhook-timestamp": "1800000000"},
        {"webhook-timestamp": "soon"},
        {"webhook-signature": "v1,AAAA v2,AAAA"},
        {"webhook-signature": ""},
    ],
    ids=lambda changes: "=".join(*changes.items()),
)
def test_a_time_that_is_not_signed_is_refused(changes: dict[str, str]) -> None:
    sent = callback(signer=EVERYTHING)
    with pytest.raises(NotGenuine, match="webhook-"):
        replace(sent, headers=sent.headers | changes).verified(tolerance=MINUTES, now=SENT_AT)


def test_without_standard_webhooks_there_is_no_time_to_ask_for() -> None:
    with pytest.raises(NotGenuine, match="webhook-id"):
        callback().verified(tolerance=MINUTES, now=SENT_AT)
