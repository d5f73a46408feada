"""An account's auth token is rotated: for a while both are valid, and the new one signs."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from orchestrator.accounts import rotation
from orchestrator.accounts.authentication import Authenticator
from orchestrator.accounts.service import Account
from orchestrator.kernel.errors import BadRequest, Conflict, NotFound
from orchestrator.kernel.ids import new_sid
from orchestrator.receiver import verify
from tests.support import traffic
from tests.support.app import Service
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Receiver, receiver
from tests.support.traffic import KIRAN, US

DAY = timedelta(days=1)
LIST = "/v2/ControlPlane/Configurations"

Rotate = Callable[..., Awaitable[Account]]


@pytest.fixture
async def hook(service: Service) -> AsyncIterator[Receiver]:
    await forget_deliveries(service)
    async with receiver() as running:
        yield running


@pytest.fixture
def rotate(service: Service) -> Rotate:
    """Rotate, and let every process have noticed."""

    async def rotated(window: timedelta = DAY, auth_token: str | None = None) -> Account:
        async with service.units.begin() as unit:
            account = await rotation.rotate_token(
                unit, service.app.state.secret_box, service.account.account_id, window=window, auth_token=auth_token
            )
        forget(service)
        return account

    return rotated


def forget(service: Service) -> None:
    service.app.state.authenticator._accounts.clear()


async def end(service: Service) -> Account:
    async with service.units.begin() as unit:
        ended = await rotation.end_rotation(unit, service.app.state.secret_box, service.account.account_id)
    forget(service)
    return ended


async def admitted(service: Service, token: str) -> tuple[int, int]:
    """How Basic auth and a signed webhook with a token are answered."""
    async with service.client(replace(service.account, auth_token=token)) as client:
        basic = (await client.get(LIST)).status_code
    form = {"MessageSid": new_sid("SM"), "From": KIRAN, "To": US, "Body": "hello"}
    return basic, (await service.post_webhook("/ingest/twilio/messages", form, signed_by=token)).status_code


async def test_both_tokens_are_valid_until_the_window_ends(service: Service, rotate: Rotate) -> None:
    old, new = service.account.auth_token, (await rotate()).auth_token
    assert new != old
    assert await admitted(service, new) == await admitted(service, old) == (200, 200)
    service.clock.advance(hours=23)
    assert await admitted(service, old) == (200, 200)
    service.clock.advance(hours=1, seconds=1)  # also in a process that has just looked the account up
    assert await admitted(service, old) == (401, 403)
    assert await admitted(service, new) == (200, 200)


@pytest.mark.parametrize("how", ["ended", "no window"])
async def test_an_old_token_is_refused_at_once_if_that_is_wanted(service: Service, rotate: Rotate, how: str) -> None:
    old = service.account.auth_token
    new = (await rotate(DAY if how == "ended" else timedelta())).auth_token
    if how == "ended":
        assert (await end(service)).auth_token == new
    assert await admitted(service, old) == (401, 403)
    assert await admitted(service, new) == (200, 200)
    assert (await end(service)).auth_token == new  # twice is once


async def test_the_new_token_signs_callbacks(service: Service, hook: Receiver, rotate: Rotate) -> None:
    await make_configuration(service, statusCallbacks=[hook.callback()])
    new = (await rotate(auth_token="a token that receivers know")).auth_token
    await traffic.message(service, KIRAN, US)
    await deliver(service)
    assert len(hook.received) == 4
    for one in hook.received:
        assert one.is_signed_by(new)
        assert not one.is_signed_by(service.account.auth_token)
        event = verify([service.account.auth_token, new], one.url, one.headers, one.body)
        assert (event.id, event.token) == (one.headers["Orchestrator-Event-Id"], one.token)


async def test_a_process_that_knew_the_old_token_notices(service: Service) -> None:
    elapsed = 100.0
    running = Authenticator(service.units, service.app.state.secret_box, lambda: elapsed)
    sid, old = service.account.account_id, service.account.auth_token
    assert await running.auth_tokens(sid) == (old,)
    async with service.units.begin() as unit:
        await rotation.rotate_token(unit, service.app.state.secret_box, sid, window=timedelta(), auth_token="new")
    assert await running.recognise(sid, "new".__eq__) is None  # looked up in this very second
    elapsed += 1.0
    assert await running.recognise(sid, "new".__eq__) is not None
    assert await running.recognise(sid, old.__eq__) is None


async def test_what_a_process_knows_is_five_seconds_old_at_most(service: Service) -> None:
    elapsed = 100.0
    running = Authenticator(service.units, service.app.state.secret_box, lambda: elapsed)
    sid, old = service.account.account_id, service.account.auth_token
    assert await running.auth_tokens(sid) == (old,)
    async with service.units.begin() as unit:
        await rotation.rotate_token(unit, service.app.state.secret_box, sid, window=DAY, auth_token="new")
    elapsed += 4.9
    assert await running.auth_tokens(sid) == (old,)
    elapsed += 0.1
    assert await running.auth_tokens(sid) == ("new", old)


async def test_a_second_rotation_waits_for_the_end_of_the_first(service: Service, rotate: Rotate) -> None:
    first = await rotate()
    with pytest.raises(Conflict, match="end that rotation"):
        await rotate()
    assert await admitted(service, first.auth_token) == (200, 200)
    await end(service)
    assert (await rotate()).previous_token == first.auth_token


async def test_a_token_that_the_account_has_or_had_is_refused(service: Service, rotate: Rotate) -> None:
    old = service.account.auth_token
    new = (await rotate(timedelta())).auth_token
    for token in ("", old, new):
        with pytest.raises(BadRequest):
            await rotate(auth_token=token)


async def test_an_account_that_is_not_there_is_not_rotated(service: Service) -> None:
    box, nobody = service.app.state.secret_box, new_sid("AC")
    async with service.units.begin() as unit:
        with pytest.raises(NotFound):
            await rotation.rotate_token(unit, box, nobody, window=DAY)
        with pytest.raises(NotFound):
            await rotation.end_rotation(unit, box, nobody)


async def test_tokens_are_encrypted_where_they_are_kept(service: Service, rotate: Rotate) -> None:
    account = await rotate()
    (row,) = await service.fetch("select * from accounts where account_id = $1", account.account_id)
    kept = bytes(row["auth_token"]) + bytes(row["previous_auth_token"])
    assert account.auth_token.encode() not in kept
    assert service.account.auth_token.encode() not in kept
