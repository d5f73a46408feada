"""Twilio's webhook signature: what we put on callbacks and what we demand of provider traffic.

The rule is the official SDK's `twilio.request_validator.RequestValidator` (twilio-python 9.13), which is the oracle in
the tests. `X-Twilio-Signature` is the base64 HMAC-SHA1, keyed with the account's auth token, of the full URL, followed

* for a form: by every distinct field name and value, sorted and without separators;
* for any other body: by nothing; the URL then carries the body's digest as query parameter `bodySHA256`.

The newer variant, HMAC-SHA256 with a shared key instead of the auth token, signs the same text; header
`X-Twilio-Webhooks-Signature-Settings` tells of it.
"""

import binascii
import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal
from urllib.parse import parse_qs, unquote_plus, urlparse

BODY_DIGEST = "bodySHA256"

Algorithm = Literal["HMAC_SHA1", "HMAC_SHA256"]
"""As the header spells it."""

_HASHES = {"HMAC_SHA1": "sha1", "HMAC_SHA256": "sha256"}


def signed_url(url: str, body: bytes) -> str:
    """The URL with the digest of the body in its query, which is the text that `sign` signs.

    A fragment is removed: it never reaches the receiver. So is a digest that the URL already carries, because the
    official validator reads the first one it finds.
    """
    base, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if _name(part) != BODY_DIGEST] if query else []
    return f"{base}?{'&'.join([*kept, f'{BODY_DIGEST}={hashlib.sha256(body).hexdigest()}'])}"


def sign(secret: str, url: str, params: Iterable[tuple[str, str]] = (), *, algorithm: Algorithm = "HMAC_SHA1") -> str:
    """The value of `X-Twilio-Signature` for a URL and form fields; a field may occur several times.

    The secret is the auth token, or the shared key that goes with HMAC_SHA256.
    """
    return _signature(secret.encode(), url + _fields(params), algorithm).decode()


def verify(
    secret: str,
    url: str,
    signature: str,
    *,
    params: Iterable[tuple[str, str]],
    body: bytes,
    algorithm: Algorithm = "HMAC_SHA1",
) -> bool:
    """Whether the signature belongs to the request, by either scheme. Never raises for what a stranger may send.

    `params` are all fields of a form body, empty ones included; nothing for any other body. A body that neither a
    field nor a digest vouches for is refused: its signature covers the URL alone and would fit any other body too.
    """
    if not secret:
        return False  # anybody can sign with an empty key
    try:
        given, form, digest = signature.encode(), set(params), _declared_digest(url)
        if digest is not None and hmac.compare_digest(hashlib.sha256(body).hexdigest().encode(), digest.encode()):
            return _matches(secret.encode(), url, given, algorithm)
        if form or not (body or digest):
            return _matches(secret.encode(), url, given, algorithm, _fields(form))
    except ValueError:  # an impossible port or host, or text that is not Unicode
        pass
    return False


def _matches(key: bytes, url: str, given: bytes, algorithm: Algorithm, fields: str = "") -> bool:
    return any(
        hmac.compare_digest(_signature(key, spelling + fields, algorithm), given) for spelling in _spellings(url)
    )


def _signature(key: bytes, text: str, algorithm: Algorithm) -> bytes:
    return binascii.b2a_base64(hmac.digest(key, text.encode(), _HASHES[algorithm]), newline=False)


def _fields(params: Iterable[tuple[str, str]]) -> str:
    # Sorting the distinct pairs is the validator's "names sorted, then each name's distinct values sorted".
    return "".join([name + value for name, value in sorted(set(params))])


@lru_cache(maxsize=1024)
def _spellings(url: str) -> tuple[str, str]:
    """The URL without and with a port: senders disagree, so the official validator admits both.

    It takes away any port, not only the scheme's own. Unlike ours, it garbles a host with a port that is an IPv6
    address or follows credentials.
    """
    parts = urlparse(url)
    if parts.port:
        return parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl(), parts.geturl()
    port = 443 if parts.scheme == "https" else 80
    return parts.geturl(), parts._replace(netloc=f"{parts.netloc}:{port}").geturl()


def _declared_digest(url: str) -> str | None:
    if BODY_DIGEST not in url:  # the common case on the hot path: a form
        return None
    return parse_qs(urlparse(url).query).get(BODY_DIGEST, [None])[0]


def _name(part: str) -> str:
    return unquote_plus(part.partition("=")[0])
