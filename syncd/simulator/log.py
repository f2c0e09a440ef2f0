"""The observer's log: every request that came, what was done for it, and whether its answer got away."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from syncd.clock import Clock


class Call(StrEnum):
    """The calls of the API."""

    STATUS = "status"
    LIST = "list"
    ADD = "add"
    DELETE = "delete"
    OTHER = "other"
    """A path or a method that the API does not have."""


@dataclass(slots=True, kw_only=True)
class Entry:
    """One request."""

    number: int
    """Counts requests from 1, in the order in which they came."""
    at: datetime
    moment: float
    """Monotonic seconds of the tenant's clock."""
    call: Call
    campaign: int | None
    offset: str | None = None
    """``n`` of a listing, as it was sent."""
    login: str = "none"
    """Which token came: action, data, wrong or none. Never the token."""
    asked: tuple[tuple[object, object], ...] = ()
    """Customers and times of an add, as they were sent; the customer of a delete."""
    verdicts: tuple[str, ...] = ()
    """One for each customer asked for, in the words of Added and Deleted, or the one of a refused request."""
    done: tuple[int, ...] = ()
    """Customers who were added or deleted by this request."""
    fault: str = ""
    status: int | None = None
    """HTTP status of the answer; None while there is none."""
    delivered: bool = False
    """The whole answer was written to an open connection."""


@dataclass(slots=True)
class Log:
    """The requests of a tenant, oldest first. With ``keep`` only so many of the newest."""

    clock: Clock
    keep: int | None = None
    entries: deque[Entry] = field(init=False)
    total: int = 0
    in_flight: int = 0
    peak: int = 0
    """The most requests that were at work side by side."""

    def __post_init__(self) -> None:
        self.entries = deque(maxlen=self.keep)

    def open(self, call: Call, campaign: int | None) -> Entry:
        """Note a request that came."""
        self.total += 1
        entry = Entry(
            number=self.total, at=self.clock.now(), moment=self.clock.monotonic(), call=call, campaign=campaign
        )
        self.entries.append(entry)
        return entry

    def begin(self, call: Call, campaign: int | None) -> Entry:
        """Note a request that came and is at work until :meth:`end`."""
        self.in_flight += 1
        self.peak = max(self.peak, self.in_flight)
        return self.open(call, campaign)

    def end(self) -> None:
        """Note that a request is at work no more."""
        self.in_flight -= 1

    def clear(self) -> None:
        """Forget what came; the numbers go on."""
        self.entries.clear()
        self.peak = self.in_flight

    def of(self, *calls: Call) -> list[Entry]:
        """Return the requests of these kinds."""
        return [entry for entry in self.entries if entry.call in calls]

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)
