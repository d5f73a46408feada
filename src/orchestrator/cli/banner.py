"""What `orchestrator serve` says once it serves: where, with which credentials, and what to do next."""

import contextlib
import json
import shlex
import shutil
import sys
from dataclasses import dataclass

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.text import Text

from orchestrator import __version__
from orchestrator.cli.first_account import FirstAccount, credentials_file
from orchestrator.cli.instance import url_of_service
from orchestrator.settings import Settings

_OUR_NUMBER = "+16505550199"
_CUSTOMER = "+15551234567"
_RULES = [{"from": "*", "to": _OUR_NUMBER}, {"from": _OUR_NUMBER, "to": "*"}]
_TIMEOUTS = {"inactive": 10, "closed": 60}


@dataclass(frozen=True, slots=True)
class Banner:
    """Everything that is told."""

    settings: Settings
    url: str
    """For somebody on this machine; the public one may lead through a proxy that is not there yet."""
    embedded: bool
    account: FirstAccount | None

    def show(self) -> None:
        """Print it. A reader who has gone away does not stop the service."""
        console = Console(highlight=False, soft_wrap=True)
        with contextlib.suppress(OSError, SystemExit):  # rich exits where a pipe is closed
            console.print(f"\n[bold green]Orchestrator {__version__}[/] serves at [bold]{escape(self.url)}[/]\n")
            for line in self._facts():
                console.print(line)
            if not self.settings.verify_signatures:
                console.print(Panel(_UNSIGNED, title="SIGNATURES ARE NOT VERIFIED", style="bold red", expand=False))
            if self.account is not None:
                console.print("\nCreate a configuration, ready to paste:\n")
                # Plain, without markup: what is pasted must be what is meant.
                console.print(Text(self.curl(self.account)))
                console.print("\nThen let a message arrive, and read why it lands where it does:\n")
                console.print(Text(self.send()))
            console.print(
                f"\nNext: [bold]{escape(_program())} demo[/] shows the grouping types, "
                f"{escape(self.url)}/docs has the API\n"
            )

    def curl(self, account: FirstAccount) -> str:
        """A command that creates a configuration as it is."""
        body = {
            "displayName": "Quickstart",
            "description": f"All traffic of {_OUR_NUMBER}",
            "conversationGroupingType": "GROUP_BY_PROFILE",
            "memoryStoreId": account.memory_store_id,
            "channelSettings": {
                channel: {"statusTimeouts": _TIMEOUTS, "captureRules": _RULES}
                for channel in ("SMS", "VOICE", "WHATSAPP")
            },
        }
        return (
            f"curl {shlex.quote(self.url + '/v2/ControlPlane/Configurations')} \\\n"
            f"  -u {self._user(account)} \\\n"
            f"  -H 'Content-Type: application/json' \\\n"
            f"  -d {shlex.quote(json.dumps(body))}"
        )

    def send(self) -> str:
        """A command that lets a message arrive which that configuration captures."""
        url = "" if self.url == url_of_service() else f" --url {shlex.quote(self.url)}"
        return f'{_program()} send sms --from {_CUSTOMER} --to {_OUR_NUMBER} "Where is my parcel?"{url}'

    @property
    def _reveals(self) -> bool:
        """Whether the auth token is printed: in dev mode, and once when it was made here."""
        made_here = self.account is not None and self.account.is_new and self.settings.auth_token is None
        return self.settings.is_dev or made_here

    def _facts(self) -> list[str]:
        public_url = self.settings.public_url
        return [
            *([f"  Public URL      [bold]{escape(public_url)}[/]"] if public_url else []),
            *([f"  Console         [bold]{escape(self.url)}/console[/]"] if self.settings.console else []),
            *self._credentials(),
        ]

    def _credentials(self) -> list[str]:
        if self.account is None:
            return ["  Accounts        [bold]orchestrator accounts list[/], [bold]orchestrator accounts create[/]"]
        file = escape(str(credentials_file(self.settings.data_dir)))
        place = f"in {file}" if self.embedded else "in ORCHESTRATOR_AUTH_TOKEN"
        shown = f"[bold]{escape(self.account.auth_token)}[/]  (kept {place})" if self._reveals else f"kept {place}"
        return [
            f"  Account SID     [bold]{self.account.account_id}[/]",
            f"  Auth token      {shown}",
            f"  Memory store    [bold]{self.account.memory_store_id}[/]",
        ]

    def _user(self, account: FirstAccount) -> str:
        """The argument of curl's -u, or a shell expression that gives it."""
        if self._reveals:
            return shlex.quote(f"{account.account_id}:{account.auth_token}")
        if not self.embedded:
            return '"$ORCHESTRATOR_ACCOUNT_SID:$ORCHESTRATOR_AUTH_TOKEN"'
        file = shlex.quote(str(credentials_file(self.settings.data_dir)))
        return f'"$(sed -n \'s/.*"basicAuth": "\\(.*\\)".*/\\1/p\' {file})"'


def _program() -> str:
    """This command as it can be typed here: it need not be on the path, nor a script."""
    if shutil.which("orchestrator"):
        return "orchestrator"
    is_module = sys.argv[0].endswith(".py")  # python -m orchestrator
    return f"{shlex.quote(sys.executable)} -m orchestrator" if is_module else shlex.quote(sys.argv[0])


_UNSIGNED = (
    "ORCHESTRATOR_VERIFY_SIGNATURES is off: whoever reaches this service\n"
    "can post provider traffic in the name of every account.\n"
    "For experiments on your own machine only."
)
