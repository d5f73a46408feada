"""A complete body for every operation that takes one, and a world in which every path leads somewhere."""

import itertools
import json
from dataclasses import dataclass, field
from typing import Any

import httpx

from orchestrator.kernel.ids import DELIVERY, MEMORY_STORE, OPERATION, new_id
from orchestrator.tables import metadata
from tests.features.test_communication_writes import Body, end, new_conversation, say
from tests.support.app import Service
from tests.support.factories import configuration_body
from tests.support.memories import note, observation, profile_path, sum_up, summary
from tests.support.memory import new_profile, new_store
from tests.support.openapi import document
from tests.support.traffic import KIRAN, US

JSON = {"Content-Type": "application/json"}

CLOCK = "/orchestrator/v1/Clock"
_CALLBACKS = [{"url": "https://a.example.com/", "method": "POST"}]
_TIMEOUTS = {"inactive": 10, "closed": 60}
_OF_ONE = "/v2/Conversations/{ConversationId}"
_OF_PROFILE = "/v1/Stores/{storeId}/Profiles/{profileId}"
_UNDO = "/orchestrator/v1/Stores/{storeId}/Merges/{mergeId}/Undo"
_BOB = "bob@example.com"
_CONVERSATION = "conv_conversation_01kgh3k9v2c8xq5r7t1w4y6z0a"
_OF_STORE = "/v1/ControlPlane/Stores/{storeId}"
_TRAITS = {
    "code": {
        "dataType": "STRING",
        "description": "x",
        "validationRule": {"ruleType": "STRING", "pattern": "^a", "minLength": 1, "maxLength": 2},
        "idTypePromotion": "chat",
    },
    "points": {"dataType": "NUMBER", "validationRule": {"ruleType": "NUMBER", "min": 0, "max": 0.5}},
    "tags": {"dataType": "ARRAY", "validationRule": {"ruleType": "ARRAY", "minItems": 0, "maxItems": 1}},
}
_RECALL = {
    "conversationId": _CONVERSATION,
    "query": "x",
    "beginDate": "2026-02-03T09:15:04Z",
    "endDate": "2026-02-03T09:15:05Z",
    "communicationsLimit": 1,
    "observationsLimit": 2,
    "summariesLimit": 3,
    "relevanceThreshold": 0.5,
}
_numbers = itertools.count(7_000_000)


def writes() -> list[tuple[str, str]]:
    """Every operation of the OpenAPI file that takes JSON: its method and its path.

    But for the clock, which is the test's own here, and cannot be turned: see `test_clock_refusals`.
    """
    return [
        (method.upper(), path)
        for path, operations in document()["paths"].items()
        for method, operation in operations.items()
        if "application/json" in operation.get("requestBody", {}).get("content", ())
        and not path.startswith(("/ingest/", CLOCK))
    ]


def body_schema(method: str, path: str) -> Any:
    """What the OpenAPI file says of the body of an operation."""
    return document()["paths"][path][method.lower()]["requestBody"]["content"]["application/json"]["schema"]


def alternatives(schema: Any) -> list[Any]:
    """What a schema stands for: itself, what it refers to, or several of these."""
    if "$ref" in schema:
        found: Any = document()
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        return alternatives(found)
    several = schema.get("anyOf") or schema.get("oneOf")
    return [one for alternative in several for one in alternatives(alternative)] if several else [schema]


def complete(method: str, path: str) -> Body:
    """A body with every field, unlike any before; where none is written down here, the example of the file."""
    phone = f"+1555{next(_numbers)}"
    written: Body | None = {
        ("POST", "/v2/ControlPlane/Configurations"): _configuration(phone),
        ("PUT", "/v2/ControlPlane/Configurations/{id}"): _configuration(phone),
        ("PATCH", "/v2/ControlPlane/Configurations/{id}"): _configuration(phone),
        ("POST", "/v2/Conversations"): {
            "configuration": _own_settings(),
            "name": "x",
            "metadata": {"a": "b"},
            "participants": [_member(phone)],
        },
        ("PUT", "/v2/Conversations/{id}"): {"status": "ACTIVE", "name": "x", "metadata": {"a": "b"}},
        ("PATCH", "/v2/Conversations/{id}"): {
            "status": "ACTIVE",
            "name": "x",
            "metadata": {"a": "b"},
            "configuration": {"statusCallbacks": _CALLBACKS},
        },
        ("POST", f"{_OF_ONE}/Participants"): _member(phone),
        ("PUT", f"{_OF_ONE}/Participants/{{id}}"): _member(phone),
        ("POST", f"{_OF_ONE}/Communications"): {**_said(end(US)), "author": end(phone), "resourceId": f"SM{phone}"},
        ("PUT", f"{_OF_ONE}/Communications/{{id}}"): _said(end(US, deliveryStatus="READ")),
        ("POST", f"{_OF_ONE}/Actions"): _action(),
        ("POST", "/v1/ControlPlane/Stores"): {"displayName": f"store-{phone[1:]}", "description": "x"},
        ("PATCH", "/v1/ControlPlane/Stores/{storeId}"): {"displayName": f"store-{phone[1:]}", "description": "x"},
        ("PUT", f"{_OF_STORE}/IdentityResolutionSettings"): _identity(),
        ("POST", f"{_OF_STORE}/TraitGroups"): {"displayName": f"g{phone[1:]}", "description": "x", "traits": _TRAITS},
        ("PATCH", f"{_OF_STORE}/TraitGroups/{{traitGroupName}}"): {"description": "x", "traits": _TRAITS},
        ("POST", "/v1/Stores/{storeId}/Profiles"): {"traits": {"Contact": {"phone": phone}}},
        ("PATCH", f"{_OF_PROFILE}/Identifiers/{{idType}}"): {"idType": "chat", "oldValue": "ann", "newValue": "ann"},
        ("PATCH", f"{_OF_PROFILE}/Observations/{{observationId}}"): observation(conversationIds=[_CONVERSATION]),
        ("PATCH", f"{_OF_PROFILE}/ConversationSummaries/{{summaryId}}"): summary(source="x"),
        ("POST", f"{_OF_PROFILE}/Recall"): _RECALL,
        ("POST", "/orchestrator/v1/Explain"): {
            "channel": "VOICE",
            "from": phone,
            "to": US,
            "text": "x",
            "direction": "INBOUND",
            "configurationId": "x",
            "conversationId": _CONVERSATION,
        },
        ("POST", _UNDO): {"identifiers": [{"idType": "email", "value": _BOB}]},
    }.get((method, path))
    if written is not None:
        return written
    example: Body = alternatives(body_schema(method, path))[0]["example"]
    return example


def _configuration(phone: str) -> Body:
    rules = [{"from": "*", "to": phone, "metadata": {"a": "b"}}]
    return configuration_body(
        memoryStoreId=new_id(MEMORY_STORE),
        channelSettings={"SMS": {"statusTimeouts": _TIMEOUTS, "captureRules": rules}},
        statusCallbacks=_CALLBACKS,
        intelligenceConfigurationIds=["x"],
        memoryExtractionEnabled=True,
        conversationsV1Bridge={"serviceId": f"IS{phone[1:]:0>32}"},
    )


def _identity() -> Body:
    own = {
        "idType": "userId",
        "matchingAlgo": "exact",
        "matchingThreshold": 75,
        "limit": 100,
        "limitPolicy": "fifo",
        "enforceUnique": True,
        "normalization": "none",
    }
    reserved = [{"idType": name} for name in ("email", "whatsapp", "phone", "chat")]
    return {"identifierConfigs": [*reserved, own], "matchingRules": ["userId", "phone"]}


def _own_settings() -> Body:
    return {
        "conversationGroupingType": "GROUP_BY_PROFILE",
        "memoryStoreId": new_id(MEMORY_STORE),
        "channelSettings": {"SMS": {"statusTimeouts": _TIMEOUTS}},
        "statusCallbacks": _CALLBACKS,
        "memoryExtractionEnabled": True,
        "intelligenceConfigurationIds": ["x"],
        "traitExtractionStrategyIds": ["x"],
        "observationExtractionStrategyIds": ["x"],
        "workflows": [{"flowId": "FW" + "0a" * 16}],
    }


def _member(phone: str) -> Body:
    address = {**end(phone), "channelId": "CA1"}
    return {"name": "Ann", "type": "CUSTOMER", "profileId": f"mem_profile_{phone[1:]:0>26}", "addresses": [address]}


def _said(recipient: Body) -> Body:
    words = [{"text": "hello", "startTime": "a", "endTime": "b"}]
    transcription = {"channel": 0, "confidence": 0.5, "engine": "x", "words": words}
    return {
        "content": {"type": "TRANSCRIPTION", "text": "hello", "transcription": transcription},
        "recipients": [recipient],
        "channelId": "CA1",
        "occurredAt": "2026-02-03T09:15:04Z",
    }


def _action() -> Body:
    content = {
        "text": "x",
        "contentId": "HX" + "0a" * 16,
        "variables": {"a": "b"},
        "mediaUrls": ["https://a.example.com/"],
    }
    settings = {"a": {"b": ["c"]}}
    payload = {
        "from": end(US),
        "to": [end(KIRAN)],
        "content": content,
        "channelSettings": settings,
        "force": True,
    }
    return {"type": "SEND_MESSAGE", "payload": payload}


@dataclass
class World:
    """An account that has something of everything."""

    service: Service
    ids: dict[str, str]
    """By the part of a path that comes before them."""
    known: list[Any] = field(default_factory=list)
    """What was stored when last looked at."""

    def fill(self, path: str, *, last: str | None = None) -> str:
        """The path with ids in it; with another one in the last place where there is one."""
        parts = path.split("/")
        places = [position for position, part in enumerate(parts) if part.startswith("{")]
        for position in places:
            parts[position] = self.ids[parts[position - 1]]
        if last is not None and places:
            parts[places[-1]] = last
        return "/".join(parts)

    async def send(self, method: str, path: str, body: Any) -> httpx.Response:
        """Send a body, whatever it holds, and check that a refusal changes nothing and that nothing fails."""
        before = self.known or await self.content()
        answer = await self.service.api.request(
            method, self.fill(path), content=json.dumps(body).encode(), headers=JSON
        )
        assert answer.status_code < 500, (path, answer.text[:500])
        if (method, path, answer.status_code) == ("POST", "/v2/ControlPlane/Configurations", 202):
            made = answer.json()["related"]["configurationId"]  # an account has ten at most
            assert (await self.service.api.delete(f"{path}/{made}")).status_code == 202
        if path == _UNDO and answer.is_success:  # once only; so there has to be another
            self.ids["Merges"] = await _merge(self.service, self.ids["Stores"])
        self.known = await self.content()
        assert answer.is_success or self.known == before, (path, answer.text[:500])
        return answer

    async def content(self) -> list[Any]:
        """What is stored of the account, in short."""
        rows = await self.service.fetch(
            " union all ".join(
                f"select '{table}' as name, count(*), sum(hashtext(t::text)) from {table} t where account_id = $1"
                for table in sorted(metadata.tables)
                if "account_id" in metadata.tables[table].c
            ),
            self.service.account.account_id,
        )
        return [tuple(row) for row in rows]


async def _merge(service: Service, store_id: str) -> str:
    """Have Bob turn out to be Ann; the id of the merge."""
    people = [{"traits": {"Contact": {"email": _BOB, **more}}} for more in ({}, {"chat": "ann"})]
    response = await service.api.put(f"/v1/Stores/{store_id}/Profiles/Bulk", json={"profiles": people})
    assert response.status_code == 202, response.text
    [[merge_id]] = await service.fetch("select max(id) from profile_merges where store_id = $1", store_id)
    return str(merge_id)


async def _uncaptured(service: Service) -> str:
    """Have a message come that nobody wants; the id of its trace."""
    assert (await service.receive_message(KIRAN, KIRAN)).status_code == 200
    [[found]] = await service.fetch("select id from uncaptured where account_id = $1", service.account.account_id)
    return str(found)


async def new_world(service: Service) -> World:
    """The service's account, with something of everything."""
    conversation = await new_conversation(service)
    store_id = await new_store(service)
    profile_id = await new_profile(service, store_id, phone=f"+1555{next(_numbers)}", chat="ann")
    profile = profile_path(store_id, profile_id)
    await service.fetch(
        "insert into callback_endpoints (account_id, url, created_at, last_used_at) "
        "values ($1, 'https://hooks.example.com/conversations', $2, $2) returning 1",
        service.account.account_id,
        service.units.clock.now(),
    )
    ids = {
        "Configurations": conversation["configurationId"],
        "Versions": "1",
        "Conversations": conversation["id"],
        "Participants": conversation["participants"][0]["id"],
        "Communications": (await say(service, conversation))["id"],
        "Stores": store_id,
        "Profiles": profile_id,
        "Observations": (await note(service, profile, observation()))[0],
        "ConversationSummaries": (await sum_up(service, profile, summary()))[0],
        "Identifiers": "chat",
        "Merges": await _merge(service, store_id),
        "TraitGroups": "Contact",
        "Operations": new_id(OPERATION),
        "Actions": "conv_action_" + "0" * 26,
        "Deliveries": new_id(DELIVERY),
        "Numbers": US,
        "Uncaptured": await _uncaptured(service),
    }
    return World(service, ids)
