"""When a campaign is due: its place in the interval, and how long it waits after failures."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from random import Random
from zoneinfo import ZoneInfo

import pytest

from syncd.config import CampaignSettings
from syncd.daemon.rhythm import CRON_SPREAD, Cron, Rhythm, after_failures, interval, rhythm

NOW = datetime(2026, 11, 24, 2, 41, 7, tzinfo=UTC)


def campaign(number: int = 125, name: str = "renewals", **settings: object) -> CampaignSettings:
    given = {"name": name, "id": number, "tenant": "acme", "source": "crm", "query": "SELECT 1"}
    return CampaignSettings(**given, **settings)  # type: ignore[arg-type]


def every(**span: float) -> Rhythm:
    return rhythm(campaign(every=timedelta(**span)), "acmecorp01")


def waits(of: Rhythm, *, outage: bool, failures: int = 12) -> list[timedelta]:
    """Return how long a campaign waits that fails again and again, the passes themselves taking no time."""
    moments = [of.after(NOW)]
    for number in range(1, failures + 1):
        moments.append(after_failures(of, moments[-1], number, outage=outage))
    return [after - before for before, after in pairwise(moments)]


def test_an_interval_counts_from_start_to_start_and_does_not_drift_however_late_one_asks() -> None:
    chance, due = Random(1), every(minutes=5)
    moments = [due.after(NOW)]
    for _ in range(1000):
        moments.append(due.after(moments[-1] + chance.random() * timedelta(seconds=299)))
    assert {after - before for before, after in pairwise(moments)} == {timedelta(minutes=5)}


def test_late_runs_are_one_and_the_next_is_at_its_own_time() -> None:
    due = every(minutes=5)
    first = due.after(NOW)
    assert due.after(first + timedelta(hours=3, seconds=1)) == first + timedelta(hours=3, minutes=5)


def test_a_time_is_after_the_moment_and_never_the_moment_itself() -> None:
    for due in (every(minutes=1), Cron(rhythm(campaign(cron="* * * * *"), "a").crontab, ZoneInfo("UTC"), 0.5)):
        moment = due.after(NOW)
        assert due.after(moment) == moment + timedelta(minutes=1)
        assert due.after(moment - timedelta(microseconds=1)) == moment


@pytest.mark.parametrize("settings", [{"every": timedelta(minutes=1)}, {"cron": "*/5 * * * *"}])
def test_fifty_campaigns_of_one_schedule_are_spread_and_no_two_begin_together(settings: dict[str, object]) -> None:
    span = CRON_SPREAD if "cron" in settings else timedelta(minutes=1)
    due = sorted(rhythm(campaign(number, **settings), "acmecorp01").after(NOW) for number in range(100, 150))
    assert due[-1] - due[0] < span
    most = max(sum(begin <= moment < begin + span / 10 for moment in due) for begin in due)
    assert most <= 14, "a tenth of the time has about a tenth of the campaigns"
    assert len(set(due)) == 50


def test_the_place_follows_from_the_identity_whatever_the_section_is_called() -> None:
    of = rhythm(campaign(name="renewals", every=timedelta(hours=1)), "acmecorp01")
    assert rhythm(campaign(name="renamed", every=timedelta(hours=1)), "acmecorp01") == of
    assert rhythm(campaign(126, every=timedelta(hours=1)), "acmecorp01") != of
    assert rhythm(campaign(every=timedelta(hours=1)), "acmecorp02") != of


def test_a_cron_counts_in_the_time_zone_of_the_campaign() -> None:
    due = rhythm(campaign(cron="0 9 * * *", timezone=ZoneInfo("America/New_York")), "acmecorp01").after(NOW)
    assert timedelta() <= due - datetime(2026, 11, 24, 14, tzinfo=UTC) < CRON_SPREAD


def test_a_campaign_that_fails_waits_one_two_four_and_then_eight_intervals_for_ever() -> None:
    minutes = [wait / timedelta(minutes=1) for wait in waits(every(minutes=5), outage=False, failures=12)]
    assert minutes == [5, 10, 20, *[40] * 9]


def test_a_campaign_of_long_intervals_waits_no_more_than_an_hour_beyond_one() -> None:
    assert set(waits(every(hours=6), outage=False)) == {timedelta(hours=6)}
    assert max(waits(every(minutes=20), outage=False)) == timedelta(minutes=80)


def test_a_cron_that_fails_keeps_to_its_times() -> None:
    nightly = Cron(rhythm(campaign(cron="0 2 * * *"), "a").crontab, ZoneInfo("UTC"), 0)
    assert {moment.total_seconds() for moment in waits(nightly, outage=False)} <= {86400.0, 2 * 86400.0}
    assert waits(nightly, outage=True) == [timedelta(days=1)] * 12


@pytest.mark.parametrize("interval_", [timedelta(seconds=5), timedelta(seconds=30), timedelta(minutes=5)])
def test_after_an_outage_the_campaign_is_tried_within_15_seconds_or_its_interval(interval_: timedelta) -> None:
    of = rhythm(campaign(every=interval_), "acmecorp01")
    assert max(waits(of, outage=True)) <= max(interval_, timedelta(seconds=15))


def test_an_interval_is_told_of_either_kind_of_schedule() -> None:
    assert interval(every(minutes=7), NOW) == timedelta(minutes=7)
    of = rhythm(campaign(cron="0 9 * * mon"), "acmecorp01")
    assert interval(of, NOW) == timedelta(days=7)
