"""Why a communication is where it is: the trace that was kept, with what its row and others tell anyway.

A trace is written for every message, so it keeps only what could not be told later.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from orchestrator.communications import service
from orchestrator.communications.model import Communication
from orchestrator.configurations import service as configurations
from orchestrator.configurations.versions import Key
from orchestrator.domain.messages import Origin
from orchestrator.kernel.unit import Unit

Names = Mapping[Key, str]
"""Display names of configurations, by account, configuration and version."""


async def trace_of(unit: Unit, communication: Communication) -> dict[str, Any] | None:
    """The whole trace of a communication; None where none was kept."""
    if communication.trace is None:
        return None
    others = await service.elsewhere(unit, communication)
    names = await names_of(unit, [communication, *others])
    also_in = [_landing(one, names) for one in others if _is_landing(one)]
    trace = complete(communication, names)
    return {**trace, "alsoIn": also_in} if also_in else trace


async def names_of(unit: Unit, communications: Sequence[Communication]) -> Names:
    """How the configurations were called that captured these."""
    pinned = {key for one in communications if (key := _version(one)) is not None}
    return {key: body["displayName"] for key, body in (await configurations.bodies_of(unit, pinned)).items()}


def complete(communication: Communication, names: Names) -> dict[str, Any]:
    """A trace that was kept, with what else there is to tell."""
    trace = {
        "origin": Origin.PROVIDER,
        "channel": communication.author["channel"],
        "from": communication.author["address"],
        "to": communication.recipients[0]["address"],
        "conversationId": communication.conversation_id,
        **(communication.trace or {}),
    }
    if not _is_landing(communication):
        return trace
    version = _version(communication)
    return {**trace, "displayName": names.get(version) if version else None, "because": _because(trace)}


def _because(trace: Mapping[str, Any]) -> str:
    if trace["key"] is None:
        return "CALL_NAMES_IT"
    if trace["outcome"] == "NEW":
        return "HOLDER_HAS_ENDED" if "succeeds" in trace else "KEY_WAS_FREE"
    return "WAS_INACTIVE" if trace["outcome"] == "REOPENED" else "HOLDS_KEY"


def _is_landing(communication: Communication) -> bool:
    return communication.trace is not None and communication.trace["outcome"] != "PLACED"


def _version(communication: Communication) -> Key | None:
    trace = communication.trace or {}
    if trace.get("configurationId") is None:
        return None
    return (communication.account_id, trace["configurationId"], trace["configurationVersion"])


def _landing(communication: Communication, names: Names) -> dict[str, Any]:
    version = _version(communication)
    return {
        "configurationId": (communication.trace or {})["configurationId"],
        "displayName": names.get(version) if version else None,
        "conversationId": communication.conversation_id,
        "communicationId": communication.id,
    }
