"""Standing: when a campaign's pass is overdue."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from syncd.config import CampaignSettings
from syncd.state.standing import Standing
from syncd.words import Condition

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query="", every=timedelta(minutes=10))
BY_CRON = replace(SETTINGS, every=None, cron="0 8 * * mon-fri")


def standing(*, ended: float | None = None, due: float | None = None, running: bool = False) -> Standing:
    """Return a campaign whose last pass ended, and whose next one was due, so many minutes ago."""
    return Standing(
        Condition.OK,
        due_at=None if due is None else NOW - timedelta(minutes=due),
        ended_at=None if ended is None else NOW - timedelta(minutes=ended),
        running=running,
    )


def test_a_pass_that_nothing_planned_is_overdue_after_three_times_every() -> None:
    assert not standing(ended=30).overdue(SETTINGS, NOW)
    assert standing(ended=30.1).overdue(SETTINGS, NOW)
    assert standing().overdue(SETTINGS, NOW)


def test_a_planned_pass_is_overdue_with_twice_every_to_spare() -> None:
    assert not standing(ended=500, due=20).overdue(SETTINGS, NOW)
    assert standing(ended=500, due=20.1).overdue(SETTINGS, NOW)
    assert not standing(ended=500, due=-300).overdue(SETTINGS, NOW)


def test_a_pass_that_runs_is_not_overdue_however_long_it_takes() -> None:
    assert not standing(ended=5000, due=4000, running=True).overdue(SETTINGS, NOW)


def test_a_campaign_by_cron_is_overdue_only_once_its_next_pass_is_planned() -> None:
    assert not standing(ended=3 * 24 * 60).overdue(BY_CRON, NOW)
    assert not standing(ended=500, due=10).overdue(BY_CRON, NOW)
    assert standing(ended=500, due=10.1).overdue(BY_CRON, NOW)
