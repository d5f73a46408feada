"""The official Python SDK, unmodified but for the origin of its requests: memory stores and what they hold."""

from datetime import datetime

import pytest
from requests.structures import CaseInsensitiveDict
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.memory.v1.bulk import BulkList
from twilio.rest.memory.v1.identifier import IdentifierList
from twilio.rest.memory.v1.identity_resolution_setting import IdentityResolutionSettingList
from twilio.rest.memory.v1.lookup import LookupList
from twilio.rest.memory.v1.profile import ProfileList
from twilio.rest.memory.v1.store import StoreList
from twilio.rest.memory.v1.trait_group import TraitGroupList

from tests.support.traffic import KIRAN, OTHER_PHONE


def create_store(client: Client, name: str = "customers") -> str:
    """Create a store and poll its operation; its id."""
    answer = client.memory.v1.stores.create_with_http_info(
        StoreList.ServiceRequest({"displayName": name, "description": "Everybody who writes to us"})
    )
    assert answer.status_code == 202
    operation_id = CaseInsensitiveDict(answer.headers)["Operation-Id"]
    assert answer.data.status_url.endswith(operation_id)
    operation = client.memory.v1.operations(operation_id).fetch()
    assert (operation.operation_id, operation.status) == (operation_id, "COMPLETED")
    assert operation.result["type"] == "RESOURCE_ID"
    store_id: str = operation.result["id"]
    return store_id


def create_profile(client: Client, store_id: str, **contact: str) -> str:
    profile = client.memory.v1.profiles(store_id).create(ProfileList.ProfileData({"traits": {"Contact": contact}}))
    profile_id: str = profile.id
    return profile_id


def look_up(client: Client, store_id: str, id_type: str, value: str) -> tuple[str, list[str]]:
    found = client.memory.v1.lookup(store_id).create(LookupList.Identifier({"idType": id_type, "value": value}))
    return found.normalized_value, found.profiles


def test_a_store_is_created_fetched_listed_and_deleted(client: Client) -> None:
    first, second = create_store(client, "one"), create_store(client, "two")
    found = client.memory.v1.stores(first).fetch()
    assert (found.id, found.display_name, found.status, found.version) == (first, "one", "ACTIVE", 1)
    assert sorted(client.memory.v1.stores.list(page_size=1)) == sorted([first, second])
    assert client.memory.v1.stores(second).delete()
    assert client.memory.v1.stores.list() == [first]


def test_a_profile_is_created_fetched_and_looked_up(client: Client) -> None:
    store_id = create_store(client)
    profile_id = create_profile(client, store_id, phone=KIRAN, firstName="Kiran")
    found = client.memory.v1.profiles(store_id, profile_id).fetch()
    assert found.id == profile_id
    assert found.traits["Contact"]["firstName"] == "Kiran"
    assert isinstance(found.created_at, datetime)
    assert look_up(client, store_id, "phone", "+1 (555) 123-4567") == (KIRAN, [profile_id])
    assert look_up(client, store_id, "phone", OTHER_PHONE) == (OTHER_PHONE, [])
    other = create_profile(client, store_id, phone=OTHER_PHONE)
    assert sorted(client.memory.v1.profiles(store_id).list(page_size=1)) == sorted([profile_id, other])


def test_identifiers_are_added_listed_fetched_and_removed(client: Client) -> None:
    store_id = create_store(client)
    profile_id = create_profile(client, store_id, phone=KIRAN)
    identifiers = client.memory.v1.identifiers(store_id, profile_id)
    added = identifiers.create(IdentifierList.Identifier({"idType": "phone", "value": OTHER_PHONE}))
    assert added.message
    assert [(one.id_type, one.values) for one in identifiers.list()] == [("phone", [KIRAN, OTHER_PHONE])]
    assert identifiers("phone").fetch().values == [KIRAN, OTHER_PHONE]
    assert look_up(client, store_id, "phone", OTHER_PHONE)[1] == [profile_id]
    assert identifiers("phone").delete()
    assert identifiers("phone").fetch().values == [OTHER_PHONE]


def test_errors_are_the_exceptions_that_users_catch(client: Client) -> None:
    store_id = create_store(client)
    with pytest.raises(TwilioRestException) as taken:
        create_store(client)
    assert taken.value.status == 409
    with pytest.raises(TwilioRestException) as unknown:
        client.memory.v1.stores("mem_store_01kgh3k1w8fmkrxj2c5a9d7e6b").fetch()
    assert unknown.value.status == 404
    with pytest.raises(TwilioRestException) as wrong:
        look_up(client, store_id, "shoe", "43")
    assert (wrong.value.status, wrong.value.code) == (400, 400)
    assert "/idType" in wrong.value.msg


def test_a_store_is_changed_if_it_is_the_version_that_was_read(client: Client) -> None:
    store_id = create_store(client)
    change = StoreList.PatchStoreRequest({"displayName": "regulars"})
    tag = CaseInsensitiveDict(client.memory.v1.stores(store_id).fetch_with_http_info().headers)["ETag"]
    assert client.memory.v1.stores(store_id).patch(change, if_match=tag).status_url
    with pytest.raises(TwilioRestException) as stale:
        client.memory.v1.stores(store_id).patch(change, if_match=tag)
    assert (stale.value.status, stale.value.code) == (412, 520043)
    found = client.memory.v1.stores(store_id).fetch()
    assert (found.display_name, found.description, found.version) == ("regulars", "Everybody who writes to us", 2)


def test_a_trait_group_is_created_listed_changed_and_deleted(client: Client) -> None:
    store_id = create_store(client)
    groups = client.memory.v1.trait_groups(store_id)
    rule = {"ruleType": "STRING", "pattern": "^(silver|gold)$", "maxLength": 6}
    traits = {
        "tier": TraitGroupList.TraitGroupRequestTraits({"dataType": "STRING", "validationRule": rule}).to_dict(),
        "points": {"dataType": "NUMBER"},
    }
    request = TraitGroupList.TraitGroupRequest({"displayName": "Loyalty", "description": "Regulars", "traits": traits})
    assert groups.create(request).status_url
    assert [(one.display_name, one.traits) for one in groups.list(page_size=1)] == [
        ("Loyalty", None),
        ("Contact", None),
    ]
    assert set(groups.list(include_traits=True)[0].traits) == {"tier", "points"}

    group = client.memory.v1.trait_groups(store_id, "Loyalty")
    answer = group.fetch_with_http_info()
    found = answer.data.trait_group
    assert (found["displayName"], found["version"]) == ("Loyalty", 1)
    assert found["traits"]["tier"]["validationRule"] == rule
    assert group.fetch(page_size=1).meta["nextToken"]
    removal = TraitGroupList.PatchTraitGroupRequest({"traits": {"points": {"dataType": ""}}})
    tag = CaseInsensitiveDict(answer.headers)["ETag"]
    assert group.patch(removal, if_match=tag).message
    assert set(group.fetch().trait_group["traits"]) == {"tier"}
    assert group.delete()
    with pytest.raises(TwilioRestException) as gone:
        group.fetch()
    assert (gone.value.status, gone.value.code) == (404, 520047)


def test_identity_settings_are_fetched_and_replaced(client: Client) -> None:
    store_id = create_store(client)
    identity = client.memory.v1.identity_resolution_settings(store_id)
    answer = identity.fetch_with_http_info()
    assert answer.data.matching_rules == ["email", "whatsapp", "phone", "chat"]
    configs = [*answer.data.identifier_configs, {"idType": "userId", "enforceUnique": False}]
    body = {"identifierConfigs": configs, "matchingRules": ["userId", *answer.data.matching_rules]}
    wanted = IdentityResolutionSettingList.IdentityResolutionSettingsCore(body)
    tag = CaseInsensitiveDict(answer.headers)["ETag"]
    assert identity.update(wanted, if_match=tag).status_url
    found = identity.fetch()
    assert (found.version, found.matching_rules[0]) == (2, "userId")
    assert found.identifier_configs[-1]["enforceUnique"] is False
    with pytest.raises(TwilioRestException) as stale:
        identity.update(wanted, if_match=tag)
    assert stale.value.status == 412


def test_a_profile_is_patched_and_deleted_and_its_traits_are_listed(client: Client) -> None:
    store_id = create_store(client)
    profile_id = create_profile(client, store_id, phone=KIRAN, firstName="Kiran")
    profile = client.memory.v1.profiles(store_id, profile_id)
    assert profile.patch(ProfileList.ProfilePatch({"traits": {"Contact": {"firstName": "K.", "city": "Oslo"}}})).message
    traits = client.memory.v1.traits(store_id, profile_id).list(trait_groups="Contact,Nothing", page_size=1)
    assert {one.name: one.value for one in traits} == {"phone": KIRAN, "firstName": "K.", "city": "Oslo"}
    assert all(isinstance(one.timestamp, datetime) and one.trait_group == "Contact" for one in traits)
    assert profile.delete()
    with pytest.raises(TwilioRestException) as gone:
        profile.fetch()
    assert gone.value.status == 404


def test_many_profiles_are_written_at_once(client: Client) -> None:
    store_id = create_store(client)
    people = [{"traits": {"Contact": {"phone": phone}}} for phone in (KIRAN, OTHER_PHONE)] + [{"traits": {"X": {}}}]
    accepted = client.memory.v1.bulk(store_id).update(BulkList.UpdateProfilesBulkRequest({"profiles": people}))
    assert isinstance(accepted.created_at, datetime)
    assert accepted.status_url.endswith(accepted.operation_id)
    operation = client.memory.v1.operations(accepted.operation_id).fetch()
    assert (operation.status, operation.result["written"], operation.result["skipped"]) == ("COMPLETED", 2, 1)
    assert len(client.memory.v1.profiles(store_id).list()) == 2


def test_an_identifier_is_put_in_place_of_another(client: Client) -> None:
    store_id = create_store(client)
    profile_id = create_profile(client, store_id, phone=KIRAN)
    identifier = client.memory.v1.identifiers(store_id, profile_id)("phone")
    change = {"idType": "phone", "oldValue": KIRAN, "newValue": OTHER_PHONE}
    assert identifier.patch(IdentifierList.IdentifierUpdate(change)).message
    assert identifier.fetch().values == [OTHER_PHONE]
