from tests.support.app import Service
async def test_nul(service: Service) -> None:
    import base64, orjson
    for path in ("Uncaptured", "Diagnostics"):
        for q in ("resourceId", "conversationId", "code"):
            r = await service.api.get(f"/orchestrator/v1/{path}?{q}=a%00b")
            print("RES", path, q, r.status_code, r.text[:200])
    for f in ({"code": 5}, {"code": ["x"]}, {"conversationId": 7}, {"resourceId": {"a": 1}}):
        token = base64.urlsafe_b64encode(orjson.dumps({"a": ["x"], "b": None, "s": 5, "f": f})).decode()
        for path in ("Uncaptured", "Diagnostics"):
            r = await service.api.get(f"/orchestrator/v1/{path}?pageToken={token}")
            print("RES", path, f, r.status_code, r.text[:150])
    assert 0
