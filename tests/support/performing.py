"""Actions for tests: asked for over HTTP, and performed by performers that know nothing of each other."""

from typing import Any

import httpx

from orchestrator.actions.loopback import Loopback
from orchestrator.actions.model import Action
from orchestrator.actions.performing import Performer
from orchestrator.actions.senders import ActionSender
from orchestrator.domain.backoff import Backoff
from tests.support import traffic
from tests.support.app import Service
from tests.support.factories import make_configuration
from tests.support.traffic import KIRAN, US

WAITS = (5.0, 15.0, 30.0, 60.0)
"""Seconds between the handings over of a message that is not taken."""

SMS_OF_US = {"channel": "SMS", "address": US}
SMS_OF_KIRAN = {"channel": "SMS", "address": KIRAN}


def performer(service: Service, sender: ActionSender | None = None) -> Performer:
    """What a worker performs with, without the chance in its waits."""
    return Performer(service.units, sender or Loopback(), backoff=Backoff(delays=WAITS, jitter=0), interval=0.05)


async def perform(service: Service, sender: ActionSender | None = None) -> int:
    """Perform what is due now; returns how many actions that were."""
    return await performer(service, sender).run_once()


async def claim(service: Service) -> Action:
    """Take the one action that is due, as a worker does that dies before it has done anything."""
    (claimed,) = await performer(service).claim(10)
    return claimed


async def forget_actions(service: Service) -> None:
    """Drop what other tests have left to perform in this database."""
    await service.fetch("delete from actions")


async def make_conversation(service: Service, *participants: dict[str, Any], **settings: Any) -> dict[str, Any]:
    """A conversation made over the API, under a configuration with these settings."""
    configuration_id = await make_configuration(service, **settings)
    body = {"configurationId": configuration_id, "participants": list(participants)}
    response = await service.api.post("/v2/Conversations", json=body)
    assert response.status_code == 201, response.text
    conversation: dict[str, Any] = response.json()
    return conversation


async def with_kiran(service: Service, *addresses: dict[str, str]) -> dict[str, Any]:
    """A conversation in which Kiran is alone, who has these addresses: our side joins by writing."""
    return await make_conversation(service, {"type": "CUSTOMER", "addresses": list(addresses) or [SMS_OF_KIRAN]})


async def between_kiran_and_us(service: Service, **settings: Any) -> dict[str, Any]:
    """A conversation of two, one SMS address each: the agent, then the customer."""
    agent = {"type": "AI_AGENT", "addresses": [SMS_OF_US]}
    customer = {"type": "CUSTOMER", "addresses": [SMS_OF_KIRAN]}
    return await make_conversation(service, agent, customer, **settings)


def sending(text: str = "your parcel has left", *, from_: Any = SMS_OF_US, **changes: Any) -> dict[str, Any]:
    """A payload: an SMS from us to Kiran by their addresses; None leaves a field out."""
    payload = {"from": from_, "to": [SMS_OF_KIRAN], "content": {"text": text}, **changes}
    return {name: value for name, value in payload.items() if value is not None}


def path(conversation: dict[str, Any]) -> str:
    """Where actions of a conversation are asked for."""
    return f"/v2/Conversations/{conversation['id']}/Actions"


async def ask(service: Service, conversation: dict[str, Any], payload: dict[str, Any]) -> httpx.Response:
    """Ask for a message to be sent."""
    return await service.api.post(path(conversation), json={"type": "SEND_MESSAGE", "payload": payload})


async def asked(
    service: Service, conversation: dict[str, Any], payload: dict[str, Any] | None = None
) -> dict[str, Any]:
    """An action that was accepted."""
    response = await ask(service, conversation, payload or sending())
    assert response.status_code == 202, response.text
    action: dict[str, Any] = response.json()
    return action


async def now(service: Service, action: dict[str, Any]) -> dict[str, Any]:
    """An action as it is now."""
    return await traffic.get(service, f"/v2/Conversations/{action['conversationId']}/Actions/{action['id']}")


async def resolved(service: Service, action: dict[str, Any]) -> dict[str, Any]:
    """The message that an action sends, as it is stored."""
    (row,) = await service.fetch("select message from actions where id = $1", action["id"])
    message: dict[str, Any] = row["message"]
    return message


async def sent_once(service: Service, action: dict[str, Any]) -> None:
    """The action is COMPLETED, with one communication and its two events."""
    conversation = {"id": action["conversationId"]}
    (communication,) = await traffic.communications(service, conversation)
    completed = await now(service, action)
    trace = await traffic.trace(service, communication)
    assert (trace["outcome"], trace["origin"], trace["actionId"]) == ("PLACED", "ACTION", action["id"])
    assert completed["status"] == "COMPLETED"
    assert completed["related"] == {**action["related"], "communicationId": communication["id"]}
    told = [event for event in await traffic.event_types(service, conversation) if event.startswith("COMMUNICATION")]
    assert told == ["COMMUNICATION_CREATED", "COMMUNICATION_UPDATED"]


async def nothing_said(service: Service, action: dict[str, Any]) -> None:
    """The action was not captured."""
    assert await traffic.communications(service, {"id": action["conversationId"]}) == []
