"""Who somebody is, by the identifiers they come with."""

from hypothesis import given
from hypothesis import strategies as st

from orchestrator.domain.identifiers import TYPES, IdentifierType, IdentitySettings
from orchestrator.domain.identity import Identifier
from orchestrator.domain.matching import matches, others

SHARED = {name: IdentifierType(name, enforce_unique=False) for name in ("tenant", "member", "seat")}
SETTINGS = IdentitySettings({**IdentitySettings().types, **SHARED}, (*TYPES, "tenant", "member"))
PHONE, MAIL = Identifier("phone", "+15551234567"), Identifier("email", "k@example.com")
TENANT, OTHER_TENANT = Identifier("tenant", "t1"), Identifier("tenant", "t2")
MEMBER, SEAT = Identifier("member", "m1"), Identifier("seat", "s1")
ALL = [PHONE, MAIL, TENANT, OTHER_TENANT, MEMBER, SEAT]


def test_nobody_has_them() -> None:
    assert matches(SETTINGS, ALL, {}) == set()


def test_values_that_belong_to_one_profile_decide() -> None:
    assert matches(SETTINGS, [PHONE, MAIL], {PHONE: {"a"}}) == {"a"}
    assert matches(SETTINGS, [PHONE, MAIL], {PHONE: {"a"}, MAIL: {"b"}}) == {"a", "b"}
    assert matches(SETTINGS, [PHONE, TENANT, MEMBER], {PHONE: {"z"}, TENANT: {"a"}, MEMBER: {"a"}}) == {"z"}


def test_two_shared_values_of_different_types_name_somebody() -> None:
    assert matches(SETTINGS, [TENANT], {TENANT: {"a"}}) == set()
    assert matches(SETTINGS, [TENANT, OTHER_TENANT], {TENANT: {"a"}, OTHER_TENANT: {"a"}}) == set()
    assert matches(SETTINGS, [TENANT, MEMBER], {TENANT: {"a", "b"}, MEMBER: {"b", "c"}}) == {"b"}
    assert matches(SETTINGS, [TENANT, MEMBER], {TENANT: {"a", "b"}, MEMBER: {"b", "a"}}) == {"a"}


def test_types_without_a_rule_do_not_count() -> None:
    assert matches(SETTINGS, [TENANT, SEAT], {TENANT: {"a"}, SEAT: {"a"}}) == set()
    unruled = IdentitySettings(rules=("email",))
    assert matches(unruled, [PHONE], {PHONE: {"a"}}) == set()
    assert others(unruled, "b", [PHONE], {PHONE: {"a"}}) == set()


holders = st.dictionaries(st.sampled_from(ALL), st.sets(st.sampled_from("abc"), min_size=1))


@given(st.sets(st.sampled_from(ALL)), holders)
def test_whoever_is_in_the_way_has_a_value_that_is_not_shared(
    wanted: set[Identifier], held: dict[Identifier, set[str]]
) -> None:
    in_the_way = others(SETTINGS, "a", wanted, held)
    assert in_the_way == {
        one for identifier in (PHONE, MAIL) if identifier in wanted for one in held.get(identifier, ())
    } - {"a"}
    matched = matches(SETTINGS, wanted, held)
    assert in_the_way <= matched
    assert len(matched - in_the_way - {"a"}) <= 1
