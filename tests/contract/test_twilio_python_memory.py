"""The official Python SDK, unmodified but for the origin of its requests: memory stores, profiles, identifiers."""

from datetime import datetime

import pytest
from requests.structures import CaseInsensitiveDict
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client
from twilio.rest.memory.v1.identifier import IdentifierList
from twilio.rest.memory.v1.lookup import LookupList
from twilio.rest.memory.v1.profile import ProfileList
from twilio.rest.memory.v1.store import StoreList

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
    assert (wrong.value.status, wrong.value.code) == (400, 20001)
    assert "/idType" in wrong.value.msg
