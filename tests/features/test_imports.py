"""CSV imports: what a file becomes (contract: memory.md 4.11)."""

from typing import Any

import pytest

from orchestrator.memory import importing
from tests.support.app import Service
from tests.support.imports import chunks, fetched, forget_imports, imported, importer, look_up, uploaded
from tests.support.memory import (
    assert_refused,
    identifiers_of,
    new_phone,
    new_profile,
    new_store,
    profile_traits,
    rows_of_store,
)

TYPED = {"phone": "Contact.phone", "age": "Facts.age", "member": "Facts.member", "tags": "Facts.tags"}


@pytest.fixture
async def store(service: Service) -> str:
    await forget_imports(service)
    return await new_store(service)


async def add_facts(service: Service, store: str) -> None:
    traits = {"age": "NUMBER", "member": "BOOLEAN", "tags": "ARRAY"}
    body = {"displayName": "Facts", "traits": {name: {"dataType": kind} for name, kind in traits.items()}}
    response = await service.api.post(f"/v1/ControlPlane/Stores/{store}/TraitGroups", json=body)
    assert response.status_code == 202, response.text


async def contact(service: Service, store: str, phone: str) -> dict[str, Any]:
    """The traits of the one who has the number."""
    [profile_id] = await look_up(service, store, phone)
    traits: dict[str, Any] = (await profile_traits(service, store, profile_id))["Contact"]
    return traits


async def test_rows_become_profiles_and_add_to_those_that_are_there(service: Service, store: str) -> None:
    known, new, twice = new_phone(), new_phone(), new_phone()
    profile_id = await new_profile(service, store, phone=known, firstName="Kiran", city="Springfield", state="IL")
    file = f"note,first,phone,city\r\nx,K.,{known},\\N\r\nx,Ann,{new},\r\nx,Bo,{twice},Rome\r\nx,Bob,{twice},\\N\r\n"
    ended = await imported(service, store, file)
    assert (ended["status"], ended["rowsDone"], ended["rowsFailed"]) == ("COMPLETED", 4, 0)
    assert ended["summary"] == {"errors": 0, "warnings": 0, "firstErrors": [], "firstWarnings": []}
    assert await look_up(service, store, known) == [profile_id]
    assert await contact(service, store, known) == {"phone": known, "firstName": "K.", "state": "IL"}
    assert await contact(service, store, new) == {"phone": new, "firstName": "Ann", "city": ""}
    assert await contact(service, store, twice) == {"phone": twice, "firstName": "Bob"}
    assert await chunks(service, store) == []


async def test_a_row_that_names_two_profiles_makes_them_one(service: Service, store: str) -> None:
    phone, mail = new_phone(), f"{new_phone()[1:]}@example.com"
    first, second = await new_profile(service, store, phone=phone), await new_profile(service, store, email=mail)
    columns = {"phone": "Contact.phone", "mail": "Contact.email", "first": "Contact.firstName", "city": "Contact.city"}
    file = f"phone,mail,first,city\n,{mail},Ann,Rome\n{phone},{mail},Ann,\\N\n"
    ended = await imported(service, store, file, columns)
    assert (ended["status"], ended["rowsFailed"]) == ("COMPLETED", 0), ended
    assert await look_up(service, store, phone) == [first]
    assert (await identifiers_of(service, store, first))["email"] == [mail]
    assert await contact(service, store, phone) == {"phone": phone, "email": mail, "firstName": "Ann"}
    assert second != first


async def test_a_trait_that_a_later_row_sets_again_stays(service: Service, store: str) -> None:
    phone = new_phone()
    await imported(service, store, f"phone,first,city\n{phone},Ann,\\N\n{phone},Ann,Rome\n")
    assert (await contact(service, store, phone))["city"] == "Rome"


async def test_a_removed_identifier_is_no_identifier_and_stays_with_its_profile(service: Service, store: str) -> None:
    phone, other = new_phone(), new_phone()
    columns = {"phone": "Contact.phone", "mail": "Contact.email"}
    await imported(service, store, f"phone,mail\n{phone},a{other}@example.com\n{phone},\\N\n", columns)
    [profile_id] = await look_up(service, store, phone)
    assert await identifiers_of(service, store, profile_id) == {"email": [f"a{other}@example.com"], "phone": [phone]}
    assert "email" not in (await profile_traits(service, store, profile_id))["Contact"]


async def test_csv_as_spreadsheets_write_it(service: Service, store: str) -> None:
    for end in ("\n", "\r\n", "\r"):
        phone, second = new_phone(), new_phone()
        street = f'"Main St 1{end}\u2028 Springfield"'
        rows = ["phone,first,city", f'{phone},"Ann ""A."", née",{street}', "", f"{second},Łucja,x"]
        ended = await imported(service, store, b"\xef\xbb\xbf" + end.join(rows).encode())
        assert (ended["status"], ended["rowsDone"]) == ("COMPLETED", 2)
        found = await contact(service, store, phone)
        assert (found["firstName"], found["city"]) == ('Ann "A.", née', f"Main St 1{end}\u2028 Springfield")
        assert (await contact(service, store, second))["firstName"] == "Łucja"


async def test_cells_are_read_as_the_type_of_their_trait(service: Service, store: str) -> None:
    await add_facts(service, store)
    phones = [new_phone() for _ in range(4)]
    file = (
        "phone,age,member,tags\n"
        f'{phones[0]},41,TRUE,"[""a"", 2]"\n{phones[1]},-0.5,false,[]\n{phones[2]},,,\n{phones[3]},old,1,"a,b"\n'
    )
    ended = await imported(service, store, file, TYPED)
    facts = []
    for phone in phones:
        [profile_id] = await look_up(service, store, phone)
        facts.append((await profile_traits(service, store, profile_id)).get("Facts"))
    expected = [{"age": 41, "member": True, "tags": ["a", 2]}, {"age": -0.5, "member": False, "tags": []}, None, None]
    assert facts == expected
    assert (ended["status"], ended["rowsFailed"]) == ("COMPLETED", 0)
    assert (ended["summary"]["errors"], ended["summary"]["warnings"]) == (0, 3)
    first = ended["summary"]["firstWarnings"][0]
    assert (first["row"], first["column"]) == (4, "age")
    assert "number" in first["message"]


async def test_values_that_cannot_be_kept_are_left_out(service: Service, store: str) -> None:
    await add_facts(service, store)
    phone = new_phone()
    strange = ("nan", "1e999", "9" * 30, "٣", "1_0", "--1")
    arrays = ("[1", '{""a"": 1}', "[[1]]", "[null]", '[""\\u0000""]')
    cells = [*strange, *(f'"{array}"' for array in arrays)]
    file = "".join(f"{phone},{cell},{cell},{cell}\n" for cell in cells)
    ended = await imported(service, store, "phone,age,member,tags\n" + file, TYPED)
    [profile_id] = await look_up(service, store, phone)
    assert "Facts" not in await profile_traits(service, store, profile_id)
    assert (ended["status"], ended["summary"]["warnings"]) == ("COMPLETED", 3 * len(cells))


async def test_a_trait_that_was_deleted_meanwhile_is_left_out(service: Service, store: str) -> None:
    await add_facts(service, store)
    phone = new_phone()
    import_id = await uploaded(service, store, f"phone,age,member,tags\n{phone},41,true,[]\n", TYPED)
    path = f"/v1/ControlPlane/Stores/{store}/TraitGroups/Facts"
    assert (await service.api.patch(path, json={"traits": {"age": {"dataType": ""}}})).status_code == 202
    await importer(service).run_once()
    ended = await fetched(service, store, import_id)
    [warning] = ended["summary"]["firstWarnings"]
    assert (warning["row"], warning["column"]) == (1, "age")
    [profile_id] = await look_up(service, store, phone)
    assert (await profile_traits(service, store, profile_id))["Facts"] == {"member": True, "tags": []}


async def test_a_hundred_bad_rows_are_told_and_the_others_written(service: Service, store: str) -> None:
    phone = new_phone()
    bad = [",Ann,x", "\\N,Ann,x", "nobody,Ann,x", f"{new_phone()},Ann"] * 25
    ended = await imported(service, store, "\n".join(["phone,first,city", *bad, f"{phone},Ann,x"]))
    assert (ended["status"], ended["rowsDone"], ended["rowsFailed"]) == ("COMPLETED", 101, 100)
    assert ended["summary"]["errors"] == 100
    assert [error["row"] for error in ended["summary"]["firstErrors"]] == list(range(1, 101))
    assert "identifier" in ended["summary"]["firstErrors"][0]["message"]
    assert "3" in ended["summary"]["firstErrors"][3]["message"]
    assert len(await look_up(service, store, phone)) == 1


async def test_one_more_fails_the_import_and_what_was_written_stays(service: Service, store: str) -> None:
    phone = new_phone()
    ended = await imported(service, store, "\n".join(["phone,first,city", f"{phone},Ann,x", *[",Ann,x"] * 101]))
    assert (ended["status"], ended["rowsFailed"], ended["summary"]["errors"]) == ("FAILED", 101, 102)
    assert "100" in ended["summary"]["firstErrors"][0]["message"]
    assert len(await look_up(service, store, phone)) == 1
    assert await chunks(service, store) == []


GOOD = b"+15550001,Ann,x\n"
UNUSABLE = {
    "nothing but lines": (b"\n\r\n", "empty"),
    "a header alone": (b"phone,first,city\n", "no rows"),
    "a column twice": (b"phone,first,city,first\n" + GOOD, "first"),
    "a missing column": (b"phone,first\n" + GOOD, "city"),
    "another case": (b"phone,First,city\n" + GOOD, "first"),
    "too many columns": (b",".join(b"c%d" % number for number in range(101)) + b"\n" + GOOD, "101"),
    "no UTF-8": (b"phone,first,city\n+15550001,Ann,x\n+15550002,\xe9,x\n", "byte 44"),
    "UTF-8 that breaks off": (b"phone,first,city\n+15550001,Ann,\xc3", "UTF-8"),
    "a quote that does not end": (b'phone,first,city\n+15550001,Ann,x\n+15550002,"Bo,x\n', "row 2"),
    "a quote that ends too early": (b'phone,first,city\n+15550001,"A"nn,x\n', "row 1"),
    "a huge cell": (b"phone,first,city\n+15550001," + b"x" * 200_000 + b",x\n", "row 1"),
}


async def test_a_file_that_cannot_be_read_to_its_end_writes_nothing(service: Service, store: str) -> None:
    before = await rows_of_store(service, store)
    for name, (file, reason) in UNUSABLE.items():
        ended = await imported(service, store, file)
        assert (ended["status"], ended["summary"]["errors"]) == ("FAILED", 1), name
        [error] = ended["summary"]["firstErrors"]
        assert reason in error["message"], name
    assert await rows_of_store(service, store) == before


async def test_too_many_rows(service: Service, store: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "MOST_ROWS", 2)
    before = await rows_of_store(service, store)
    ended = await imported(service, store, b"phone,first,city\n" + GOOD * 3)
    assert (ended["status"], ended["rowsDone"]) == ("FAILED", 0)
    assert await rows_of_store(service, store) == before
    assert (await imported(service, store, b"phone,first,city\n" + GOOD * 2))["status"] == "COMPLETED"


async def test_imports_are_listed_and_belong_to_their_store(service: Service, store: str) -> None:
    ids = [(await imported(service, store, b"phone,first,city\n" + GOOD))["id"] for _ in range(3)]
    path = f"/v1/Stores/{store}/Profiles/Imports"
    page = (await service.api.get(path, params={"pageSize": 2})).json()
    assert (page["imports"], page["meta"]["key"], page["meta"]["pageSize"]) == (ids[:0:-1], "imports", 2)
    rest = (await service.api.get(path, params={"pageToken": page["meta"]["nextToken"]})).json()
    assert rest["imports"] == ids[:1]
    assert_refused(await service.api.get(path, params={"pageSize": 101}), 400, 400)
    other = await new_store(service)
    assert_refused(await service.api.get(f"/v1/Stores/{other}/Profiles/Imports/{ids[0]}"), 404, 20404)
    assert_refused(await service.api.get(f"{path}/x"), 404, 20404)
    async with service.client(await service.new_account()) as theirs:
        assert_refused(await theirs.get(f"{path}/{ids[0]}"), 404, 520041)
        assert_refused(await theirs.get(path), 404, 520041)
