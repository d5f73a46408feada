"""Fields that requests share: what text and what times are, and how a wrong field is refused."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from orchestrator.kernel.clock import rest_time
from orchestrator.kernel.errors import BadRequest
from orchestrator.kernel.fields import Moment, Text, refused

TEXT: TypeAdapter[str] = TypeAdapter(Text)
MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)

FIRST = datetime(1000, 1, 1)  # noqa: DTZ001 - Hypothesis wants it without a time zone
LAST = datetime(9998, 12, 31, 23, 59, 59)  # noqa: DTZ001 - likewise
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))


def read(text: Any) -> datetime:
    return MOMENT.validate_python(text)


def expected(error: pytest.ExceptionInfo[ValidationError]) -> str:
    """What the first error says."""
    return str(error.value.errors()[0]["msg"])


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])))
def test_text_stays_as_it_is(text: str) -> None:
    assert TEXT.validate_python(text) == text


@given(st.text(), st.sampled_from("\x00\ud800\udbff\udc00\udfff"), st.text())
def test_text_that_cannot_be_stored(before: str, character: str, after: str) -> None:
    with pytest.raises(ValidationError, match="must not hold"):
        TEXT.validate_python(before + character + after)


@pytest.mark.parametrize("value", [None, 5, 0.5, True, ["a"], {"a": "b"}])
def test_only_text_is_text(value: Any) -> None:
    with pytest.raises(ValidationError):
        TEXT.validate_python(value)


@given(st.datetimes(FIRST, LAST, timezones=OFFSETS))
def test_a_moment_is_the_same_one_in_utc(moment: datetime) -> None:
    assume(FIRST <= moment.astimezone(UTC).replace(tzinfo=None) <= LAST)
    found = read(moment.isoformat())
    assert found == moment
    assert found.tzinfo is UTC
    assert len(rest_time(found)) == len("2026-02-03T09:15:04Z")
    assert read(rest_time(found)) == found.replace(microsecond=0)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-02-03T09:15:04Z", datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)),
        ("2026-02-03T09:15:04.387426051z", datetime(2026, 2, 3, 9, 15, 4, 387_426, tzinfo=UTC)),
        ("2026-02-03T09:15+05:30", datetime(2026, 2, 3, 3, 45, tzinfo=UTC)),
        ("2026-02-03 09:15:04-00:00", datetime(2026, 2, 3, 9, 15, 4, tzinfo=UTC)),
    ],
)
def test_ways_to_write_a_moment(text: str, moment: datetime) -> None:
    assert read(text) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        0,
        1_770_110_104,
        1_770_110_104.5,
        True,
        "",
        "now",
        "0",
        "1770110104",
        "1770110104.5",
        "-1770110104",
        "2026",
        "2026-02-03",
        "2026-02-03T09:15:04",
        "2026-02-30T09:15:04Z",
        "2026-02-03T24:00:01Z",
        "2026-02-03T09:15:04+25:00",
        "02026-02-03T09:15:04Z",
        "٢٠٢٦-02-03T09:15:04Z",
        "2026-02-03T09:15:04Z\x00",
        datetime(2026, 2, 3, tzinfo=UTC),
    ],
)
def test_what_is_no_moment(value: Any) -> None:
    with pytest.raises(ValidationError):
        read(value)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "0999-12-31T23:59:59.999999Z",
        "1000-01-01T00:59:59+01:00",
        "9998-12-31T23:00:00-01:00",
        "9999-01-01T00:00:00Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_years_that_some_clients_cannot_write(text: str) -> None:
    with pytest.raises(ValidationError) as error:
        read(text)
    assert expected(error).endswith("the year must be from 1000 to 9998")


@pytest.mark.parametrize("text", ["1000-01-01T00:00:00Z", "0999-12-31T23:00:00-01:00", "9999-01-01T00:59:59+01:00"])
def test_the_first_and_the_last_year_are_those_in_utc(text: str) -> None:
    assert len(rest_time(read(text))) == len("2026-02-03T09:15:04Z")


def test_a_refusal_names_the_field() -> None:
    error = refused("/recipients/0/address", "is no address", "+12")
    assert isinstance(error, BadRequest)
    assert error.body() == {
        "code": 20001,
        "message": "/recipients/0/address: is no address",
        "more_info": "https://www.twilio.com/docs/errors/20001",
        "status": 400,
        "httpStatusCode": 400,
        "userError": True,
        "params": {"field": "/recipients/0/address", "value": "+12"},
        "details": {"errors": [{"pointer": "/recipients/0/address", "message": "is no address"}]},
    }
