"""What people read: every rule has its words, durations read as they are written in the configuration."""

from datetime import timedelta

import pytest

from syncd.report.words import RULES, duration, why
from syncd.words import Kind, Rule


def test_every_row_of_the_decision_table_has_words_of_its_own() -> None:
    assert set(RULES) == set(Rule)
    assert len(set(RULES.values())) == len(Rule)


def test_a_row_that_is_parked_says_so() -> None:
    assert why(Kind.ADD, Rule.NEW) == "needs a call, and is not in the campaign"
    assert why(Kind.PARK, Rule.NEW).startswith(why(Kind.ADD, Rule.NEW))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0s"), (0.4, "0s"), (59, "59s"), (300, "5m"), (5400, "1h 30m"), (86400, "1d"), (90061, "1d 1h")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert duration(timedelta(seconds=seconds)) == text
