"""The command: what is to be sent, and how."""

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from orchestrator.cli.instance import Url
from orchestrator.cli.settings import AsJson

if TYPE_CHECKING:
    from orchestrator.cli.landing import Fate
    from orchestrator.cli.send.posting import Manner
    from orchestrator.cli.send.traffic import Traffic

NOT_CAPTURED = 3
"""Exit code: something was sent that nothing captured."""

Channel = Annotated[Literal["sms", "whatsapp", "rcs", "voice"], typer.Argument(help="How it is sent.")]
Texts = Annotated[
    list[str], typer.Argument(metavar="TEXT", help="A message each; with voice: what is said on one call, in turn.")
]
From = Annotated[str | None, typer.Option("--from", metavar="ADDRESS", help="Who sends or calls: +15551234567.")]
To = Annotated[str | None, typer.Option("--to", metavar="ADDRESS", help="Who receives it or is called.")]
Repeat = Annotated[int, typer.Option(min=1, max=10_000, help="Send each text so many times, as different messages.")]
Duplicate = Annotated[
    int, typer.Option(min=1, max=100, help="Post each message so many times under the same SID, also at once.")
]
OutOfOrder = Annotated[
    bool, typer.Option("--out-of-order", help="Post what comes last first; on a call the sequence numbers tell.")
]
DirectionOption = Annotated[
    Literal["inbound", "outbound"] | None,
    typer.Option(help="What Twilio says of it. Default: of a message nothing; calls are inbound."),
]
Status = Annotated[
    Literal["sent", "delivered", "read", "failed", "undelivered"] | None,
    typer.Option(help="Report afterwards that this became of the messages."),
]
Call = Annotated[str | None, typer.Option("--call", metavar="SID", help="Go on speaking on this call.")]
As = Annotated[Literal["agent", "customer"], typer.Option("--as", help="Who speaks on the call.")]


def send(  # noqa: PLR0913 - each is an option
    channel: Channel,
    texts: Texts,
    *,
    sender: From = None,
    to: To = None,
    repeat: Repeat = 1,
    duplicate: Duplicate = 1,
    out_of_order: OutOfOrder = False,
    direction: DirectionOption = None,
    status: Status = None,
    call: Call = None,
    side: As = "customer",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Send messages, or speak on a call, as if Twilio had posted it; and tell where it landed, and why.

    It takes the way of real traffic, signed with the account's auth token. Exit code 3: nothing captured it.
    """
    from orchestrator.cli.send import report
    from orchestrator.cli.send.posting import Manner
    from orchestrator.cli.send.traffic import Wish, repeated, traffic_of

    wish = Wish(
        channel=_CHANNELS[channel],
        texts=repeated(texts, repeat),
        sender=sender,
        to=to,
        direction=direction,
        status=status,
        call_sid=call,
        side=side,
    )
    traffic, manner = traffic_of(wish), Manner(duplicate, out_of_order)
    fates = asyncio.run(_send(url, traffic, manner))
    (report.print_json if as_json else report.print_text)(wish, traffic, manner, fates)
    if not all(fate.is_captured for fate in fates):
        raise typer.Exit(NOT_CAPTURED)


_CHANNELS: "dict[str, Literal['SMS', 'WHATSAPP', 'RCS', 'VOICE']]" = {
    "sms": "SMS",
    "whatsapp": "WHATSAPP",
    "rcs": "RCS",
    "voice": "VOICE",
}


async def _send(url: str | None, traffic: "Traffic", manner: "Manner") -> "list[Fate]":
    from orchestrator.cli.api import Api
    from orchestrator.cli.instance import find_instance
    from orchestrator.cli.progress import progress
    from orchestrator.cli.send.posting import look, post

    async with Api(find_instance(url)) as api:
        with progress("sending", len(traffic.said)) as done:
            await post(api, traffic, manner, done)
        return await look(api, traffic)
