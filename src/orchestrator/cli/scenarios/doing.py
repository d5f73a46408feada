"""What a step does: it plays the provider that posts webhooks, a client of the API, whoever turns the clock."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, cast

from orchestrator import phones
from orchestrator.cli.api import Refused
from orchestrator.cli.scenarios.landing import landed
from orchestrator.cli.scenarios.model import TO_NEXT_DEADLINE, Act, Call, Receiver, Report, Say, Send, Step
from orchestrator.cli.scenarios.outcomes import Outcome
from orchestrator.cli.scenarios.stage import CONFIGURATIONS, Stage
from orchestrator.kernel.ids import new_sid

_CONVERSATIONS = "/v2/Conversations"
CLOCK = "/orchestrator/v1/Clock"


async def do(stage: Stage, step: Step) -> Outcome:
    """Do it, and see what came of it. Raises CommandFailed, and UnknownReference."""
    if step.doing is None:
        return Outcome()
    outcome = await _DOINGS[step.doing](stage, getattr(step, step.doing))
    if step.name is not None:
        stage.outcomes[step.name] = outcome
        stage.things[step.name] = outcome.thing()
    return outcome


async def _send(stage: Stage, send: Send) -> Outcome:
    sid, webhook = _message(stage, send)
    await asyncio.gather(*(stage.api.receive(webhook) for _ in range(send.times)))
    fields = webhook.fields
    often = {1: ""}.get(send.times, f", {send.times} times at once") + (", once more" if send.again else "")
    outcome = await landed(stage, sid)
    outcome.happened.insert(0, f"{fields['From']} → {fields['To']}: “{fields['Body']}”{often}")
    stage.webhooks[sid] = webhook
    return outcome


def _message(stage: Stage, send: Send) -> tuple[str, phones.Webhook]:
    """The provider's id, and what is posted."""
    if send.again is not None:
        sid = str(stage.outcomes[send.again].sid)
        return sid, stage.webhooks[sid]
    assert send.channel is not None  # the model has seen to it, and to the rest
    sid = new_sid("SM")
    sender, to = stage.address(str(send.sender)), stage.address(str(send.to))
    webhook = phones.message(send.channel, sender, to, stage.rendered(send.text), sid=sid)
    return sid, _with(webhook, stage.rendered(send.fields))


def _with(webhook: phones.Webhook, fields: dict[str, str]) -> phones.Webhook:
    return phones.Webhook(webhook.path, {**webhook.fields, **fields})


async def _call(stage: Stage, call: Call) -> Outcome:
    sid, sender, to = new_sid("CA"), stage.address(call.sender), stage.address(call.to)
    webhook = phones.call(sender, to, sid=sid, direction=call.direction)
    await stage.api.receive(_with(webhook, stage.rendered(call.fields)))
    told = {"sid": sid, "from": sender, "to": to, "direction": call.direction}
    return Outcome([f"{sender} calls {to}"], sid=sid, answer=told)


async def _say(stage: Stage, say: Say) -> Outcome:
    call = stage.things[say.during]
    sid, by = call["sid"], stage.address(say.by)
    stage.spoken[sid] = position = say.position or stage.spoken.get(sid, 0) + 1
    # Twilio hears the far end on the inbound track: of a call that comes in the caller, else the callee.
    is_far_end = (by == call["from"]) == (call["direction"] == "inbound")
    text, transcription = stage.rendered(say.text), "GT" + sid[2:]
    webhook = phones.fragment(sid, text, transcription_sid=transcription, position=position, by_caller=is_far_end)
    fields = stage.rendered(say.fields) | await _moment(stage, sid, say.at)
    await stage.api.receive(_with(webhook, fields))
    outcome = await landed(stage, f"{transcription}{position}", sid)
    outcome.happened.insert(0, f"{by} says: “{text}”" + (f", {say.at} into the call" if say.at else ""))
    return outcome


async def _moment(stage: Stage, sid: str, at: str | None) -> dict[str, str]:
    """The field that says when something was said, by the service's clock."""
    if at is None:
        return {}
    began = stage.began.get(sid) or datetime.fromisoformat((await stage.api.get(CLOCK))["now"])
    stage.began[sid] = began
    return {"Timestamp": (began + timedelta(seconds=int(at[:-1]))).isoformat()}


async def _report(stage: Stage, report: Report) -> Outcome:
    about = stage.outcomes[report.of]
    sid = about.sid or about.answer["related"]["messageSid"]
    await stage.api.receive(phones.delivery_report(sid, report.status))
    return Outcome([f"the provider reports: {report.status}"])


async def _act(stage: Stage, act: Act) -> Outcome:
    path, body = stage.rendered(act.path), stage.rendered(act.body)
    content: dict[str, Any] = {} if body is None else {"json": body}
    try:
        response = await stage.api.request(act.method, path, headers=stage.rendered(act.headers), **content)
    except Refused as refused:
        return Outcome([f"{act.method} {act.path} → {refused.status}"], refused=refused, answer=refused.body)
    answer = response.json() if response.content else None
    outcome = Outcome([f"{act.method} {act.path} → {response.status_code}"], answer=answer)
    if act.method == "POST" and path == CONFIGURATIONS:
        stage.configurations[response.json()["related"]["configurationId"]] = body["displayName"]
    if outcome.conversation_id:
        stage.met(outcome.conversation_id)
        if act.method == "POST" and path == _CONVERSATIONS:
            stage.made.add(outcome.conversation_id)
    return outcome


async def _advance(stage: Stage, by: str) -> Outcome:
    asked = {"action": "NEXT_DEADLINE"} if by == TO_NEXT_DEADLINE else {"action": "ADVANCE", "by": by}
    turned = await stage.api.post(CLOCK, asked)
    own = [one for one in turned["transitions"] if one["conversationId"] in stage.conversations]
    happened = ["the clock is turned " + ("to the next deadline" if by == TO_NEXT_DEADLINE else f"{by} ahead")]
    happened += [f"conversation {stage.label(one['conversationId'])}: {one['from']} → {one['to']}" for one in own]
    return Outcome(happened, transitions=own)


async def _receiver(stage: Stage, receiver: Receiver) -> Outcome:
    stage.receiver.answer = receiver.answer
    return Outcome([f"from now on status callbacks are answered {receiver.answer}"])


_DOINGS = cast(
    "dict[str, Callable[[Stage, Any], Awaitable[Outcome]]]",
    {
        "send": _send,
        "call": _call,
        "say": _say,
        "report": _report,
        "act": _act,
        "advance": _advance,
        "receiver": _receiver,
    },
)
