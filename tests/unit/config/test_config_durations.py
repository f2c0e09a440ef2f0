"""Durations as a user writes them."""

from datetime import timedelta

import pytest

from syncd.config import parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0), ("30s", 30), ("5m", 300), ("2h", 7200), ("1d", 86400), ("2w", 14 * 86400), ("6y", 6 * 365 * 86400)],
)
def test_a_duration_is_a_whole_number_and_a_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "5", "m", "5 m", "-5m", "1.5h", "5M", "1h30m", "5m\n", "\u0665m", "5ms", "1e3s"])
def test_anything_else_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_a_duration_that_no_date_could_bear_is_refused() -> None:
    assert parse_duration("100y") == timedelta(days=36500)
    for text in ("101y", "9999999999d", "9999999999y"):
        with pytest.raises(ValueError, match="longer than 100 years"):
            parse_duration(text)
