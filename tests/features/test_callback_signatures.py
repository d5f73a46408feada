"""What callbacks are signed with beside the auth token, as the settings ask for it."""

from datetime import timedelta

from twilio.request_validator import RequestValidator, get_signature_algorithm

from orchestrator.kernel.callback_signing import shared_key
from orchestrator.receiver import verify
from tests.support import traffic
from tests.support.app import Service, running_service
from tests.support.delivery import deliver, forget_deliveries
from tests.support.factories import make_configuration
from tests.support.receiver import Received, receiver
from tests.support.traffic import KIRAN, US


async def told(service: Service) -> list[Received]:
    """The callbacks of a conversation's beginning."""
    await forget_deliveries(service)
    async with receiver() as hook:
        await make_configuration(service, statusCallbacks=[hook.callback(), hook.callback("/get", "GET")])
        await traffic.message(service, KIRAN, US)
        await deliver(service)
        assert len(hook.received) == 8
        return hook.received


async def test_by_default_only_the_event_is_signed_beside_twilios_signature(service: Service) -> None:
    for one in await told(service):
        assert one.is_signed_by(service.account.auth_token)
        event = verify(service.account.auth_token, one.url, one.headers, one.body)
        assert (event.conversation_id, event.sequence, event.type) == (one.conversation_id, one.sequence, one.type)
        assert event.data == one.event["data"]
        names = {name.lower() for name in one.headers}
        assert not [name for name in names if name.startswith("webhook-") or name.endswith("signature-settings")]


async def test_settings_ask_for_more(database_url: str) -> None:
    changes = {"callback_signature_algorithm": "HMAC_SHA256", "callback_standard_webhooks": True}
    async with running_service(database_url, **changes) as service:
        token = service.account.auth_token
        key = shared_key(token)
        for one in await told(service):
            settings = one.headers["X-Twilio-Webhooks-Signature-Settings"]
            assert settings == f"key={key.id},algorithm=HMAC_SHA256"
            body = one.body.decode() if one.body else {}
            assert RequestValidator(key.secret).validate(
                one.url, body, one.headers["X-Twilio-Signature"], get_signature_algorithm(settings)
            )
            assert not one.is_signed_by(token)
            asked = {"tolerance": timedelta(minutes=5), "now": service.clock.now()} if one.body else {}
            assert verify(token, one.url, one.headers, one.body, **asked).sequence == one.sequence  # type: ignore[arg-type]
            assert ("webhook-signature" in one.headers) is bool(one.body)
            assert one.headers.get("webhook-id", one.token) == one.token
