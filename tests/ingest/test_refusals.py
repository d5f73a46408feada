"""Refused webhooks: the account whose signature was right finds them among its traces, and nobody else leaves any."""

import pytest

from orchestrator.ingest import receipts
from tests.support import traffic
from tests.support.app import Service
from tests.support.calls import CALL, CONFIGURATION, connected, fragment
from tests.support.traffic import KIRAN, US
from tests.support.webhooks import MESSAGES, STATUS, VOICE, error, message_form, post_form


async def test_what_was_wrong_is_kept(service: Service) -> None:
    before = traffic.landings("none", "refused")
    form = message_form(service, To="+abc", Body="a secret")
    body = error(await post_form(service, form), 400, 20001)
    assert traffic.landings("none", "refused") == before + 1
    (row,) = (await traffic.get(service, "/orchestrator/v1/Uncaptured", resourceId=form["MessageSid"]))["uncaptured"]
    assert row["trace"] == {
        "outcome": "REFUSED",
        "reason": body["message"],
        "errorCode": 20001,
        "field": "/To",
        "value": "+abc",
        "from": KIRAN,
        "to": "+abc",
        "fields": {"NumMedia": "0"},
    }
    assert row["sentences"] == [f"Refused with error 20001: {body['message']}."]
    assert "a secret" not in str(row)


async def test_what_was_said_is_not_kept_even_where_it_is_what_is_wrong(service: Service) -> None:
    form = {"AccountSid": service.account.account_id, **connected(), **fragment(TranscriptionData='{"a secret')}
    assert error(await post_form(service, form, path=VOICE), 400, 20001)["params"]["field"] == "/TranscriptionData"
    (trace,) = await traffic.uncaptured(service)
    assert (trace["field"], trace["value"]) == ("/TranscriptionData", None)
    assert "a secret" not in str(trace)


@pytest.mark.parametrize(
    ("path", "wrong", "field"),
    [
        (STATUS, {"MessageStatus": "eaten"}, "/MessageStatus"),
        (VOICE, connected(**{CONFIGURATION: "x"}), f"/{CONFIGURATION}"),
        (VOICE, connected(From="+abc"), "/From"),
        (MESSAGES, {"MessageSid": "x" * 256}, "/MessageSid"),
    ],
    ids=str,
)
async def test_every_webhook_keeps_it(service: Service, path: str, wrong: dict[str, str], field: str) -> None:
    form = {**(connected() if path == VOICE else message_form(service)), **wrong}
    error(await post_form(service, {"AccountSid": service.account.account_id, **form}, path=path), 400, 20001)
    (row,) = (await traffic.get(service, "/orchestrator/v1/Uncaptured"))["uncaptured"]
    assert (row["trace"]["outcome"], row["trace"]["field"]) == ("REFUSED", field)
    known = {STATUS: form.get("MessageSid"), VOICE: CALL}.get(path)
    assert row["resourceId"] == known


async def test_the_same_refusal_again_is_kept_once_and_a_good_webhook_still_lands(service: Service) -> None:
    form = message_form(service, To=None)
    for _ in range(2):
        error(await post_form(service, form), 400, 20001)
    error(await post_form(service, {**form, "From": "+abc", "To": US}), 400, 20001)
    assert [one["field"] for one in await traffic.uncaptured(service)] == ["/To", "/From"]
    assert (await post_form(service, {**form, "To": US})).status_code == 200
    assert [one["outcome"] for one in await traffic.uncaptured(service)] == ["REFUSED", "REFUSED", "UNCAPTURED"]


async def test_whoever_did_not_sign_leaves_nothing(service: Service) -> None:
    before = await traffic.contents(service)
    error(await post_form(service, message_form(service, To="+abc"), token="another"), 403, 20403)
    assert await traffic.contents(service) == before


async def test_a_refusal_that_cannot_be_kept_is_to_be_sent_again(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise ConnectionError

    monkeypatch.setattr(receipts, "note_once", fail)
    error(await post_form(service, message_form(service, To="+abc")), 503, 20503)
