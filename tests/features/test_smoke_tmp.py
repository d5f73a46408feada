from tests.support.app import Service
from tests.support.factories import make_configuration, OUR_NUMBER
from tests.support.traffic import *
import pytest, json

async def test_smoke(service: Service) -> None:
    c = await make_configuration(service, conversationGroupingType=BY_PROFILE)
    body = {"configurationId": c, "name": "x", "metadata": {"a": "b"}, "participants": [
        {"type": "CUSTOMER", "addresses": [{"channel": "WHATSAPP", "address": "whatsapp:"+KIRAN}, {"channel": "SMS", "address": KIRAN}]},
        {"type": "AI_AGENT", "addresses": [{"channel": "SMS", "address": US}]}]}
    r = await service.api.post("/v2/Conversations", json=body)
    assert r.status_code == 201, r.text
    conv = r.json()
    print(json.dumps(conv, indent=1))
    assert (await service.api.get(f"/v2/Conversations/{conv['id']}")).json() == conv
    r = await service.api.post("/v2/Conversations", json=body)
    assert r.status_code == 409, r.text
    print(r.text, r.headers)
    await message(service, KIRAN, US)
    assert (await only_conversation(service))["id"] == conv["id"]
    P = f"/v2/Conversations/{conv['id']}/Participants"
    r = await service.api.post(P, json={"addresses": [{"channel": "EMAIL", "address": "a@b.c"}], "type": "HUMAN_AGENT"})
    assert r.status_code == 201, r.text
    p = r.json()
    r = await service.api.put(P + "/" + p["id"], json={**p, "name": "Ann"})
    assert r.status_code == 200, r.text
    print(r.text)
    C = f"/v2/Conversations/{conv['id']}/Communications"
    said = {"author": {"address": "+15550001111", "channel": "SMS"}, "recipients": [{"address": US, "channel": "SMS"}], "content": {"type": "TEXT", "text": "hi"}, "resourceId": "SM1"}
    r = await service.api.post(C, json=said)
    assert r.status_code == 201, r.text
    print(r.text)
    r = await service.api.post(C, json={**said, "content": {"type": "TEXT", "text": "ho"}})
    assert r.status_code == 200, r.text
    r = await service.api.put(C + "/" + r.json()["id"], json={**r.json(), "occurredAt": "2026-01-01T00:00:00+02:00"})
    assert r.status_code == 200, r.text
    print(r.text)
    print(await event_types(service))
    r = await service.api.post("/v2/Conversations", json={"configuration": {"statusCallbacks": []}})
    assert r.status_code == 201, r.text
    print(r.text)
    r = await service.api.delete(f"/v2/Conversations/{conv['id']}")
    assert r.status_code == 202, r.text
    print(r.text)
    print(await row_counts(service))
