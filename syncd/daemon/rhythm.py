"""Rhythm: when a campaign is due. Pure code over moments; whoever asks brings the time.

Every answer is derived from the moment that is asked about, not from the run before: late runs become one, a clock that
was set forward or back changes nothing but the next answer, and nothing drifts.

On days on which clocks change, a crontab that runs in all 24 hours goes by the time that passes: it runs in both of two
hours of one name, and an hour that is left out is none. Any other names times of the day, and each is kept once: the
first time that the clock shows it, or at the moment of the change where it is left out.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol
from zoneinfo import ZoneInfo

from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.combining import OrTrigger
from apscheduler.triggers.cron import CronTrigger

from syncd.config import CampaignSettings
from syncd.config.crontab import Crontab

CRON_SPREAD: Final = timedelta(seconds=30)
"""Campaigns with one crontab begin within so long, each at a place of its own."""

BACK_OFF: Final = 8
"""A campaign that fails is tried again after its interval times this at the latest."""

LONGEST_BACK_OFF: Final = timedelta(hours=1)
"""Beyond the interval: a campaign of a day is not left alone for eight."""

OUTAGE_BACK_OFF: Final = timedelta(seconds=12)
"""Beyond the interval, while something is out of reach: it is to be at work again within 15 s of its return."""

_MICROSECOND: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_WEEKDAYS: Final = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAY: Final = timedelta(days=1)


class Rhythm(Protocol):
    """When something is due, again and again."""

    def after(self, moment: datetime) -> datetime:
        """Return the first time after a moment, both aware."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Once in each interval, always at the same place in it."""

    interval: timedelta
    place: float
    """Where in the interval, 0 to 1."""

    def after(self, moment: datetime) -> datetime:
        start = _EPOCH + self.interval * self.place
        return start + ((moment - start) // self.interval + 1) * self.interval


@dataclass(frozen=True, slots=True)
class Cron:
    """At the times of a crontab in a time zone, each a little later, always by the same."""

    crontab: Crontab
    zone: ZoneInfo
    place: float
    """How much later, as a share of :data:`CRON_SPREAD`."""
    _times: BaseTrigger = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_times", _times(self.crontab))

    def after(self, moment: datetime) -> datetime:
        late = CRON_SPREAD * self.place
        moment = (moment - late).astimezone(UTC)
        all_day = len(self.crontab.hours) == 24
        return (self._passing(moment) if all_day else self._named(moment)) + late

    def _named(self, moment: datetime) -> datetime:
        """Return the next time of the day, each kept once."""
        wall = self._wall(moment)
        while True:
            wall = _next(self._times, wall)
            instant = self._first(wall)
            if instant > moment:
                return instant

    def _passing(self, moment: datetime) -> datetime:
        """Return the next time by the time that passes."""
        wall = self._wall(moment)
        following = _next(self._times, wall)
        ahead = min(following - wall, _DAY)
        if self._wall(moment + ahead) != wall + ahead:
            change = self._change(moment, moment + ahead)
            at = self._wall(change)
            return change if _next(self._times, at - _MICROSECOND) == at else self._passing(change)
        if wall + ahead < following:
            return self._passing(self._first(following - _DAY))
        return moment + ahead

    def _first(self, wall: datetime) -> datetime:
        """Return the first moment at which the wall clock shows a time, or has left it out."""
        instant = wall.replace(tzinfo=self.zone).astimezone(UTC)
        if self._wall(instant) == wall:
            return instant
        return self._change(wall.replace(tzinfo=self.zone, fold=1).astimezone(UTC), instant)

    def _change(self, low: datetime, high: datetime) -> datetime:
        """Return the moment between two at which the clocks are set."""
        before, after = int(low.timestamp()), int(high.timestamp()) + 1
        offset = low.astimezone(self.zone).utcoffset()
        while after - before > 1:
            middle = (before + after) // 2
            same = datetime.fromtimestamp(middle, self.zone).utcoffset() == offset
            before, after = (middle, after) if same else (before, middle)
        return datetime.fromtimestamp(after, UTC)

    def _wall(self, moment: datetime) -> datetime:
        """Return what the wall clock shows, without a zone."""
        return moment.astimezone(self.zone).replace(tzinfo=None, fold=0)


def rhythm(campaign: CampaignSettings, account: str) -> Rhythm:
    """Return when a campaign is due. Its place in the interval follows from its identity: all hosts agree on it."""
    digest = sha256(f"{account}\n{campaign.id}".encode()).digest()
    place = int.from_bytes(digest[:6]) / 2**48
    if campaign.cron is not None:
        return Cron(Crontab.parse(campaign.cron), campaign.timezone, place)
    assert campaign.every is not None  # noqa: S101 - settings have one of the two
    return Every(campaign.every, place)


def interval(rhythm: Rhythm, moment: datetime) -> timedelta:
    """Return how long it is from the next time to the one after it."""
    following = rhythm.after(moment)
    return rhythm.after(following) - following


def after_failures(rhythm: Rhythm, moment: datetime, failures: int, *, outage: bool) -> datetime:
    """Return when a campaign is tried again that has failed so many times in a row.

    After one interval, then two, four and eight. ``outage`` says that something was out of reach, which ends by itself:
    then after one interval, or as soon as :data:`OUTAGE_BACK_OFF` is over where the interval is shorter.
    """
    one = interval(rhythm, moment)
    wait = one * min(BACK_OFF, 2 ** min(max(failures, 1) - 1, 10))
    longest = max(one, OUTAGE_BACK_OFF) if outage else one + LONGEST_BACK_OFF
    # One interval is what the next time of the rhythm brings by itself.
    return rhythm.after(moment + min(wait, longest) - one)


def _times(crontab: Crontab) -> BaseTrigger:
    """Return the times of day of a crontab, told as if the wall clock showed UTC."""

    def listed(numbers: frozenset[int]) -> str:
        return ",".join(map(str, sorted(numbers)))

    def times(**days: str) -> CronTrigger:
        return CronTrigger(
            minute=listed(crontab.minutes),
            hour=listed(crontab.hours),
            month=listed(crontab.months),
            timezone=UTC,
            **days,
        )

    # By name: the scheduler counts weekdays from Monday, crontabs from Sunday.
    weekdays = ",".join(_WEEKDAYS[number] for number in sorted(crontab.weekdays))
    days = listed(crontab.days)
    if crontab.any_day or crontab.any_weekday:
        return times(day=days, day_of_week=weekdays)
    return OrTrigger([times(day=days), times(day_of_week=weekdays)])


def _next(times: BaseTrigger, wall: datetime) -> datetime:
    """Return the first time of day after one, neither with a zone."""
    after = wall.replace(tzinfo=UTC) + _MICROSECOND
    following: datetime | None = times.get_next_fire_time(None, after)
    assert following is not None  # noqa: S101 - the file takes no crontab without a day in it
    return following.replace(tzinfo=None)
