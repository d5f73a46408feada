"""What a test has in its hand: one account of a running service, and everything that can happen to it."""

import contextlib
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar

import httpx

from orchestrator import phones
from orchestrator.kernel.ids import new_sid
from orchestrator.testing.accounts import Account
from orchestrator.testing.api import CLOCK, Api, Refused
from orchestrator.testing.callbacks import Callbacks
from orchestrator.testing.clock import Turned, turned
from orchestrator.testing.configuring import Grouping, configuration
from orchestrator.testing.received import Call, Received, receive
from orchestrator.testing.redirecting import use_here

AnyClient = TypeVar("AnyClient")
__tracebackhide__ = True  # pytest shows the line of the test


class Orchestrator:
    """One account. Its methods wait until what they ask for has happened; threads may share it.

    They raise Refused where the service says no, and httpx.HTTPError where it does not answer.
    """

    def __init__(self, api: Api, account: Account, callbacks: Callbacks) -> None:
        self.callbacks = callbacks
        """What the service calls back, by the configurations of `configure`."""
        self.api = api
        """The requests behind all of this."""
        self._account = account
        self._configurations: list[str] = []
        self._undo: list[Callable[[], object]] = []

    def __repr__(self) -> str:
        return f"Orchestrator({self.url}, {self.account_sid})"

    @property
    def url(self) -> str:
        return self.api.url

    @property
    def account_sid(self) -> str:
        return self._account.account_sid

    @property
    def auth_token(self) -> str:
        return self._account.auth_token

    @property
    def memory_store_id(self) -> str:
        return self._account.memory_store_id

    @property
    def number(self) -> str:
        """Our side's, which `configure` captures unless it is told another."""
        return self._account.number

    @property
    def client(self) -> httpx.Client:
        """For any other request: it knows URL and credentials."""
        return self.api.client

    def use_here(self, client: AnyClient, *, allow: Iterable[str] = ()) -> AnyClient:
        """Send an official client to this instance until the test is over, as `orchestrator.testing.use_here` says."""
        self._undo.append(lambda: use_here(client, None))
        return use_here(client, self.url, allow=allow)

    def configure(
        self, grouping: Grouping = "GROUP_BY_PARTICIPANT_ADDRESSES", number: str | None = None, **overrides: Any
    ) -> str:
        """Make a configuration that captures what a number sends and receives on every channel; returns its id.

        It uses the test's memory store, calls back to `callbacks`, and lets conversations become INACTIVE after 10
        minutes and CLOSED after 60. An override replaces a field of the request as a whole, by the API's name:
        `configure(memoryExtractionEnabled=True)`; None takes it away.
        """
        body = configuration(
            grouping,
            number or self.number,
            memory_store_id=self.memory_store_id,
            callback_url=self.callbacks.url,
            overrides=overrides,
        )
        made: str = self.api.post("/v2/ControlPlane/Configurations", body)["related"]["configurationId"]
        self._configurations.append(made)
        return made

    def receive_sms(self, from_: str, to: str, text: str, *, sid: str | None = None) -> Received:
        """Let an SMS arrive. The same `sid` again is the same message, sent again."""
        return self._receive_message("SMS", from_, to, text, sid)

    def receive_whatsapp(self, from_: str, to: str, text: str, *, sid: str | None = None) -> Received:
        """Let a WhatsApp message arrive; the prefix of the addresses may be left out."""
        return self._receive_message("WHATSAPP", from_, to, text, sid)

    def receive_rcs(self, from_: str, to: str, text: str, *, sid: str | None = None) -> Received:
        """Let an RCS message arrive; the prefix of the addresses may be left out."""
        return self._receive_message("RCS", from_, to, text, sid)

    def call(self, from_: str, to: str, *, direction: Literal["inbound", "outbound-api"] = "inbound") -> Call:
        """Let a call begin. Where it belongs shows with the first that is said on it."""
        sid = new_sid("CA")
        self.api.receive(phones.call(from_, to, sid=sid, direction=direction))
        return Call(sid, self._receive, new_sid("GT"))

    def now(self) -> datetime:
        """What time it is for the service."""
        return datetime.fromisoformat(self.api.get(CLOCK)["now"])

    def advance(self, by: str | float | timedelta) -> Turned:
        """Turn the clock on by `90s`, `10m`, `1h30m`, `3d`, a number of seconds or a timedelta.

        Returns once everything that became due has happened, each at its own time: conversations moved by timers,
        callbacks and their retries. The clock is the whole instance's, and goes forward only.
        """
        seconds = by.total_seconds() if isinstance(by, timedelta) else by
        return turned(self.api.turn({"action": "ADVANCE", "by": seconds}))

    def advance_to_next_deadline(self) -> Turned:
        """Turn the clock on to when the next conversation changes its state by itself."""
        return turned(self.api.turn({"action": "NEXT_DEADLINE"}))

    def conversations(self, **query: str) -> list[dict[str, Any]]:
        """The account's conversations, oldest first; `status="ACTIVE,INACTIVE"` and `channelId` filter."""
        return self.api.all("/v2/Conversations", "conversations", **query)[::-1]

    def conversation(self, conversation_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.api.get(f"/v2/Conversations/{conversation_id}")
        return found

    def communications(self, conversation_id: str) -> list[dict[str, Any]]:
        """What was said in a conversation, oldest first."""
        return self.api.all(f"/v2/Conversations/{conversation_id}/Communications", "communications")

    def explain(self, channel: phones.Channel, from_: str, to: str, text: str = "hello", **more: str) -> dict[str, Any]:
        """What would become of a message, as the API tells it: `outcome`, `landings`, `sentences`; nothing is written.

        More fields go by the API's names: `direction="OUTBOUND"`.
        """
        wanted = {"channel": channel, "from": from_, "to": to, "text": text, **more}
        explained: dict[str, Any] = self.api.post("/orchestrator/v1/Explain", wanted)
        return explained

    def clear_away(self) -> None:
        """Send clients back to Twilio, and delete what would be in the way of the tests that come after this one."""
        for undo in reversed(self._undo):
            undo()
        with contextlib.suppress(httpx.HTTPError, Refused):  # what became of the service is not the test's fault
            self._delete_conversations()
            if not self._account.is_fresh:
                self._delete_ours()

    def _delete_conversations(self) -> None:
        """Whoever turns the clock next would wait for what becomes due in them."""
        for conversation in self.conversations():
            if self._account.is_fresh or conversation["configurationId"] in self._configurations:
                self._try_to_delete(f"/v2/Conversations/{conversation['id']}")

    def _delete_ours(self) -> None:
        """Of an account that others use too."""
        for configuration_id in self._configurations:
            self._try_to_delete(f"/v2/ControlPlane/Configurations/{configuration_id}")
        self._try_to_delete(f"/v1/ControlPlane/Stores/{self.memory_store_id}")

    def _try_to_delete(self, path: str) -> None:
        with contextlib.suppress(Refused):  # the test may have deleted it
            self.api.delete(path)

    def _receive_message(self, channel: phones.Channel, from_: str, to: str, text: str, sid: str | None) -> Received:
        sid = sid or new_sid("SM")
        return self._receive(phones.message(channel, from_, to, text, sid=sid), sid, sid)

    def _receive(self, webhook: phones.Webhook, resource_id: str, channel_id: str) -> Received:
        return receive(self.api, webhook, resource_id, channel_id)
