"""Messages: accepted once they are durable. A worker does the rest (`messages.performing`)."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import timedelta
from typing import Any, NoReturn

import structlog
from sqlalchemy import select

from orchestrator.actions import messages_api
from orchestrator.actions.senders import ActionSender, NotNow, Refused, Sent
from orchestrator.domain.messages import advanced
from orchestrator.kernel.errors import BadRequest, NotFound, Unavailable
from orchestrator.kernel.ids import new_sid
from orchestrator.kernel.jobs import durably
from orchestrator.kernel.paging import Page, PageRequest, fetch_page
from orchestrator.kernel.unit import Unit, Units
from orchestrator.messages import filters, store
from orchestrator.messages.errors import (
    INVALID_CALLBACK,
    UNKNOWN_OUTCOME,
    MessageRefused,
    NotComplete,
    SendingUncertain,
)
from orchestrator.messages.model import STATUS_CALLBACK, WORDS, MessageStatus, Outgoing, Wanted
from orchestrator.outbox.guard import ForbiddenTarget, check_url
from orchestrator.tables.message import messages

log = structlog.get_logger(__name__)

UNKNOWN = "It is unknown whether the message was sent."
_LONGEST_URL = 2_048
"""Characters."""
_PAUSES = (0.05, 0.2, 1.0, 2.0, 5.0)
"""Seconds between attempts to write down what the provider has said while the database is away."""
_LEASE = timedelta(seconds=messages_api.CONNECT_TIMEOUT + messages_api.READ_TIMEOUT + 40)
"""How long a request may take to hand a message over and write down the answer."""


def check_callback(wanted: Wanted, *, admits_insecure: bool) -> None:
    """Raise MessageRefused for a status callback that we would not call."""
    url = wanted.settings.get(STATUS_CALLBACK)
    if url is None:
        return
    try:
        if not isinstance(url, str) or len(url) > _LONGEST_URL:
            raise ForbiddenTarget(f"one URL of at most {_LONGEST_URL} characters")
        check_url(url, allow_insecure=admits_insecure)
    except ForbiddenTarget as error:
        message = f"The StatusCallback URL is not a valid one: {error}"
        raise MessageRefused(INVALID_CALLBACK, message, STATUS_CALLBACK, str(url)) from error


async def accept(units: Units, account_id: str, wanted: Wanted, wake: Callable[[], None]) -> Outgoing:
    """Take a message that is delivered by being captured; it is durable when this returns."""
    async with units.begin() as unit:
        message = _new(unit, account_id, wanted)
        await store.insert(unit, message)
        unit.after_commit.append(wake)
    return message


async def hand_over(
    units: Units, sender: ActionSender, account_id: str, wanted: Wanted, wake: Callable[[], None]
) -> Outgoing:
    """Have somebody else send a message, at most once, and take it over under the SID that it gets there.

    It is marked first. A process that dies meanwhile leaves a message that a worker calls failed, and nobody repeats.

    Raises MessageRefused and Unavailable when it certainly was not sent: then nothing of it stays. Raises
    SendingUncertain when nobody knows.
    """
    async with units.begin() as unit:
        new = _new(unit, account_id, wanted)
        message = replace(new, by_provider=True, handed_over_at=unit.now, next_attempt_at=unit.now + _LEASE)
        await store.insert(unit, message)
    sent = await _send(units, sender, message)
    return await _settled(units, message, sent, wake)


def _new(unit: Unit, account_id: str, wanted: Wanted) -> Outgoing:
    sid = new_sid("MM" if wanted.content.media_urls else "SM")
    return Outgoing(account_id, sid, wanted, False, unit.now, unit.now, next_attempt_at=unit.now)


async def _send(units: Units, sender: ActionSender, message: Outgoing) -> Sent:
    try:
        return await sender.send(message.for_sender())
    except Refused as refused:
        await durably(units, lambda unit: store.forget(unit, message), pauses=_PAUSES)
        raise MessageRefused(refused.code or BadRequest.code, str(refused)) from refused
    except NotNow as error:
        await durably(units, lambda unit: store.forget(unit, message), pauses=_PAUSES)
        headers = {"Retry-After": str(round(error.retry_after or 1))}
        raise Unavailable(f"the message was not sent; repeat: {error}", headers=headers) from error
    except Exception as error:  # whatever it is, the message may be on its way
        log.warning("it is unknown whether a message was sent", message=message.sid, error=type(error).__name__)
        await _give_up(units, message, f"{UNKNOWN} {error}"[:1_000].replace("\x00", "\ufffd"))
        raise SendingUncertain(f"{UNKNOWN} It is not repeated; it is listed as failed under {message.sid}") from error


async def _give_up(units: Units, message: Outgoing, reason: str) -> None:
    """Write down that nobody knows. Where that fails, a worker does it: whoever asks must not be told to repeat."""
    try:
        await durably(units, lambda unit: store.give_up(unit, message, UNKNOWN_OUTCOME, reason), pauses=_PAUSES)
    except Exception as error:
        log.error("a message is left to the worker to give up", message=message.sid, exc_info=error)


async def _settled(units: Units, message: Outgoing, sent: Sent, wake: Callable[[], None]) -> Outgoing:
    async def settle(unit: Unit) -> Outgoing:
        early = await store.reported(unit, message.account_id, sent.message_sid)
        status = sent.delivery_status if early is None else advanced(sent.delivery_status, early)
        unit.after_commit.append(wake)
        return await store.settle(unit, message, sent.message_sid, WORDS[status], sent.text)

    try:
        return await durably(units, settle, pauses=_PAUSES)
    except Exception as error:  # to be told that the database is away would be to be told to repeat
        log.error("a sent message cannot be written down", message=message.sid, message_sid=sent.message_sid)
        raise SendingUncertain(f"{sent.message_sid} was sent, but cannot be written down; do not repeat it") from error


async def find(unit: Unit, account_id: str, sid: str) -> Outgoing:
    """One message. Raises NotFound."""
    message = None if "\x00" in sid else await store.find(unit, account_id, sid)
    return message or _gone(account_id, sid)


async def page(unit: Unit, account_id: str, request: PageRequest) -> Page[Outgoing]:
    """A page of an account's messages, newest first, as `filters.NAMES` choose. Raises BadRequest."""
    statement = select(messages).where(messages.c.account_id == account_id, *filters.conditions(request))
    found = await fetch_page(unit, statement, request, order=[messages.c.created_at, messages.c.sid], descending=True)
    rows: list[Any] = [store.from_row(row._mapping) for row in found.items]  # noqa: SLF001 - SQLAlchemy's public name
    return Page(rows, found.next_token, found.previous_token)


async def redact(unit: Unit, message: Outgoing) -> Outgoing:
    """Forget the text of a message; what was captured of it stays. Raises NotFound, MessageRefused, NotComplete."""
    _check_complete(message)
    return await store.redact(unit, message) or _gone(message.account_id, message.sid)


async def delete(unit: Unit, message: Outgoing) -> None:
    """Delete a message; what was captured of it stays. Raises MessageRefused, NotComplete.

    Its status callback is told nothing more: whoever deletes it knows how far it got.
    """
    _check_complete(message)
    await store.forget(unit, message)


def _check_complete(message: Outgoing) -> None:
    """Raise for a message that may not be changed: nobody shall believe that Twilio's copy were changed with it."""
    if message.by_provider:
        raise MessageRefused(BadRequest.code, "Twilio has sent this message and keeps it: change or delete it there")
    if message.status is not MessageStatus.DELIVERED:
        raise NotComplete(f"{message.sid} is {message.status}: it cannot be changed before it is delivered")


def _gone(account_id: str, sid: str) -> NoReturn:
    raise NotFound(f"The requested resource /2010-04-01/Accounts/{account_id}/Messages/{sid}.json was not found")


async def hear(unit: Unit, reports: Collection[store.Report]) -> None:
    """Delivery reports came of messages that somebody else sends: theirs may be among them."""
    await store.hear(unit, reports)
