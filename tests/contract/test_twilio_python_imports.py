"""The official Python SDK, unmodified but for the origin of its requests: CSV imports and their worker."""

import time
from datetime import datetime

import httpx
from twilio.rest import Client
from twilio.rest.memory.v1.import_ import ImportInstance, ImportList

from orchestrator.accounts.service import Account
from tests.contract.test_twilio_python_memory import create_store, look_up
from tests.support.server import sdk_client
from tests.support.traffic import KIRAN, OTHER_PHONE

_FILE = f"phone,first\n{KIRAN},Kiran\n{OTHER_PHONE},Ann\n,Nobody\n".encode()
_MAPPINGS = [("phone", "phone"), ("first", "firstName")]


def announce(client: Client, store_id: str) -> ImportInstance:
    mappings = [
        ImportList.ColumnMappingItem({"columnName": column, "traitGroup": "Contact", "traitName": trait})
        for column, trait in _MAPPINGS
    ]
    request = {"filename": "customers.csv", "fileSize": len(_FILE), "columnMappings": mappings}
    return client.memory.v1.imports(store_id).create(ImportList.CreateProfilesImportV2Request(request))


def ended(client: Client, store_id: str, import_id: str) -> ImportInstance:
    give_up = time.monotonic() + 20
    while (found := client.memory.v1.imports(store_id, import_id).fetch()).status in ("PENDING", "PROCESSING"):
        assert time.monotonic() < give_up, found.status
        time.sleep(0.05)
    return found


def test_a_file_is_announced_uploaded_and_imported(delivering: str, account: Account) -> None:
    with sdk_client(delivering, account.account_id, account.auth_token) as client:
        store_id = create_store(client)
        created = announce(client, store_id)
        pending = client.memory.v1.imports(store_id, created.import_id).fetch()
        assert (pending.status, pending.filename, pending.file_size) == ("PENDING", "customers.csv", len(_FILE))
        assert httpx.put(created.url, content=_FILE, trust_env=False).status_code == 200
        found = ended(client, store_id, created.import_id)
        assert (found.status, found.summary["errors"], found.summary["warnings"]) == ("COMPLETED", 1, 0)
        assert isinstance(found.created_at, datetime)
        assert isinstance(found.updated_at, datetime)
        assert [mapping["columnName"] for mapping in found.column_mappings] == ["phone", "first"]
        [profile_id] = look_up(client, store_id, "phone", KIRAN)[1]
        profile = client.memory.v1.profiles(store_id, profile_id).fetch()
        assert profile.traits == {"Contact": {"phone": KIRAN, "firstName": "Kiran"}}


def test_imports_are_listed_page_by_page(client: Client) -> None:
    store_id = create_store(client)
    ids = [announce(client, store_id).import_id for _ in range(3)]
    assert client.memory.v1.imports(store_id).list(page_size=2) == ids[::-1]
    assert client.memory.v1.imports(store_id).list(order_by="ASC") == ids
