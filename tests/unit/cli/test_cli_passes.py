"""Of several campaigns, the gravest exit status; of a listing, whether there is time for it."""

from datetime import timedelta
from itertools import permutations

import pytest

from syncd.cli.check.tenants import listing_advice, listing_time
from syncd.cli.passes import gravest
from syncd.config import CampaignSettings
from syncd.words import Exit


def test_the_gravest_status_is_that_of_the_command_whatever_the_order() -> None:
    order = (Exit.FAILED, Exit.BLOCKED, Exit.HELD, Exit.PARTIAL, Exit.LOCKED, Exit.GOOD)
    for first, second in permutations(order, 2):
        assert gravest([first, second]) is min(first, second, key=order.index)
    assert gravest([]) is Exit.GOOD
    assert gravest([Exit.CHANGES_PENDING, Exit.GOOD]) is Exit.CHANGES_PENDING
    assert gravest([Exit.CHANGES_PENDING, Exit.HELD]) is Exit.HELD


def test_a_million_records_take_half_an_hour_at_ten_requests_a_second() -> None:
    assert listing_time(1_000_000, 10) == timedelta(seconds=2000)
    assert listing_time(0, 10) == timedelta()
    assert listing_time(51, 1) == timedelta(seconds=2)


def campaign(**settings: timedelta | str) -> CampaignSettings:
    return CampaignSettings(name="renewals", id=1, tenant="t", source="s", query="q", **settings)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "minutes", "advised"),
    [
        ({}, 4, ""),
        ({}, 6, 'that is longer than every: set list_every = "15m"'),
        ({"list_every": timedelta(hours=1)}, 33, ""),
        ({"list_every": timedelta(minutes=30)}, 33, 'that is longer than list_every: set list_every = "2h"'),
        ({"list_every": timedelta(hours=1)}, 10_000, 'that is longer than list_every: set list_every = "1d"'),
        ({"cron": "0 8 * * *"}, 600, ""),
    ],
)
def test_a_listing_for_which_there_is_no_time_is_advised_against(
    settings: dict[str, timedelta | str], minutes: int, advised: str
) -> None:
    advice = listing_advice(campaign(**settings), timedelta(minutes=minutes))
    assert advice.startswith(advised)
    assert bool(advice) == bool(advised)
