"""Who is signed in: the credentials themselves, in a cookie that only this service can read.

The console has no rights of its own. A session is the user name and secret with which somebody signed in, encrypted
and authenticated with a key that is derived from the service's secret key; every request to the API carries them as
those of any other client do. So whatever ends the credentials ends the session, in all processes alike.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import orjson
from cryptography.fernet import Fernet, InvalidToken

from orchestrator.kernel.clock import Clock

IDLE = timedelta(hours=12)
"""A session that is not used for so long is over."""
_RENEWED_AFTER = timedelta(minutes=10)
_NOTICE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in."""

    username: str
    """Account SID, or SID of an API key."""
    secret: str = field(repr=False)
    form_token: str = field(repr=False)
    """Goes into every form: another site can have a browser send the cookie, but not know this."""
    is_secure: bool
    """Whether the browser came by https, which a proxy may hide from the service."""
    is_old: bool = field(default=False, compare=False)
    """Whether the cookie should be written anew."""

    @property
    def credentials(self) -> tuple[str, str]:
        return self.username, self.secret

    @property
    def authorization(self) -> str:
        """The header that the API asks for."""
        return "Basic " + base64.b64encode(f"{self.username}:{self.secret}".encode()).decode()


class Sessions:
    """Writes and reads the cookies of one service.

    Time is the system's own, whatever the service's clock was turned to: turning it must not sign anybody out.
    """

    def __init__(self, secret_key: str, clock: Clock | None = None) -> None:
        key = hmac.digest(secret_key.encode(), b"orchestrator console session", hashlib.sha256)
        self._fernet = Fernet(base64.urlsafe_b64encode(key))
        self._clock = clock or Clock()
        # Cookies are shared by all ports of a host; two services on one machine must not sign each other out.
        suffix = hashlib.sha256(key).hexdigest()[:8]
        self.cookie = f"orchestrator_console_{suffix}"
        self.notice_cookie = f"orchestrator_notice_{suffix}"

    @staticmethod
    def begin(username: str, secret: str, *, is_secure: bool) -> Session:
        """A session with a form token of its own."""
        return Session(username, secret, secrets.token_urlsafe(24), is_secure)

    def seal(self, session: Session) -> str:
        """The cookie of a session, valid for `IDLE` from now on."""
        values = [session.username, session.secret, session.form_token, session.is_secure]
        return self._sealed({"session": values})

    def read(self, cookie: str) -> Session | None:
        """The session of a cookie; None when it is over, or not one of ours."""
        value = self._read(cookie, "session", IDLE)
        if value is None:
            return None
        username, secret, form_token, is_secure = value
        age = self._now() - self._fernet.extract_timestamp(cookie)
        is_old = age > _RENEWED_AFTER.total_seconds()
        return Session(username, secret, form_token, is_secure, is_old)

    def seal_notice(self, text: str) -> str:
        """What the next page tells once. Sealed, so that nobody else can have the console say something."""
        return self._sealed({"notice": text})

    def read_notice(self, cookie: str) -> str | None:
        """What is to be told, if anything."""
        value = self._read(cookie, "notice", _NOTICE)
        return None if value is None else str(value)

    def _sealed(self, value: dict[str, Any]) -> str:
        return self._fernet.encrypt_at_time(orjson.dumps(value), self._now()).decode()

    def _read(self, cookie: str, kind: str, valid: timedelta) -> Any:
        try:
            text = self._fernet.decrypt_at_time(cookie, int(valid.total_seconds()), self._now())
        except (InvalidToken, ValueError):
            return None
        return orjson.loads(text).get(kind)

    def _now(self) -> int:
        return int(self._clock.now().timestamp())
