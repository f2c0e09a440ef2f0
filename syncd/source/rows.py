"""Cleaning at the border: from whatever a database returns for a row to values that the rest of syncd can trust.

Pure code. A customer who cannot be read is invalid, is counted and never guessed; a time that cannot be read is a
problem of its row, which is then never taken for "as soon as possible".
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from itertools import compress, pairwise, starmap
from operator import lt
from typing import Final, NamedTuple, cast
from zoneinfo import ZoneInfo

from syncd.phone import hide_numbers, phone_key

COLUMNS: Final[tuple[str, ...]] = ("customer_id", "schedule_at", "version", "phone")
"""What a query may return; everything else in it is ignored."""

MAX_CUSTOMER: Final = 2**63 - 1
BAD_TIME: Final = "schedule_at is not a date-time"

_EXACT_FLOAT: Final = 2**53
"""Above it neighbouring whole numbers share a float: such an id may be somebody else's."""

_WHOLE_NUMBER: Final = re.compile(r"\+?([0-9]+)(?:\.0+)?")
_ISO_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
    r"(?:[Tt ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]{1,9})?)?(?:Z|z|[+-][0-9]{2}(?::?[0-9]{2})?)?)?"
    r"|[0-9]{8}T[0-9]{4}(?:[0-9]{2})?(?:Z|[+-][0-9]{2}(?::?[0-9]{2})?)?"
)
"""ISO 8601 as people write it. Python alone would also read a thirteen-digit Unix time as a date of the year 1700."""
_BLANK_BEFORE_OFFSET: Final = re.compile(r"(?<=[0-9])\s+(?=[Zz+-])")

_LONGEST_VERSION: Final = 200
_LONGEST_PHONE: Final = 200
_LONGEST_SAMPLE: Final = 40


class SourceRow(NamedTuple):
    """A row of a query, cleaned."""

    customer: int
    call_at: datetime | None
    """Aware, in UTC; None is as soon as possible, unless there is a problem."""
    version: str | None
    phone_key: str | None
    """What :func:`syncd.phone.phone_key` makes of the number; the number itself is not kept."""
    problem: str | None
    """Why the row cannot be acted on, although its customer is known."""


@dataclass(frozen=True, slots=True)
class SourceRows:
    """Some rows of a query, cleaned: a column at a time, since millions of them come in one pass.

    The columns are those of :class:`SourceRow`, and as long as one another. Whoever iterates is given the rows.
    """

    customers: Sequence[int]
    call_at: Sequence[datetime | None]
    versions: Sequence[str | None]
    phone_keys: Sequence[str | None]
    problems: Sequence[str | None]

    def __len__(self) -> int:
        return len(self.customers)

    def __iter__(self) -> Iterator[SourceRow]:
        return map(SourceRow, self.customers, self.call_at, self.versions, self.phone_keys, self.problems)

    def of(self, customer: int) -> "SourceRows":
        """Return the rows of one customer."""
        return self.where([other == customer for other in self.customers])

    def where(self, kept: Sequence[bool]) -> "SourceRows":
        """Return the rows at whose place it says so."""
        return SourceRows(
            list(compress(self.customers, kept)),
            list(compress(self.call_at, kept)),
            list(compress(self.versions, kept)),
            list(compress(self.phone_keys, kept)),
            list(compress(self.problems, kept)),
        )

    def rise(self) -> bool:
        """Return whether each customer is a higher number than the one before."""
        return all(starmap(lt, pairwise(self.customers)))


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a result, with what was not usable among them."""

    rows: SourceRows
    seen: int
    """All rows, usable or not."""
    invalid: int
    samples: tuple[str, ...]
    """A few of the values that are no customer id, fit to be shown."""

    def of(self, customer: int) -> "Batch":
        """Return the batch with nobody else's rows; what was seen and was not usable stays as it is."""
        return replace(self, rows=self.rows.of(customer))


@dataclass(frozen=True, slots=True)
class Cleaner:
    """Where each column stands in the rows of one result, and the zone of times without an offset."""

    positions: dict[str, int]
    zone: ZoneInfo

    def clean(self, raw: Sequence[Sequence[object]], samples: int) -> Batch:
        """Return the rows that have a customer, and at most so many samples of those that have none."""
        columns = tuple(zip(*raw, strict=True))
        given, times, versions, phones = (self._column(name, columns, len(raw)) for name in COLUMNS)
        customers = _customers(given)
        moments, problems = self._moments(times)
        # Those that are None leave in the next lines.
        known = cast("Sequence[int]", customers)
        rows = SourceRows(known, moments, _versions(versions), _phones(phones), problems)
        refused: list[object] = []
        if None in customers:
            rows = rows.where([customer is not None for customer in customers])
            refused = [value for value, customer in zip(given, customers, strict=True) if customer is None]
        return Batch(rows, seen=len(raw), invalid=len(refused), samples=tuple(map(show, refused[:samples])))

    def _column(self, name: str, columns: Sequence[Sequence[object]], rows: int) -> Sequence[object]:
        position = self.positions.get(name)
        return (None,) * rows if position is None or not columns else columns[position]

    def _moments(self, values: Sequence[object]) -> tuple[Sequence[datetime | None], Sequence[str | None]]:
        """Return the moments that values mean, and the problems of those that mean none."""
        nothing = (None,) * len(values)
        if _kinds(values) <= _NOTHING:
            return nothing, nothing
        moments = [self._moment(value) for value in values]
        if BAD_TIME not in moments:
            return cast("list[datetime | None]", moments), nothing
        return (
            [None if isinstance(moment, str) else moment for moment in moments],
            [moment if isinstance(moment, str) else None for moment in moments],
        )

    def _moment(self, value: object) -> datetime | str | None:
        """Return the moment that a value means, or the problem with it."""
        try:
            return clean_time(value, self.zone)
        except ValueError:
            return BAD_TIME


# Millions of values are cleaned in one pass. Those of a column are nearly always of one kind, and in good order: that
# is found out for a whole column at a time, and costs a fraction of a call for each value.

_NOTHING: Final = {type(None)}


def _kinds(values: Iterable[object]) -> set[type]:
    return set(map(type, values))


def _customers(values: Sequence[object]) -> Sequence[int | None]:
    if _kinds(values) == {int}:
        numbers = cast("Sequence[int]", values)
        if min(numbers) > 0 and max(numbers) <= MAX_CUSTOMER:
            return numbers
    return [clean_customer(value) for value in values]


def _versions(values: Sequence[object]) -> Sequence[str | None]:
    if _kinds(values) <= {str, type(None)}:
        texts = cast("Sequence[str | None]", values)
        longest = max(map(len, filter(None, texts)), default=0)
        together = "".join(filter(None, texts))
        if longest <= _LONGEST_VERSION and together.isascii() and "\0" not in together:
            return texts
    return [clean_version(value) for value in values]


def _phones(values: Sequence[object]) -> Sequence[str | None]:
    return (None,) * len(values) if _kinds(values) <= _NOTHING else [clean_phone(value) for value in values]


def clean_customer(value: object) -> int | None:
    """Return the customer that a value means, a positive bigint, or None.

    Taken are whole numbers of any type, and their ASCII digits as text or bytes, with blanks around, a plus, leading
    zeros or an empty fraction (``10003629.0``, as spreadsheets leave behind).
    """
    if type(value) is int:
        return value if 0 < value <= MAX_CUSTOMER else None
    match value:
        case bool():
            return None
        case int():
            number = value
        case float():
            if not value.is_integer() or abs(value) > _EXACT_FLOAT:
                return None
            number = int(value)
        case Decimal():
            if not value.is_finite() or abs(value) > MAX_CUSTOMER or value != value.to_integral_value():
                return None
            number = int(value)
        case str() | bytes() | bytearray() | memoryview():
            digits = _WHOLE_NUMBER.fullmatch(_text(value).strip())
            # Longer than any bigint with its zeros: not worth the work of a conversion.
            if digits is None or len(digits[1].lstrip("0")) > len(str(MAX_CUSTOMER)):
                return None
            number = int(digits[1].lstrip("0") or "0")
        case _:
            return None
    return number if 0 < number <= MAX_CUSTOMER else None


def clean_time(value: object, zone: ZoneInfo) -> datetime | None:
    """Return the moment that a value means, in UTC, or None for none given. Raise ValueError for anything else.

    Without an offset a value is read in ``zone``: an hour that summer time repeats is its first, one that it skips
    moves forward by the gap. A date alone is its midnight.
    """
    match value:
        case None:
            return None
        case datetime():
            moment = value
        case date():
            moment = datetime.combine(value, time())
        case str():
            text = value.strip()
            if not text:
                return None
            moment = _parse(text)
        case _:
            raise ValueError(BAD_TIME)
    try:
        return (moment if moment.utcoffset() is not None else moment.replace(tzinfo=zone, fold=0)).astimezone(UTC)
    except OverflowError as error:
        # The first and the last day of the calendar leave it when they are moved to UTC.
        raise ValueError(BAD_TIME) from error


def clean_version(value: object) -> str | None:
    """Return a text that changes when the value does, of at most 200 characters and fit for Postgres, or None."""
    match value:
        case None:
            return None
        case str() if value.isascii() and "\0" not in value:
            text = value
        case datetime():
            text = (value.astimezone(UTC) if value.utcoffset() is not None else value).isoformat()
        case date():
            text = value.isoformat()
        case Decimal():
            text = _decimal_text(value)
        case bytes() | bytearray() | memoryview():
            text = bytes(value).hex()
        case _:
            # Postgres takes neither a NUL nor half of a surrogate pair in its text.
            text = str(value).replace("\0", "").encode("utf-8", "backslashreplace").decode()
    if len(text) > _LONGEST_VERSION:
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return text


def clean_phone(value: object) -> str | None:
    """Return the matching key of a phone number of any type, or None."""
    match value:
        case None | bool():
            return None
        case str() | bytes() | bytearray() | memoryview():
            return phone_key(_text(value)) if len(value) <= _LONGEST_PHONE else None
        case float() | Decimal():
            number = clean_customer(value)
            return phone_key(str(number)) if number is not None else None
        case _:
            return phone_key(str(value))


def show(value: object) -> str:
    """Return a value that is no customer id as a short printable text, with phone numbers in it hidden."""
    if isinstance(value, str | bytes):
        value = value[:_LONGEST_VERSION]
    return hide_numbers(ascii(value))[:_LONGEST_SAMPLE]


def _parse(text: str) -> datetime:
    text = _BLANK_BEFORE_OFFSET.sub("", text)
    if not _ISO_TIME.fullmatch(text):
        raise ValueError(BAD_TIME)
    return datetime.fromisoformat(text.replace("z", "Z"))


def _text(value: str | bytes | bytearray | memoryview) -> str:
    return value if isinstance(value, str) else bytes(value).decode("latin-1")


def _decimal_text(value: Decimal) -> str:
    """Write 5, 5.0 and 5E+0 alike, and keep every digit (normalize() would round to the context's precision)."""
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
