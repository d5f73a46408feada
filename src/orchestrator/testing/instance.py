"""An instance for tests: `orchestrator serve` with a PostgreSQL that goes away again, or one that runs already."""

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from orchestrator.cli.errors import WrongUsage
from orchestrator.cli.prove.instance import Service, reserved_port
from orchestrator.cli.temporary_folder import temporary_folder
from orchestrator.testing import situation
from orchestrator.testing.accounts import Accounts, GivenAccount
from orchestrator.testing.api import Api
from orchestrator.testing.orchestrator import Orchestrator
from orchestrator.testing.receiver import Receiver, receiving

URL = "ORCHESTRATOR_TESTING_URL"
CREDENTIALS = ("ORCHESTRATOR_TESTING_ACCOUNT_SID", "ORCHESTRATOR_TESTING_AUTH_TOKEN")
"""Environment variables that name an instance that runs already, and an account of it."""
_OWN = {
    *("HOST", "PORT", "PUBLIC_URL", "MODE", "DATA_DIR"),
    *("DATABASE_URL", "SECRET_KEY", "OLD_SECRET_KEY", "ACCOUNT_SID", "AUTH_TOKEN"),
}
"""Settings that an instance for tests chooses itself."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A running service. Its clock is the same for all who use it."""

    url: str
    log: Path | None
    """What it writes; None where it ran already."""
    _accounts: Accounts = field(repr=False)
    _receiver: Receiver = field(repr=False)

    @contextmanager
    def orchestrator(self) -> Iterator[Orchestrator]:
        """One test's view of it: a fresh account, with callbacks of its own. What is to be cleared away is so after it.

        Where the instance ran already there is one account for all, and configurations, conversations and the memory
        store of the test are deleted.
        """
        account = self._accounts.take()
        with (
            closing(Api(self.url, account.account_sid, account.auth_token)) as api,
            self._receiver.listening(account.auth_token, lambda: situation.asked(situation.lines, api)) as callbacks,
        ):
            one = Orchestrator(api, account, callbacks)
            try:
                yield one
            finally:
                one.clear_away()


@contextmanager
def running_instance(settings: Mapping[str, str] | None = None) -> Iterator[Instance]:
    """The instance of `ORCHESTRATOR_TESTING_URL`, else one that is started, and ended after the block.

    Settings are those of docs/settings.md without their prefix, as `{"DIGEST_SUMMARIES": "true"}`; one that runs
    already has its own. Raises CommandFailed if it does not start, WrongUsage where credentials are missing or settings
    are given that there are not, or that it chooses itself.
    """
    url = os.environ.get(URL)
    with receiving() as receiver:
        if url is None:
            with _started(settings or {}, receiver) as instance:
                yield instance
        else:
            yield Instance(url.rstrip("/"), None, GivenAccount(url.rstrip("/"), *_credentials()), receiver)


@contextmanager
def _started(settings: Mapping[str, str], receiver: Receiver) -> Iterator[Instance]:
    _check(settings)
    with temporary_folder("testing") as folder, reserved_port() as port:
        log = folder / "service.log"
        service = Service(port, [], {**settings, "MODE": "dev", "DATA_DIR": str(folder)}, log)
        service.start()
        try:
            # Takes a while to import; so does the service, at the same time.
            from orchestrator.testing.fresh import FreshAccounts

            service.wait_until_ready()
            yield Instance(service.url, log, FreshAccounts(folder), receiver)
        finally:
            service.stop()


def _check(settings: Mapping[str, str]) -> None:
    from orchestrator.settings import Settings  # takes a while to import

    known = {name.upper() for name in Settings.model_fields}
    if unknown := sorted(set(settings) - known):
        raise WrongUsage(
            f"there is no setting {', '.join(unknown)}: names are those of docs/settings.md, without ORCHESTRATOR_"
        )
    if taken := sorted(_OWN & set(settings)):
        raise WrongUsage(f"an instance for tests chooses {', '.join(taken)} itself")


def _credentials() -> tuple[str, str]:
    sid, token = (os.environ.get(name) for name in CREDENTIALS)
    if not sid or not token:
        raise WrongUsage(f"{URL} needs {' and '.join(CREDENTIALS)} beside it")
    return sid, token
