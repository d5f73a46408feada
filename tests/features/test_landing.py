"""Provider traffic lands in the right conversations: the seed document's example, and the rules around it."""

import pytest

from tests.support.app import Service
from tests.support.factories import make_configuration

KIRAN, OTHER_PHONE, US = "+15551234567", "+15559876543", "+16505550199"
BOTH_WAYS = [{"from": "*", "to": US}, {"from": US, "to": "*"}]
CHANNELS = {
    channel: {"captureRules": BOTH_WAYS, "statusTimeouts": {"inactive": 10, "closed": 60}}
    for channel in ("SMS", "VOICE", "WHATSAPP")
}


async def test_kirans_sms_call_and_whatsapp(service: Service, grouping: str = "GROUP_BY_PROFILE") -> None:
    configuration = await make_configuration(
        service, conversationGroupingType=grouping, channelSettings=CHANNELS
    )
    await service.receive_message(KIRAN, US, "my parcel?")
    await service.receive_transcript(KIRAN, US, "hello, it is about my parcel")
    await service.receive_message(f"whatsapp:{KIRAN}", f"whatsapp:{US}", "a picture would help")
    found = (await service.api.get("/v2/Conversations")).json()["conversations"]
    assert len(found) == 1
    print(found)
    comms = (await service.api.get(f"/v2/Conversations/{found[0]['id']}/Communications")).json()
    print(comms)
    for c in comms["communications"]:
        print((await service.api.get(f"/orchestrator/v1/Communications/{c['id']}/Trace")).json())
    print([dict(r) for r in await service.fetch("select sequence,type,body from events order by sequence")])
    assert configuration
    raise AssertionError
