"""The signatures beside Twilio's first one, against the official validator and the vector of Standard Webhooks."""

import base64
from datetime import UTC, datetime

import pytest
from twilio.request_validator import (  # type: ignore[import-untyped, unused-ignore]
    RequestValidator,
    get_signature_algorithm,
)

from orchestrator.kernel.callback_signing import (
    Envelope,
    Signer,
    shared_key,
    standard_entry,
    standard_secret,
    standard_signature,
)
from orchestrator.kernel.signing import signed_url

TOKEN, FORMER = "a token", "the token before"
BODY = '{"eventType":"é"}'
URL = signed_url("https://example.com/hook?a=1", BODY.encode())
ENVELOPE = Envelope("delivery-1", "conv_conversation_1:7", datetime(2026, 2, 3, 9, 15, 4, 999_999, tzinfo=UTC))


def headers(**options: object) -> dict[str, str]:
    return Signer(TOKEN, **options).headers(URL, BODY.encode(), ENVELOPE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("algorithm", "secret"), [("HMAC_SHA1", TOKEN), ("HMAC_SHA256", shared_key(TOKEN).secret)], ids=["sha1", "sha256"]
)
def test_the_official_validator_accepts_both_algorithms(algorithm: str, secret: str) -> None:
    sent = headers(algorithm=algorithm)
    named = get_signature_algorithm(sent.get("X-Twilio-Webhooks-Signature-Settings"))
    assert named == algorithm
    assert RequestValidator(secret).validate(URL, BODY, sent["X-Twilio-Signature"], named)
    assert not RequestValidator(FORMER).validate(URL, BODY, sent["X-Twilio-Signature"], named)


def test_the_shared_key_is_named_and_is_another_for_another_token() -> None:
    key = shared_key(TOKEN)
    assert headers(algorithm="HMAC_SHA256")["X-Twilio-Webhooks-Signature-Settings"] == (
        f"key={key.id},algorithm=HMAC_SHA256"
    )
    assert "X-Twilio-Webhooks-Signature-Settings" not in headers()
    assert {key.id, key.secret}.isdisjoint({shared_key(FORMER).id, shared_key(FORMER).secret, TOKEN})
    assert key.secret not in repr(key)


def test_the_vector_of_the_standard_webhooks_libraries() -> None:
    key = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    entry = standard_entry(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert entry == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_standard_webhooks_sign_id_time_and_body_with_every_valid_token() -> None:
    sent = headers(former_tokens=(FORMER,), standard_webhooks=True)
    assert (sent["webhook-id"], sent["webhook-timestamp"]) == ("delivery-1", "1770110104")
    signatures = [standard_signature(token, "delivery-1", "1770110104", BODY.encode()) for token in (TOKEN, FORMER)]
    assert sent["webhook-signature"].split(" ") == signatures
    key = base64.b64decode(standard_secret(TOKEN).removeprefix("whsec_"), validate=True)
    assert standard_entry(key, "delivery-1", "1770110104", BODY.encode()) == signatures[0]


def test_a_get_has_nothing_that_standard_webhooks_could_sign() -> None:
    sent = Signer(TOKEN, standard_webhooks=True).headers(URL, b"", ENVELOPE)
    assert set(sent) == {"X-Twilio-Signature", "Orchestrator-Signature"}


def test_a_signer_shows_no_token() -> None:
    assert TOKEN not in repr(Signer(TOKEN, (FORMER,)))
