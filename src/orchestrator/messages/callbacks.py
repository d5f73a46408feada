"""Status callbacks of messages: the form that Twilio posts to `StatusCallback`, signed as Twilio signs forms.

Source: Twilio's page on tracking the message status of outbound messages; `kernel.signing` for the signature.
"""

from orchestrator.kernel.callback_signing import TWILIO_SETTINGS, TWILIO_SIGNATURE, Signer, shared_key
from orchestrator.kernel.signing import sign
from orchestrator.messages.model import Outgoing
from orchestrator.outbox.client import CallbackRequest, build_form_request

Fields = list[tuple[str, str]]


def status_request(message: Outgoing, url: str, word: str, signer: Signer) -> CallbackRequest:
    """The signed request that tells of one status. Raises ForbiddenTarget for a URL that cannot be parsed."""
    fields = _fields(message, word)
    request = build_form_request(url, fields, f"{message.sid}-{word}")
    request.headers.update(_signature(signer, request.url, fields))
    return request


def _fields(message: Outgoing, word: str) -> Fields:
    return [
        ("SmsSid", message.sid),
        ("SmsStatus", word),
        ("MessageStatus", word),
        ("To", message.wanted.recipient.address),
        ("MessageSid", message.sid),
        ("AccountSid", message.account_id),
        ("From", message.wanted.sender.address),
        ("ApiVersion", "2010-04-01"),
    ]


def _signature(signer: Signer, url: str, fields: Fields) -> dict[str, str]:
    if signer.algorithm != "HMAC_SHA256":
        return {TWILIO_SIGNATURE: sign(signer.auth_token, url, fields)}
    key = shared_key(signer.auth_token)
    return {
        TWILIO_SETTINGS: f"key={key.id},algorithm={signer.algorithm}",
        TWILIO_SIGNATURE: sign(key.secret, url, fields, algorithm=signer.algorithm),
    }
