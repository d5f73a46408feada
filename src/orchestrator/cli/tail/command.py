"""The command: which events, from when on, until when, and where to."""

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from orchestrator.cli.errors import FAILED, WrongUsage
from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson, read_settings
from orchestrator.domain.events import EventType

if TYPE_CHECKING:
    from orchestrator.cli.api import Api
    from orchestrator.cli.tail.following import Following
    from orchestrator.cli.tail.forwarding import Forwarder
    from orchestrator.cli.tail.showing import Remarks
    from orchestrator.outbox.client import CallbackClient

Conversation = Annotated[str | None, typer.Option(metavar="ID", help="Only events of this conversation.")]
Types = Annotated[
    list[EventType] | None, typer.Option("--type", case_sensitive=False, help="Only events of this type; repeatable.")
]
ChannelOption = Annotated[
    Literal["VOICE", "SMS", "RCS", "WHATSAPP", "CHAT"] | None,
    typer.Option(case_sensitive=False, help="Only communications and participants of this channel."),
]
Configuration = Annotated[str | None, typer.Option(metavar="ID", help="Only conversations of this configuration.")]
Since = Annotated[
    str | None, typer.Option(metavar="TIME", help="Begin at this time: 2026-02-03T09:15:00Z, or 10m for so long ago.")
]
Last = Annotated[int | None, typer.Option(min=1, max=100_000, help="Begin so many events back.")]
After = Annotated[int | None, typer.Option(min=0, metavar="POSITION", help="Begin after this position of the log.")]
ForwardTo = Annotated[
    str | None, typer.Option(metavar="URL", help="Send each event there as well, as a signed status callback.")
]
CountOption = Annotated[int | None, typer.Option(min=1, help="End after so many events.")]
For = Annotated[str | None, typer.Option("--for", metavar="DURATION", help="End after this time: 10s, 5m, 2h.")]


@dataclass(frozen=True, slots=True)
class Given:
    """The options."""

    url: str | None
    types: tuple[str, ...]
    conversation: str | None
    channel: str | None
    configuration: str | None
    since: str | None
    last: int | None
    after: int | None
    forward_to: str | None
    count: int | None
    seconds: float | None
    as_json: bool


def tail(  # noqa: PLR0913 - each is an option
    *,
    conversation: Conversation = None,
    types: Types = None,
    channel: ChannelOption = None,
    configuration: Configuration = None,
    since: Since = None,
    last: Last = None,
    after: After = None,
    forward_to: ForwardTo = None,
    count: CountOption = None,
    lasting: For = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show events as they happen, and send them on to a program on this machine, without a tunnel.

    It goes on where it was when the connection is lost. Without --since, --last or --after it begins now; it ends with
    Ctrl-C, or after --count or --for. Exit code 1: something could not be forwarded.
    """
    from orchestrator.cli.tail.showing import give_up_output
    from orchestrator.cli.times import duration

    if sum(one is not None for one in (since, last, after)) > 1:
        raise WrongUsage("give one of --since, --last and --after")
    seconds = duration("--for", lasting).total_seconds() if lasting else None
    given = Given(
        url,
        tuple(types or ()),
        conversation,
        channel,
        configuration,
        since,
        last,
        after,
        forward_to,
        count,
        seconds,
        as_json,
    )
    try:
        done = asyncio.run(follow(given))
    except BrokenPipeError:
        give_up_output()
        done = False
    if not done:
        raise typer.Exit(FAILED)


async def follow(given: Given) -> bool:
    """Whether everything was forwarded that was to be."""
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.tail.showing import Remarks

    remarks = Remarks()
    async with contextlib.AsyncExitStack() as stack:
        api = await stack.enter_async_context(Api(find_instance(given.url)))
        forwarder = None
        if given.forward_to is not None:
            client = await stack.enter_async_context(_client(given.forward_to))
            forwarder = _forwarder(given, api, client, remarks)
        following = await _following(given, api, forwarder, remarks)
        if not await following.run() and forwarder is not None and forwarder.unsent:
            remarks.say(
                f"{len(forwarder.unsent)} events were not forwarded; go on with --after {min(forwarder.unsent) - 1}"
            )
            return False
    return forwarder is None or not forwarder.failed


async def _following(given: Given, api: "Api", forwarder: "Forwarder | None", remarks: "Remarks") -> "Following":
    from orchestrator.cli.tail import beginning
    from orchestrator.cli.tail.choosing import Choice
    from orchestrator.cli.tail.following import Following
    from orchestrator.cli.tail.showing import JsonLines, Lines
    from orchestrator.cli.tail.stream import Stream, Wish
    from orchestrator.cli.times import moment, service_time

    wish, choice = Wish(given.types, given.conversation), Choice(api, given.channel, given.configuration)
    if given.since is not None:
        choice.since = moment("--since", given.since, await service_time(api))
        after = await beginning.before_time(api, choice.since)
    elif given.last is not None:
        after = await beginning.before_last(api, wish, choice, given.last)
    else:
        after = await beginning.latest(api) if given.after is None else given.after
    stream, screen = Stream(api, wish, after, remarks.say), JsonLines() if given.as_json else Lines()
    return Following(stream, choice, screen, forwarder, given.count, given.seconds)


def _client(url: str) -> "CallbackClient":
    from orchestrator.outbox.client import CallbackClient
    from orchestrator.outbox.guard import ForbiddenTarget, check_url

    try:
        check_url(url, allow_insecure=True)
    except ForbiddenTarget as error:
        raise WrongUsage(f"--forward-to: {error}") from error
    return CallbackClient(allow_insecure=True)


def _forwarder(given: Given, api: "Api", client: "CallbackClient", remarks: "Remarks") -> "Forwarder":
    from orchestrator.cli.tail.forwarding import Forwarder
    from orchestrator.kernel.callback_signing import Signer

    settings = read_settings()
    signer = Signer(
        api.instance.auth_token,
        algorithm=settings.callback_signature_algorithm,
        standard_webhooks=settings.callback_standard_webhooks,
    )
    assert given.forward_to is not None

    def report(event: dict[str, Any], outcome: Any) -> None:
        place = f"{event['id']} {event['eventType']}"
        if not outcome.delivered:
            remarks.say(f"{place} was not forwarded: {outcome.error}", style="red")
        elif not given.as_json:
            remarks.say(f"{place} was forwarded: {outcome.status} in {outcome.duration_ms:.0f} ms")

    return Forwarder(client, given.forward_to, signer, report)
