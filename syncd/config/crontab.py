"""Crontab times, "minute hour day month weekday", as sets of numbers."""

from dataclasses import dataclass
from typing import Final

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_LONGEST_MONTH = {month: 30 if month in (4, 6, 9, 11) else 29 if month == 2 else 31 for month in range(1, 13)}


@dataclass(frozen=True, slots=True)
class _Field:
    """The numbers that one of the five fields takes, and names for them."""

    what: str
    low: int
    high: int
    names: tuple[str, ...] = ()

    def numbers(self, text: str) -> frozenset[int]:
        return frozenset().union(*(self._part(part) for part in text.split(",")))

    def _part(self, part: str) -> frozenset[int]:
        span, slash, step_text = part.partition("/")
        step = self._step(step_text) if slash else 1
        if span == "*":
            return frozenset(range(self.low, self.high + 1, step))
        first_text, dash, last_text = span.partition("-")
        first = self._number(first_text)
        if not dash:
            if slash:
                raise ValueError(f"the {self.what} has a step without a range")
            return frozenset({first})
        last = self._number(last_text)
        if self.what == "weekday" and last == 0:
            last = 7  # fri-sun: as the end of a range Sunday is the last day, not the first
        if last < first:
            raise ValueError(f"the {self.what} has a range that runs backwards")
        return frozenset(range(first, last + 1, step))

    def _step(self, text: str) -> int:
        if not _is_number(text) or int(text) == 0:
            raise ValueError(f"the {self.what} has a step that is not a number from 1")
        return int(text)

    def _number(self, text: str) -> int:
        if text.lower() in self.names:
            return self.names.index(text.lower()) + self.low
        if not _is_number(text) or not self.low <= int(text) <= self.high:
            names = f" or {self.names[0]} to {self.names[-1]}" if self.names else ""
            raise ValueError(f"the {self.what} is not {self.low} to {self.high}{names}")
        return int(text)


_FIELDS: Final = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("weekday", 0, 7, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Crontab:
    """When a campaign is due, in its own time zone.

    ``weekdays`` count from 0, Sunday, to 6. Where both day and weekday are given, either one makes a day fit; where
    one of them is ``*`` (``any_day``, ``any_weekday``) the other decides.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    @classmethod
    def parse(cls, text: str) -> "Crontab":
        """Return the times that ``text`` means. Raise ValueError saying which field is wrong, or that no day fits."""
        fields = text.split()
        if len(fields) != len(_FIELDS):
            raise ValueError("a crontab has five fields: minute, hour, day, month, weekday")
        minutes, hours, days, months, weekdays = (
            field.numbers(part) for field, part in zip(_FIELDS, fields, strict=True)
        )
        crontab = cls(
            minutes=minutes,
            hours=hours,
            days=days,
            months=months,
            weekdays=frozenset(weekday % 7 for weekday in weekdays),
            any_day=fields[2].startswith("*"),
            any_weekday=fields[4].startswith("*"),
        )
        if crontab.any_weekday and min(days) > max(_LONGEST_MONTH[month] for month in months):
            raise ValueError("no month of those given has such a day")
        return crontab


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 4
