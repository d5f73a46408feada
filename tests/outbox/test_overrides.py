"""What the fragment of a callback URL asks for (contract: section 8.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.outbox.overrides import LONGEST_ATTEMPT, Overrides, overrides

URL = "https://hooks.example.com/a?ct=1"


@pytest.mark.parametrize(
    ("fragment", "wanted"),
    [
        ("", Overrides()),
        ("#ct=2000&rt=500&tt=2500&rc=2", Overrides(2.0, 0.5, 2.5, 2)),
        ("#rc=0", Overrides(retries=0)),
        ("#ct=1&rt=99999&tt=0&rc=100", Overrides(0.1, 15.0, 0.1, 5)),
        ("#ct=-5&rt=1.5&tt=&rc=x", Overrides()),
        ("#rp=all&edge=ashburn&CT=2000", Overrides()),
        ("#section", Overrides()),
    ],
)
def test_the_fragment(fragment: str, wanted: Overrides) -> None:
    assert overrides(URL + fragment) == wanted


@given(st.text())
def test_any_fragment_stays_within_the_bounds(text: str) -> None:
    found = overrides(f"{URL}#{text}")
    assert (found.connect or 0) + (found.read or 0) <= LONGEST_ATTEMPT
    assert 0 <= (found.retries or 0) <= 5
