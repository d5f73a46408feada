"""What has to come of an operation of the Memory API: what is answered, and what is there afterwards."""

from collections.abc import Callable
from typing import Any

import pytest
from twilio.base.exceptions import TwilioRestException

from tests.contract.cases import value
from tests.support.sdk_memory import COLUMNS, Memories

Check = Callable[[Memories, Any], None]
"""Given what there is, and the resource (or the list of them) that an SDK made of the answer."""

RULES = ["email", "whatsapp", "phone", "chat", "userId"]


def done(changed: Callable[[Memories], Any], expected: Callable[[Memories], Any]) -> Check:
    """A 202 with its message, and what is there now."""

    def check(memories: Memories, found: Any) -> None:
        assert value(found, "message")
        assert changed(memories) == expected(memories)

    return check


def accepted(changed: Callable[[Memories], Any], expected: Any) -> Check:
    """The same of the control plane, where it also names an operation."""

    def check(memories: Memories, found: Any) -> None:
        done(changed, lambda _: expected)(memories, found)
        operation = operation_of(memories, found)
        assert (operation.status, operation.result["type"]) == ("COMPLETED", "RESOURCE_ID")

    return check


def gone(again: Callable[[Memories], Any]) -> Check:
    """What was there is a 404."""

    def check(memories: Memories, found: Any) -> None:
        assert found
        with pytest.raises(TwilioRestException) as unknown:
            again(memories)
        assert unknown.value.status == 404

    return check


def nothing(_: Memories, found: Any) -> None:
    """What is left out brings nothing."""
    assert found == []


def equals(expected: Callable[[Memories], list[str]]) -> Check:
    """A list of ids that are text."""

    def check(memories: Memories, found: Any) -> None:
        assert found == expected(memories)

    return check


def shows(name: str, *expected: Any) -> Check:
    """A list of resources with these values of a field."""

    def check(_: Memories, found: Any) -> None:
        assert [value(one, name) for one in found] == list(expected)

    return check


def operation_of(memories: Memories, found: Any) -> Any:
    return memories.v1.operations(value(found, "statusUrl").rpartition("/")[2]).fetch()


def a_store(memories: Memories, found: Any) -> None:
    """It is there; and then it is not, for an account has few."""
    assert value(found, "message")
    store = memories.v1.stores(operation_of(memories, found).result["id"])
    assert store.fetch().status == "ACTIVE"
    store.delete()


def described(memories: Memories) -> Any:
    return memories.v1.stores(memories.store_id).fetch().description


def rules(memories: Memories) -> Any:
    return memories.v1.identity_resolution_settings(memories.store_id).fetch().matching_rules


def traits_of_group(memories: Memories) -> list[str]:
    found = memories.v1.trait_groups(memories.store_id, memories.trait_group).fetch()
    return sorted(found.trait_group["traits"])


def a_group(memories: Memories, found: Any) -> None:
    accepted(lambda _: None, None)(memories, found)
    made = memories.v1.trait_groups(memories.store_id).list(page_size=1, limit=1)
    assert [one.description for one in made] == ["Likes"]


def the_group(_: Memories, found: Any) -> None:
    shown = value(found, "traitGroup")
    assert (shown["description"], shown["version"], list(shown["traits"])) == ("Likes", 1, ["drink"])


def both_groups(memories: Memories, found: Any) -> None:
    assert [value(one, "displayName") for one in found] == [memories.trait_group, "Contact"]


def city(memories: Memories) -> Any:
    return memories.profile.traits["Contact"].get("city")


def a_profile(memories: Memories, found: Any) -> None:
    """The person's, who has a city now."""
    assert value(found, "message")
    assert (value(found, "id"), city(memories)) == (memories.profile_id, "Oslo")


def the_profile(memories: Memories, found: Any) -> None:
    assert value(found, "id") == memories.profile_id
    assert value(found, "traits") == {"Contact": {"phone": memories.phone, "firstName": "Kiran"}}
    assert value(found, "createdAt")


def a_lookup(memories: Memories, found: Any) -> None:
    assert (value(found, "normalizedValue"), value(found, "profiles")) == (memories.phone, [memories.profile_id])


def the_identifiers(memories: Memories, found: Any) -> None:
    assert [(value(one, "idType"), value(one, "values")) for one in found] == [("phone", [memories.phone])]


def the_identifier(memories: Memories, found: Any) -> None:
    the_identifiers(memories, [found])


def a_recall(_: Memories, found: Any) -> None:
    assert [(one["content"], one["score"]) for one in value(found, "observations")] == [("likes tea", 1)]
    assert (value(found, "summaries"), value(found, "communications")) == ([], [])
    assert value(found, "meta")["queryTime"] >= 0


def an_import(memories: Memories, found: Any) -> None:
    import_id = value(found, "importId")
    made = memories.v1.imports(memories.store_id)(import_id).fetch()
    assert (made.status, made.file_size, made.column_mappings) == ("PENDING", 100, COLUMNS)
    assert import_id in value(found, "url")
