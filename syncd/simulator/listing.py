"""The statistics' view of a campaign: records in the order they were uploaded, pages by offset, with the lag."""

from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate, islice

from syncd.clock import Clock
from syncd.simulator.manner import Manner

_CHUNK = 512


@dataclass(frozen=True, slots=True)
class SimulatedRecord:
    """One record of a campaign. A change makes a new value, so that the listing can lag behind the dialer."""

    serial: int
    """Counts the campaign's uploads; the listing's order."""
    customer: int
    status: int
    status_code: int
    disposition: int
    call_at: datetime | None
    """When it is next due, aware; None is as soon as possible."""
    attempts: int


@dataclass(frozen=True, slots=True)
class _Pending:
    due_at: float
    due_listing: int
    record: SimulatedRecord
    shown: bool


class Listing:
    """What the statistics show. A page costs what the page holds, however long the listing is."""

    def __init__(self, *, clock: Clock, manner: Manner) -> None:
        self._clock = clock
        self._manner = manner
        self._chunks: list[list[SimulatedRecord | None]] = []
        self._counts: list[int] = []
        self._ends: list[int] | None = []
        self._pending: deque[_Pending] = deque()
        self._listings = 0

    def begin(self) -> None:
        """Count a listing: somebody asked for the first page."""
        self._listings += 1

    def show(self, record: SimulatedRecord) -> None:
        """Show this record as it is now, once the lag has passed."""
        self._change(record, shown=True)

    def hide(self, record: SimulatedRecord) -> None:
        """Show this record no longer, once the lag has passed."""
        self._change(record, shown=False)

    def count(self) -> int:
        """Return how many records the statistics know."""
        self._settle()
        return sum(self._counts)

    def page(self, offset: int, size: int) -> Sequence[SimulatedRecord]:
        """Return up to ``size`` records, leaving out the first ``offset``."""
        self._settle()
        if self._ends is None:
            self._ends = list(accumulate(self._counts))
        at = bisect_right(self._ends, offset)
        passed = self._ends[at - 1] if at else 0
        shown = (record for chunk in islice(self._chunks, at, None) for record in chunk if record is not None)
        return list(islice(shown, offset - passed, offset - passed + size))

    def _change(self, record: SimulatedRecord, *, shown: bool) -> None:
        manner = self._manner
        if not self._pending and not manner.lag_seconds and not manner.lag_listings:
            self._put(record, shown=shown)
            return
        due_at = self._clock.monotonic() + manner.lag_seconds
        self._pending.append(_Pending(due_at, self._listings + manner.lag_listings, record, shown))

    def _settle(self) -> None:
        """Let in, in order, the changes whose lag has passed."""
        pending = self._pending
        while pending:
            first = pending[0]
            by_listings = first.due_listing < self._listings or not self._manner.lag_listings
            if first.due_at > self._clock.monotonic() or not by_listings:
                return
            pending.popleft()
            self._put(first.record, shown=first.shown)

    def _put(self, record: SimulatedRecord, *, shown: bool) -> None:
        at, place = divmod(record.serial, _CHUNK)
        while len(self._chunks) <= at:
            self._chunks.append([])
            self._counts.append(0)
        chunk = self._chunks[at]
        while len(chunk) <= place:
            chunk.append(None)
        change = shown - (chunk[place] is not None)
        chunk[place] = record if shown else None
        if change:
            self._counts[at] += change
            self._ends = None
        if not self._counts[at]:
            chunk.clear()
