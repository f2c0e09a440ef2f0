"""Crontab times."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import Crontab

WHOLE_WEEK = frozenset(range(7))


def test_the_five_fields_are_sets_of_numbers() -> None:
    crontab = Crontab.parse("*/15 8-20 1,15 jan-mar,12 mon-fri")
    assert crontab.minutes == {0, 15, 30, 45}
    assert crontab.hours == set(range(8, 21))
    assert crontab.days == {1, 15}
    assert crontab.months == {1, 2, 3, 12}
    assert crontab.weekdays == {1, 2, 3, 4, 5}
    assert not crontab.any_day
    assert not crontab.any_weekday


@pytest.mark.parametrize(
    ("field", "weekdays"),
    [
        ("*", WHOLE_WEEK),
        ("0", {0}),
        ("7", {0}),
        ("sun", {0}),
        ("SAT,Sun", {0, 6}),
        ("fri-sun", {5, 6, 0}),
        ("5-7", {5, 6, 0}),
        ("0-6", WHOLE_WEEK),
        ("mon-sun", WHOLE_WEEK),
        ("1-5/2", {1, 3, 5}),
    ],
)
def test_sunday_is_0_and_7_and_closes_the_week(field: str, weekdays: set[int]) -> None:
    assert Crontab.parse(f"0 9 * * {field}").weekdays == weekdays


def test_a_star_leaves_the_choice_of_the_day_to_the_other_field() -> None:
    crontab = Crontab.parse("0 9 * * mon")
    assert crontab.any_day
    assert not crontab.any_weekday
    crontab = Crontab.parse("0 9 1 * *")
    assert not crontab.any_day
    assert crontab.any_weekday


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("* * * *", "a crontab has five fields: minute, hour, day, month, weekday"),
        ("* * * * * *", "a crontab has five fields: minute, hour, day, month, weekday"),
        ("@daily", "a crontab has five fields: minute, hour, day, month, weekday"),
        ("60 * * * *", "the minute is not 0 to 59"),
        ("* 24 * * *", "the hour is not 0 to 23"),
        ("* * 0 * *", "the day is not 1 to 31"),
        ("* * * 13 *", "the month is not 1 to 12 or jan to dec"),
        ("* * * * 8", "the weekday is not 0 to 7 or sun to sat"),
        ("* * * * monday", "the weekday is not 0 to 7 or sun to sat"),
        ("*/0 * * * *", "the minute has a step that is not a number from 1"),
        ("*/x * * * *", "the minute has a step that is not a number from 1"),
        ("5/10 * * * *", "the minute has a step without a range"),
        ("50-10 * * * *", "the minute has a range that runs backwards"),
        ("1,,2 * * * *", "the minute is not 0 to 59"),
        ("-5 * * * *", "the minute is not 0 to 59"),
        ("² * * * *", "the minute is not 0 to 59"),
        ("0 0 31 feb,apr *", "no month of those given has such a day"),
    ],
)
def test_what_is_no_crontab_is_refused_with_the_field_that_is_wrong(text: str, why: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011  the whole sentence is compared
        Crontab.parse(text)
    assert str(caught.value) == why


def test_a_day_that_comes_round_only_in_leap_years_or_by_weekday_is_a_crontab() -> None:
    assert Crontab.parse("0 0 29 2 *").days == {29}
    assert Crontab.parse("0 0 31 2 mon").weekdays == {1}


@given(st.text(alphabet="0123456789*/-, sunmof", max_size=30))
def test_no_text_does_more_than_raise_value_error(text: str) -> None:
    try:
        crontab = Crontab.parse(text)
    except ValueError:
        return
    assert crontab.minutes
    assert crontab.weekdays <= WHOLE_WEEK
