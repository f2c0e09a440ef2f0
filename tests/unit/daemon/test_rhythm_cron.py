"""When a crontab is due, against a second telling that looks at every minute of the wall clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property
from random import Random
from zoneinfo import ZoneInfo

import pytest

from syncd.config import Crontab
from syncd.daemon.rhythm import CRON_SPREAD, Cron

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

ZONES = {
    "Europe/London": 2026,
    "America/New_York": 2026,
    "Australia/Lord_Howe": 2026,  # half an hour
    "Asia/Beirut": 2026,  # at midnight: an hour of the day before comes twice, the day after begins at one
    "America/Havana": 2026,  # likewise, the other way round
    "Antarctica/Troll": 2026,  # two hours
    "Africa/Casablanca": 2026,  # winter time in Ramadan
    "Asia/Kolkata": 2026,  # no change
    "Pacific/Apia": 2011,  # a whole day left out
}
"""Of each a year in which clocks change, where they do."""


@dataclass(frozen=True)
class Times:
    """A crontab, and whether it means a time of day, as one reads it."""

    crontab: str
    mean: Callable[[datetime], bool]
    all_day: bool = False
    """It runs in all 24 hours, so that it goes by the time that passes."""


TIMES = [
    Times("*/20 * * * *", lambda t: t.minute % 20 == 0, all_day=True),
    Times("7 * * * *", lambda t: t.minute == 7, all_day=True),
    Times("45 * * * sun", lambda t: t.minute == 45 and t.isoweekday() == 7, all_day=True),
    Times("15 */1 1-7 * 6", lambda t: t.minute == 15 and (t.day <= 7 or t.isoweekday() == 6), all_day=True),
    Times("30 2 * * *", lambda t: (t.hour, t.minute) == (2, 30)),
    Times("0,15,30 0-3 * * *", lambda t: t.hour <= 3 and t.minute in (0, 15, 30)),
    Times("*/5 8-20 * * mon-fri", lambda t: t.minute % 5 == 0 and 8 <= t.hour <= 20 and t.isoweekday() <= 5),
    Times("10 1 * * 7", lambda t: (t.hour, t.minute) == (1, 10) and t.isoweekday() == 7),
    Times("40 23,0 * * *", lambda t: t.hour in (23, 0) and t.minute == 40),
    Times("0 12 13 * fri", lambda t: (t.hour, t.minute) == (12, 0) and (t.day == 13 or t.isoweekday() == 5)),
    Times("0 6 */2 * mon", lambda t: (t.hour, t.minute) == (6, 0) and t.day % 2 == 1 and t.isoweekday() == 1),
]


@dataclass(frozen=True)
class Window:
    """Minutes of the time that passes, around a change where there is one."""

    zone: ZoneInfo
    begin: datetime
    end: datetime

    @cached_property
    def minutes(self) -> list[tuple[datetime, list[datetime], bool]]:
        """Each minute, the times of day that came with it, and whether the wall clock had shown it before.

        More than one time of day comes with a minute at which the clock was set forward: those that were left out.
        """
        found: list[tuple[datetime, list[datetime], bool]] = []
        newest = self._wall(self.begin - MINUTE)
        for number in range((self.end - self.begin) // MINUTE):
            moment = self.begin + number * MINUTE
            wall = self._wall(moment)
            passed = [newest + MINUTE * n for n in range(1, (wall - newest) // MINUTE + 1)]
            found.append((moment, passed or [wall], not passed))
            newest = max(newest, wall)
        return found

    def _wall(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)


@cache
def windows(zone: str) -> list[Window]:
    """Return the days around each change of a zone's year, or some of its days where there is none."""
    info = ZoneInfo(zone)
    begin = datetime(ZONES[zone], 1, 1, tzinfo=UTC)
    hours = [begin + n * HOUR for n in range(366 * 24)]
    offsets = [hour.astimezone(info).utcoffset() for hour in hours]
    changes = [hour for hour, before, after in zip(hours, offsets, offsets[1:], strict=False) if before != after]
    return [Window(info, hour - 1.5 * DAY, hour + 1.5 * DAY) for hour in changes or [begin]]


@cache
def due(times: Times, window: Window) -> list[datetime]:
    """Return the minutes in a window at which a crontab is due."""
    return [
        moment
        for moment, walls, again in window.minutes
        if (times.mean(walls[-1]) if times.all_day else not again and any(map(times.mean, walls)))
    ]


def cron(times: str, zone: ZoneInfo, place: float = 0) -> Cron:
    return Cron(Crontab.parse(times), zone, place)


@pytest.mark.parametrize("times", TIMES, ids=lambda times: times.crontab)
@pytest.mark.parametrize("zone", ZONES)
def test_each_time_of_a_crontab_comes_once_also_where_clocks_change(zone: str, times: Times) -> None:
    for window in windows(zone):
        expected, found = due(times, window), []
        rhythm = cron(times.crontab, window.zone)
        moment = window.begin - MICROSECOND
        while (moment := rhythm.after(moment)) < window.end:
            found.append(moment)
        assert found == expected, window


@pytest.mark.parametrize("zone", ZONES)
def test_the_next_time_follows_from_the_moment_alone(zone: str) -> None:
    chance = Random(zone)
    for window in windows(zone):
        for times in TIMES:
            expected, rhythm = due(times, window), cron(times.crontab, window.zone)
            for _ in range(20 if expected else 0):
                moment = window.begin - MICROSECOND + chance.random() * (expected[-1] - window.begin)
                assert rhythm.after(moment) == next(time for time in expected if time > moment), (moment, times)


def test_a_daily_time_in_the_hour_that_is_left_out_or_comes_twice_is_kept_once() -> None:
    rhythm = cron("30 2 * * *", ZoneInfo("Europe/Berlin"))
    assert rhythm.after(datetime(2026, 3, 28, 12, tzinfo=UTC)) == datetime(2026, 3, 29, 1, tzinfo=UTC)
    assert rhythm.after(datetime(2026, 3, 29, 1, tzinfo=UTC)) == datetime(2026, 3, 30, 0, 30, tzinfo=UTC)
    assert rhythm.after(datetime(2026, 10, 24, 12, tzinfo=UTC)) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert rhythm.after(datetime(2026, 10, 25, 0, 30, tzinfo=UTC)) == datetime(2026, 10, 26, 1, 30, tzinfo=UTC)


def test_weekdays_count_from_sunday_as_in_every_crontab_and_seven_is_sunday_too() -> None:
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    for field, days in (("0", 6), ("7", 6), ("sun", 6), ("1", 0), ("mon", 0), ("6", 5), ("5-7", 4)):
        found = cron(f"0 9 * * {field}", ZoneInfo("UTC")).after(monday)
        assert found == monday + timedelta(days=days, hours=9), field


def test_a_monthly_time_and_a_leap_day_are_found_however_far_ahead() -> None:
    utc = ZoneInfo("UTC")
    assert cron("0 0 31 * *", utc).after(datetime(2026, 1, 31, tzinfo=UTC)) == datetime(2026, 3, 31, tzinfo=UTC)
    assert cron("5 4 29 2 *", utc).after(datetime(2024, 3, 1, tzinfo=UTC)) == datetime(2028, 2, 29, 4, 5, tzinfo=UTC)
    assert cron("* * 29 feb *", utc).after(datetime(2024, 3, 1, tzinfo=UTC)) == datetime(2028, 2, 29, tzinfo=UTC)


@pytest.mark.parametrize("place", [0.0, 0.25, 0.999])
def test_a_campaign_is_always_as_much_later_as_its_place_says(place: float) -> None:
    london = ZoneInfo("Europe/London")
    for times in ("*/20 * * * *", "30 1 * * *"):
        early, late = cron(times, london), cron(times, london, place)
        first = moment = datetime(2026, 10, 24, 23, 59, tzinfo=UTC)
        for _ in range(12):
            first, moment = early.after(first), late.after(moment)
            assert moment - first == CRON_SPREAD * place
