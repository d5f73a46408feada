"""What Twilio's published OpenAPI file calls the schemas of the Conversations API: generated clients show it."""

from typing import Any

_PREFIX = "conversations.v2."
_REFERENCE = "#/components/schemas/"

_NAMES = {
    "Accepted": "operation_accepted",
    "ActionResource": "action",
    "ActionStatus": "action_status",
    "AddressResource": "address",
    "Author": "participant_address",
    "CaptureRule": "capture_rule",
    "Channel": "channel",
    "ChannelSetting": "channel_setting",
    "CommunicationResource": "communication",
    "ConfigurationResource": "configuration",
    "ConversationResource": "conversation",
    "ConversationsV1Bridge": "conversations_v1_bridge",
    "CreateConversationActionRequest": "send_message_action_request",
    "DeliveryStatus": "recipient_delivery_status",
    "GroupingType": "conversation_grouping_type",
    "OperationResource": "operation_status",
    "ParticipantResource": "participant",
    "ParticipantType": "participant_type",
    "PatchConversationByIdRequestConfiguration": "patch_conversation_configuration",
    "SendMessageContent": "send_message_content",
    "SendMessageParticipant": "send_message_participant",
    "SendMessagePayload": "send_message_payload",
    "Status": "conversation_status",
    "StatusCallback": "status_callback_config",
    "StatusTimeouts": "status_timeouts",
    "TextContent": "content_text",
    "TranscriptionContent": "content_transcription",
}
"""Our class, and Twilio's schema. Twilio gives the others no name of their own."""


def with_twilio_names(document: dict[str, Any]) -> dict[str, Any]:
    """The same document, its schemas and all references to them under Twilio's names."""
    schemas: dict[str, Any] = document["components"]["schemas"]
    missing = _NAMES.keys() - schemas.keys()
    assert not missing, f"no schemas of these names: {missing}"
    document["components"]["schemas"] = {_named(name): schema for name, schema in schemas.items()}
    renamed = _replaced(document)
    assert isinstance(renamed, dict)
    return renamed


def _named(name: str) -> str:
    return _PREFIX + _NAMES[name] if name in _NAMES else name


def _replaced(part: Any) -> Any:
    if isinstance(part, list):
        return [_replaced(one) for one in part]
    if isinstance(part, dict):
        return {key: _replaced(value) for key, value in part.items()}
    if isinstance(part, str) and part.startswith(_REFERENCE):
        return _REFERENCE + _named(part.removeprefix(_REFERENCE))
    return part
