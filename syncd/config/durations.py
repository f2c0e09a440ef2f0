"""Durations as a user writes them: a whole number and a unit, like "30s", "5m", "2h", "1d"."""

import re
from datetime import timedelta

_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
    "y": timedelta(days=365),
}
_LONGEST = timedelta(days=100 * 365)


def parse_duration(text: str) -> timedelta:
    """Return the duration; a year has 365 days. Raise ValueError for anything else, and beyond 100 years."""
    match = re.fullmatch(r"([0-9]{1,10})([smhdwy])", text)
    if match is None:
        raise ValueError("not a duration")
    count, unit = int(match[1]), _UNITS[match[2]]
    if count > _LONGEST // unit:
        raise ValueError("longer than 100 years")
    return count * unit
