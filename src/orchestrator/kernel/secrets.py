"""Secrets at rest: auth tokens are encrypted (they sign and verify webhooks), API key secrets are hashed."""

import base64
import hashlib
import hmac
import os
import secrets
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SecretKeyMismatch(RuntimeError):
    """The stored secrets were encrypted with another key."""


class SecretBox:
    """Encrypts with the service's secret key, and decrypts with that or, while it is being changed, the old one."""

    def __init__(self, secret_key: str, old_secret_key: str | None = None) -> None:
        keys = [secret_key] if old_secret_key is None else [secret_key, old_secret_key]
        self._fernet = MultiFernet([_fernet(key) for key in keys])

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, token: bytes) -> str:
        """The text. Raises SecretKeyMismatch when it was encrypted with another key."""
        try:
            return self._fernet.decrypt(token).decode()
        except InvalidToken as error:
            raise SecretKeyMismatch(
                "stored auth tokens cannot be decrypted: ORCHESTRATOR_SECRET_KEY (or the data folder's secret.key) "
                "is not the one they were encrypted with"
            ) from error


def _fernet(secret_key: str) -> Fernet:
    # Any text can be the key: Fernet wants 32 bytes, which its digest gives.
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(secret_key.encode()).digest()))


def secret_key_from(data_dir: Path) -> str:
    """The key kept in the data folder, made at first use, readable by its owner only."""
    path = data_dir / "secret.key"
    data_dir.mkdir(parents=True, exist_ok=True)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(descriptor, "w") as file:
        key = secrets.token_urlsafe(32)
        file.write(key + "\n")
    return key


def digest(secret: str) -> bytes:
    """The hash of a random 256-bit secret; a slow hash is for passwords that people choose."""
    return hashlib.sha256(secret.encode()).digest()


def same(one: bytes | str, other: bytes | str) -> bool:
    """Compare without telling by the time it takes."""
    return hmac.compare_digest(*(text.encode() if isinstance(text, str) else text for text in (one, other)))
