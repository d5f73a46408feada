"""Resources that tests need, made over the API."""

from typing import Any

from orchestrator.kernel.ids import MEMORY_STORE, new_id
from tests.support.app import Service

OUR_NUMBER = "+16505550199"


def configuration_body(**changes: Any) -> dict[str, Any]:
    """A configuration that captures SMS, calls and WhatsApp messages of OUR_NUMBER; None leaves a field out."""
    rules = [{"from": OUR_NUMBER, "to": "*"}, {"from": "*", "to": OUR_NUMBER}]
    body: dict[str, Any] = {
        "displayName": "Support",
        "description": "Everything that customers send us",
        "conversationGroupingType": "GROUP_BY_PARTICIPANT_ADDRESSES",
        "memoryStoreId": new_id(MEMORY_STORE),
        "channelSettings": {
            channel: {"statusTimeouts": {"inactive": 10, "closed": 60}, "captureRules": rules}
            for channel in ("SMS", "VOICE", "WHATSAPP")
        },
        **changes,
    }
    return {name: value for name, value in body.items() if value is not None}


async def make_configuration(service: Service, **changes: Any) -> str:
    """Create a configuration and return its id."""
    response = await service.api.post("/v2/ControlPlane/Configurations", json=configuration_body(**changes))
    assert response.status_code == 202, response.text
    configuration_id: str = response.json()["related"]["configurationId"]
    return configuration_id
