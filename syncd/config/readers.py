"""Readers of single values: each takes what TOML made of a value and returns what it means.

Each raises SettingError saying what is wrong. None repeats the value, which may be a secret in the wrong place.
"""

import math
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any, Final, TypeVar

from syncd.config.crontab import Crontab
from syncd.config.durations import parse_duration
from syncd.config.problems import Fault, SettingError
from syncd.vendor import Disposition

Reader = Callable[[Any], Any]
Text = TypeVar("Text", bound=str)

_LARGEST: Final = 2**31 - 1
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
}


def must_be(need: str, value: object) -> SettingError:
    """Return the error for a value of the wrong type."""
    return SettingError(Fault(f"must be {need}, not {_KINDS.get(type(value), 'a date or time')}"))


def text(value: object) -> str:
    """Return a text of one line that says something."""
    line = query(value)
    if _CONTROL.search(line):
        raise SettingError(Fault("contains a line end or another control character"))
    return line


def query(value: object) -> str:
    """Return a text of any number of lines that says something."""
    if not isinstance(value, str):
        raise must_be("a text in quotes", value)
    if not value.strip():
        raise SettingError(Fault("is empty"))
    if "\0" in value:
        raise SettingError(Fault("contains a null character"))
    return value


def flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise must_be("true or false without quotes", value)
    return value


def whole(low: int, high: int = _LARGEST) -> Reader:
    """Return a reader of whole numbers within limits, both included."""

    def read(value: object) -> int:
        if isinstance(value, bool) or not isinstance(value, int):
            raise must_be("a whole number without quotes", value)
        _within(value, low, high)
        return value

    return read


def number(low: float, high: float) -> Reader:
    """Return a reader of numbers within limits, both included."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise must_be("a number without quotes", value)
        if isinstance(value, float) and math.isnan(value):
            raise SettingError(Fault("is not a number"))
        _within(value, low, high)
        return value

    return read


def percent(value: object) -> float:
    """Return a share of a whole, 0 to 100."""
    if isinstance(value, int | float) and value > 100:
        raise SettingError(Fault("is a share of a whole and cannot be more than 100"))
    return number(0, 100)(value)  # type: ignore[no-any-return]


def _within(value: float, low: float, high: float) -> None:
    if value < low:
        raise SettingError(Fault("must not be negative" if low == 0 else f"must be at least {low}"))
    if value > high:
        raise SettingError(Fault(f"must be at most {high:g}" if isinstance(high, float) else f"must be at most {high}"))


def duration(low: str = "1s") -> Reader:
    """Return a reader of durations that are no shorter than ``low``."""
    shortest = parse_duration(low)

    def read(value: object) -> timedelta:
        if not isinstance(value, str):
            raise must_be("a duration in quotes", value)
        try:
            length = parse_duration(value)
        except ValueError as error:
            raise SettingError(Fault(f"is {error}")) from None
        if length < shortest:
            raise SettingError(Fault(f"must be at least {low}"))
        return length

    return read


def choice(options: Iterable[Text]) -> Reader:
    """Return a reader of one of a few words."""
    by_word = {str(option): option for option in options}
    listed = " or ".join(f'"{word}"' for word in by_word)

    def read(value: object) -> Text:
        if not isinstance(value, str):
            raise must_be("a text in quotes", value)
        if value not in by_word:
            raise SettingError(Fault("is not one of its choices", f"write {listed}"))
        return by_word[value]

    return read


def list_of(read_one: Reader) -> Reader:
    """Return a reader of lists, each element read by ``read_one``."""

    def read(value: object) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise must_be("a list in brackets", value)
        found, faults = [], []
        for index, element in enumerate(value):
            try:
                found.append(read_one(element))
            except SettingError as error:
                faults += [Fault(fault.wrong, fault.right, (index, *fault.within)) for fault in error.faults]
        if faults:
            raise SettingError(*faults)
        return tuple(found)

    return read


def timezone(value: object) -> zoneinfo.ZoneInfo:
    name = text(value)
    try:
        return zoneinfo.ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise SettingError(Fault("is not a time zone of this machine's database")) from None


def crontab(value: object) -> str:
    """Return a crontab that comes round; see :class:`Crontab` for what it means."""
    line = text(value)
    try:
        Crontab.parse(line)
    except ValueError as error:
        raise SettingError(Fault(f"is not a time to run at: {error}")) from None
    return line


def identifier(value: object) -> str:
    """Return a name for a PostgreSQL schema that needs no quotes."""
    name = text(value)
    if not re.fullmatch(r"[a-z_][a-z0-9_]{0,62}", name) or name.startswith("pg_"):
        raise SettingError(
            Fault("is not a plain schema name", "use lower-case letters, digits and _, not beginning with pg_")
        )
    return name


def user_name(value: object) -> str:
    """Return a user name for HTTP Basic, in which a colon ends the name."""
    name = text(value)
    if ":" in name:
        raise SettingError(Fault("contains a colon", "write the API user name alone, without a token"))
    return name


def suppression_query(value: object) -> str | None:
    """Return the query, None for false."""
    if value is False:
        return None
    if value is True:
        raise SettingError(Fault("must be a query or false", "write the query, or suppress = false for none"))
    return query(value)


def table(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise must_be("a section", value)
    return value


def disposition(value: object) -> int:
    """Return the number of a disposition that can mean "never again"."""
    code: int = whole(0)(value)
    if code == Disposition.NONE:
        # Every record carries 1000 until a call has ended: the whole campaign would be suppressed.
        raise SettingError(Fault(f"names {code}, the vendor's None", "name dispositions that an agent sets"))
    return code


def disposition_names(value: object) -> Mapping[int, str]:
    """Return the tenant's own words for its dispositions."""
    names: dict[int, str] = {}
    faults: list[Fault] = []
    for code, words in table(value).items():
        try:
            if not re.fullmatch(r"[0-9]{1,9}", code):
                raise SettingError(Fault("is not the number of a disposition"))
            names[int(code)] = text(words)
        except SettingError as error:
            faults += [Fault(fault.wrong, 'write it like 2001 = "Promise to pay"', (code,)) for fault in error.faults]
    if faults:
        raise SettingError(*faults)
    return MappingProxyType(names)
