"""What vouches for a callback beside Twilio's signature, and the keys for it, all derived from the auth token.

Pure: the service signs with it and receivers verify with it (`orchestrator.receiver`), by the standard library alone.

* `Orchestrator-Signature` covers what Twilio's scheme leaves open: the event's id and the idempotency token. Without
  it, whoever has seen one callback could send it again as another event.
* Standard Webhooks (standardwebhooks.com, version 1 of its signatures): HMAC-SHA256 over id, time and body.
* Twilio's newer variant of its own signature, HMAC-SHA256 with a shared key.

Derived keys let a receiver verify without a secret that also opens the API, and change when the auth token does.
"""

import binascii
import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime

from orchestrator.kernel.signing import Algorithm, sign

IDEMPOTENCY = "I-Twilio-Idempotency-Token"
EVENT_ID = "Orchestrator-Event-Id"
EVENT_SIGNATURE = "Orchestrator-Signature"
TWILIO_SIGNATURE = "X-Twilio-Signature"
TWILIO_SETTINGS = "X-Twilio-Webhooks-Signature-Settings"
STANDARD_ID = "webhook-id"
STANDARD_TIMESTAMP = "webhook-timestamp"
STANDARD_SIGNATURE = "webhook-signature"


@dataclass(frozen=True, slots=True)
class SharedKey:
    """What `X-Twilio-Webhooks-Signature-Settings` names, and the secret that goes with it."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """What one attempt to deliver says of itself."""

    token: str
    """The idempotency token, the same for all attempts."""
    event_id: str
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Signer:
    """How the callbacks of one account are signed."""

    auth_token: str = field(repr=False)
    former_tokens: tuple[str, ...] = field(default=(), repr=False)
    """Those that are still valid while receivers change over."""
    algorithm: Algorithm = "HMAC_SHA1"
    standard_webhooks: bool = False

    def headers(self, url: str, body: bytes, envelope: Envelope) -> dict[str, str]:
        """All signatures of a request. The URL is the final one, with `bodySHA256`; a GET has no body."""
        headers = {}
        if self.algorithm == "HMAC_SHA256":
            key = shared_key(self.auth_token)
            signature = sign(key.secret, url, algorithm=self.algorithm)
            headers[TWILIO_SETTINGS] = f"key={key.id},algorithm={self.algorithm}"
        else:
            signature = sign(self.auth_token, url)
        headers[TWILIO_SIGNATURE] = signature
        headers[EVENT_SIGNATURE] = event_signature(self.auth_token, envelope.event_id, envelope.token, signature)
        if self.standard_webhooks and body:  # their signature covers nothing of a GET
            headers |= self._standard(body, envelope)
        return headers

    def _standard(self, body: bytes, envelope: Envelope) -> dict[str, str]:
        seconds = str(int(envelope.sent_at.timestamp()))
        signatures = [
            standard_signature(token, envelope.token, seconds, body) for token in (self.auth_token, *self.former_tokens)
        ]
        return {
            STANDARD_ID: envelope.token,
            STANDARD_TIMESTAMP: seconds,
            STANDARD_SIGNATURE: " ".join(signatures),
        }


def event_signature(auth_token: str, event_id: str, token: str, twilio_signature: str) -> str:
    """The value of `Orchestrator-Signature`.

    Twilio's signature stands for the URL and the body, so this one binds event, token, URL and body together.
    """
    text = f"{event_id}.{token}.{twilio_signature}"
    return "v1," + _base64(hmac.digest(_derived(auth_token, "event"), text.encode(errors="replace"), "sha256"))


def standard_signature(auth_token: str, token: str, seconds: str, body: bytes) -> str:
    """One entry of `webhook-signature`."""
    return standard_entry(_derived(auth_token, "standard-webhooks"), token, seconds, body)


def standard_entry(key: bytes, token: str, seconds: str, body: bytes) -> str:
    """The same with a key of any origin."""
    return "v1," + _base64(hmac.digest(key, f"{token}.{seconds}.".encode(errors="replace") + body, "sha256"))


def standard_secret(auth_token: str) -> str:
    """What libraries for Standard Webhooks are given as secret: `whsec_…`."""
    return "whsec_" + _base64(_derived(auth_token, "standard-webhooks"))


def shared_key(auth_token: str) -> SharedKey:
    """The key of the HMAC_SHA256 variant. Its id tells receivers with which auth token it changed."""
    secret = _derived(auth_token, "shared-key").hex()
    return SharedKey("webhooks_sharedkey_" + hashlib.sha256(secret.encode()).hexdigest()[:26], secret)


def _derived(auth_token: str, purpose: str) -> bytes:
    return hmac.digest(auth_token.encode(), f"orchestrator callbacks: {purpose}".encode(), "sha256")


def _base64(raw: bytes) -> str:
    return binascii.b2a_base64(raw, newline=False).decode()
