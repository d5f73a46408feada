"""Requests of nobody we know: refused, and forgotten."""

from tests.support.app import Service


async def test_made_up_accounts_are_not_remembered(service: Service) -> None:
    """`AccountSid` is read before any signature is checked, and may be as long as a body."""
    authenticator = service.app.state.authenticator
    for made_up in ("AC" + "f" * 1_000_000, "nobody", ""):
        answer = await service.post_webhook("/ingest/twilio/messages", {"AccountSid": made_up, "Body": "x"})
        assert answer.status_code == 403
        assert made_up not in authenticator._accounts
