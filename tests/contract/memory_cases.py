"""What each operation of the official SDKs for the Memory API is called with, in whichever language."""

from typing import Any

from twilio.rest.memory.v1.bulk import BulkList
from twilio.rest.memory.v1.conversation_summary import ConversationSummaryList
from twilio.rest.memory.v1.data_mapping import DataMappingList
from twilio.rest.memory.v1.identifier import IdentifierList
from twilio.rest.memory.v1.identity_resolution_setting import IdentityResolutionSettingList
from twilio.rest.memory.v1.import_ import ImportList
from twilio.rest.memory.v1.lookup import LookupList
from twilio.rest.memory.v1.observation import ObservationList
from twilio.rest.memory.v1.profile import ProfileList
from twilio.rest.memory.v1.recall import RecallList
from twilio.rest.memory.v1.store import StoreList
from twilio.rest.memory.v1.trait_group import TraitGroupList

from tests.contract import memory_checks as checks
from tests.contract.cases import Case, are, has
from tests.contract.memory_checks import accepted, done, equals, gone, shows
from tests.support.sdk_memory import OCCURRED, Memories, group_body, import_body, new_name

STORES = "/v1/ControlPlane/Stores"
STORE = f"{STORES}/{{0.store_id}}"
GROUP = f"{STORE}/TraitGroups/{{0.trait_group}}"
MAPPINGS = f"{STORE}/DataMappings"
MAPPING = f"{MAPPINGS}/mem_datamapping_01kgh3k1w8fmkrxj2c5a9d7e6b"
PROFILES = "/v1/Stores/{0.store_id}/Profiles"
PROFILE = f"{PROFILES}/{{0.profile_id}}"
OBSERVATION = f"{PROFILE}/Observations/{{0.observation_id}}"
SUMMARY = f"{PROFILE}/ConversationSummaries/{{0.summary_id}}"

LEFT_OUT = {"data_mappings": "they bring data sets of Twilio Segment into a store, and there are none here"}
"""Resources of the SDKs that this service does not have: every call of them is answered with 404."""

ASKING = ("lookup", "recall")
"""Resources that are created, for an SDK, by asking."""


def person(memories: Memories, **traits: Any) -> dict[str, Any]:
    """The person's profile, to write it."""
    return {"traits": {"Contact": {"phone": memories.phone, **traits}}}


def noted(memories: Memories) -> dict[str, Any]:
    told = {"content": "reads", "source": "sdk", "occurredAt": OCCURRED, "conversationIds": [memories.conversation_id]}
    return {"observations": [told]}


def summed_up(memories: Memories) -> dict[str, Any]:
    told = {"content": "It is late", "conversationId": memories.conversation_id, "occurredAt": OCCURRED}
    return {"summaries": [told]}


_CONTROL: dict[tuple[str, str], Case[Memories]] = {
    ("stores", "create"): Case(
        f"POST {STORES}", 202, checks.a_store, StoreList.ServiceRequest, lambda _: {"displayName": new_name()}
    ),
    ("stores", "list"): Case(f"GET {STORES}", 200, equals(lambda made: [made.spare_store_id, made.store_id])),
    ("stores", "fetch"): Case(
        f"GET {STORE}", 200, has(status="ACTIVE", version=2, description="Everybody who writes to us")
    ),
    ("stores", "patch"): Case(
        f"PATCH {STORE}",
        202,
        accepted(checks.described, "Regulars"),
        StoreList.PatchStoreRequest,
        lambda _: {"description": "Regulars"},
    ),
    ("stores", "delete"): Case(
        f"DELETE {STORES}/{{0.spare_store_id}}", 202, gone(lambda made: made.v1.stores(made.spare_store_id).fetch())
    ),
    ("operations", "fetch"): Case(
        "GET /v1/ControlPlane/Operations/{0.operation_id}", 200, has(status="COMPLETED", error=None)
    ),
    ("identity_resolution_settings", "fetch"): Case(
        f"GET {STORE}/IdentityResolutionSettings", 200, has(matchingRules=checks.RULES[:-1], version=1)
    ),
    ("identity_resolution_settings", "update"): Case(
        f"PUT {STORE}/IdentityResolutionSettings",
        202,
        accepted(checks.rules, checks.RULES),
        IdentityResolutionSettingList.IdentityResolutionSettingsCore,
        lambda _: {"identifierConfigs": [{"idType": one} for one in checks.RULES], "matchingRules": checks.RULES},
    ),
    ("trait_groups", "create"): Case(
        f"POST {STORE}/TraitGroups",
        202,
        checks.a_group,
        TraitGroupList.TraitGroupRequest,
        lambda _: group_body(new_name()),
    ),
    ("trait_groups", "list"): Case(f"GET {STORE}/TraitGroups", 200, checks.both_groups),
    ("trait_groups", "fetch"): Case(f"GET {GROUP}", 200, checks.the_group),
    ("trait_groups", "patch"): Case(
        f"PATCH {GROUP}",
        202,
        accepted(checks.traits_of_group, ["drink", "visits"]),
        TraitGroupList.PatchTraitGroupRequest,
        lambda _: {"traits": {"visits": {"dataType": "NUMBER"}}},
    ),
    ("trait_groups", "delete"): Case(f"DELETE {GROUP}", 202, gone(checks.traits_of_group)),
    ("data_mappings", "list"): Case(f"GET {MAPPINGS}", 404, checks.nothing),
    ("data_mappings", "create"): Case(
        f"POST {MAPPINGS}",
        404,
        checks.nothing,
        DataMappingList.CreateDataMappingInput,
        lambda _: {"displayName": "orders", "isEnabled": True},
    ),
    ("data_mappings", "fetch"): Case(f"GET {MAPPING}", 404, checks.nothing),
    ("data_mappings", "patch"): Case(
        f"PATCH {MAPPING}", 404, checks.nothing, DataMappingList.DataMappingCore, lambda _: {"isEnabled": False}
    ),
    ("data_mappings", "delete"): Case(f"DELETE {MAPPING}", 404, checks.nothing),
}

_PROFILES: dict[tuple[str, str], Case[Memories]] = {
    ("profiles", "create"): Case(
        f"POST {PROFILES}", 202, checks.a_profile, ProfileList.ProfileData, lambda made: person(made, city="Oslo")
    ),
    ("profiles", "list"): Case(f"GET {PROFILES}", 200, equals(lambda made: made.profiles[::-1])),
    ("profiles", "fetch"): Case(f"GET {PROFILE}", 200, checks.the_profile),
    ("profiles", "patch"): Case(
        f"PATCH {PROFILE}",
        202,
        done(checks.city, lambda _: "Oslo"),
        ProfileList.ProfilePatch,
        lambda _: {"traits": {"Contact": {"city": "Oslo"}}},
    ),
    ("profiles", "delete"): Case(f"DELETE {PROFILE}", 202, gone(lambda made: made.profile)),
    ("bulk", "update"): Case(
        f"PUT {PROFILES}/Bulk",
        202,
        done(checks.city, lambda _: "Oslo"),
        BulkList.UpdateProfilesBulkRequest,
        lambda made: {"profiles": [person(made, city="Oslo")]},
    ),
    ("lookup", "create"): Case(
        f"POST {PROFILES}/Lookup",
        200,
        checks.a_lookup,
        LookupList.Identifier,
        lambda made: {"idType": "phone", "value": f" {made.phone[:5]} {made.phone[5:]}"},
    ),
    ("imports", "create"): Case(
        f"POST {PROFILES}/Imports",
        201,
        checks.an_import,
        ImportList.CreateProfilesImportV2Request,
        lambda _: import_body(),
    ),
    ("imports", "list"): Case(f"GET {PROFILES}/Imports", 200, equals(lambda made: made.imports[::-1])),
    ("imports", "fetch"): Case(
        f"GET {PROFILES}/Imports/{{0.imports[0]}}", 200, has(status="PENDING", filename="customers.csv", fileSize=100)
    ),
    ("traits", "list"): Case(f"GET {PROFILE}/Traits", 200, shows("name", "phone", "firstName")),
    ("identifiers", "create"): Case(
        f"POST {PROFILE}/Identifiers",
        202,
        done(lambda made: made.values["phone"], lambda made: [made.phone, made.other_phone]),
        IdentifierList.Identifier,
        lambda made: {"idType": "phone", "value": made.other_phone},
    ),
    ("identifiers", "list"): Case(f"GET {PROFILE}/Identifiers", 200, checks.the_identifiers),
    ("identifiers", "fetch"): Case(f"GET {PROFILE}/Identifiers/phone", 200, checks.the_identifier),
    ("identifiers", "patch"): Case(
        f"PATCH {PROFILE}/Identifiers/phone",
        202,
        done(lambda made: made.values["phone"], lambda made: [made.other_phone]),
        IdentifierList.IdentifierUpdate,
        lambda made: {"idType": "phone", "oldValue": made.phone, "newValue": made.other_phone},
    ),
    ("identifiers", "delete"): Case(
        f"DELETE {PROFILE}/Identifiers/phone", 202, done(lambda made: made.values, lambda _: {})
    ),
}

_REMEMBERED: dict[tuple[str, str], Case[Memories]] = {
    ("observations", "create"): Case(
        f"POST {PROFILE}/Observations",
        202,
        done(lambda made: made.remembered, lambda _: ["reads"]),
        ObservationList.CreateObservationsRequest,
        noted,
    ),
    ("observations", "list"): Case(f"GET {PROFILE}/Observations", 200, are(lambda made: made.observations[::-1])),
    ("observations", "fetch"): Case(f"GET {OBSERVATION}", 200, has(content="likes tea", source="sdk")),
    ("observations", "patch"): Case(
        f"PATCH {OBSERVATION}",
        202,
        done(lambda made: made.remembered, lambda _: ["has a dog", "reads"]),
        ObservationList.ObservationBase,
        lambda _: {"content": "reads"},
    ),
    ("observations", "delete"): Case(
        f"DELETE {OBSERVATION}", 202, done(lambda made: made.remembered, lambda _: ["has a dog"])
    ),
    ("revisions", "list"): Case(f"GET {OBSERVATION}/Revisions", 200, shows("content", "likes tea", "likes coffee")),
    ("conversation_summaries", "create"): Case(
        f"POST {PROFILE}/ConversationSummaries",
        202,
        done(lambda made: made.told, lambda _: ["It is late"]),
        ConversationSummaryList.CreateSummariesRequest,
        summed_up,
    ),
    ("conversation_summaries", "list"): Case(
        f"GET {PROFILE}/ConversationSummaries", 200, are(lambda made: made.summaries[::-1])
    ),
    ("conversation_summaries", "fetch"): Case(f"GET {SUMMARY}", 200, has(content="A parcel was late")),
    ("conversation_summaries", "patch"): Case(
        f"PATCH {SUMMARY}",
        202,
        done(lambda made: made.told, lambda _: ["The parcel came", "It is late"]),
        ConversationSummaryList.SummaryCorePatch,
        lambda _: {"content": "It is late"},
    ),
    ("conversation_summaries", "delete"): Case(
        f"DELETE {SUMMARY}", 202, done(lambda made: made.told, lambda _: ["The parcel came"])
    ),
    ("recall", "create"): Case(
        f"POST {PROFILE}/Recall",
        200,
        checks.a_recall,
        RecallList.MemoryRetrievalRequest,
        lambda _: {"query": "tea", "relevanceThreshold": 0.5},
    ),
}

CASES = _CONTROL | _PROFILES | _REMEMBERED
"""By resource and verb, as Python calls them."""

PARENTS = {
    "operations": (),
    "stores": (),
    "identifiers": ("store_id", "profile_id"),
    "traits": ("store_id", "profile_id"),
    "observations": ("store_id", "profile_id"),
    "conversation_summaries": ("store_id", "profile_id"),
    "recall": ("store_id", "profile_id"),
    "revisions": ("store_id", "profile_id", "observation_id"),
}
"""What an SDK reaches a resource by, where that is not the store alone."""
