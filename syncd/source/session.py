"""A session with a source: queries read one after another, in batches, within limits of time and memory."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import Final

from syncd.errors import SourceError
from syncd.source.faults import Faults
from syncd.source.reader import SAMPLES, Reader, Result, connect
from syncd.source.rows import Batch, Cleaner, SourceRows
from syncd.source.settings import SourceSettings
from syncd.source.worker import Worker, settled

CONNECT_LIMIT: Final = 15.0
CANCEL_LIMIT: Final = 2.0
"""Seconds that a database gets to stop a query when asked politely, before the line is cut."""
CLOSE_LIMIT: Final = 5.0
"""Seconds that leaving a session waits for a driver. One that hangs longer is left to its thread."""


@asynccontextmanager
async def open_source(settings: SourceSettings) -> AsyncIterator["SourceSession"]:
    """Connect to a source and give a session that can only read; leaving it stops what still runs and disconnects.

    Raise SourceError, also when there is no connection within the source's timeout or 15 s.
    """
    limit = min(settings.timeout.total_seconds(), CONNECT_LIMIT)
    faults = Faults(settings.name, settings.timeout.total_seconds())
    worker = Worker(f"source-{settings.name}")
    opening = worker.submit(lambda: connect(settings, limit))
    session = None
    try:
        await settled(opening, timeout=limit)
        if not opening.done():
            raise faults.unreachable(limit)
        session = SourceSession(opening.result(), worker, faults)
        yield session
    finally:
        if session is not None:
            session.end()
        # Also for a connection that comes about too late.
        closing = worker.submit(lambda: opening.result().close())
        worker.stop()
        if session is not None:
            await settled(closing, timeout=CLOSE_LIMIT)


class SourceSession:
    """An open connection to a source. All its reads see one snapshot, where the database has such a thing."""

    def __init__(self, reader: Reader, worker: Worker, faults: Faults) -> None:
        self._reader, self._worker, self._faults = reader, worker, faults
        self._last: QueryRows | None = None

    def read(self, query: str, cleaner: type[Cleaner] = Cleaner, *, only: int | None = None) -> "QueryRows":
        """Return the rows of a query, which is sent as it stands when the first batch is asked for.

        ``cleaner`` makes values of what the database returns. ``only`` leaves the rows of one customer: they are the
        same whether the query was read through for them or the database asked, but what is counted is what was read.
        One result at a time: RuntimeError while the last one was not read to its end.
        """
        if self._last is not None and not self._last.complete:
            raise RuntimeError("the last query of this session was not read to its end")
        self._last = QueryRows(self._reader, self._worker, query, cleaner, only, self._faults)
        return self._last

    def end(self) -> None:
        """End the read that is not at its end, if there is one. Does not wait."""
        if self._last is not None:
            self._last.end(self._faults.closed())


class QueryRows:
    """The rows of one query: an asynchronous iterator of batches of at most 5000 rows.

    The next batch is read while the last one is being used, and none beyond it. The counts are whole when
    ``complete`` is true. A result that does not come to its end, or not within the source's timeout, the time that
    its reader takes included, raises SourceError each time it is asked.
    """

    def __init__(
        self,
        reader: Reader,
        worker: Worker,
        query: str,
        cleaner: type[Cleaner],
        only: int | None,
        faults: Faults,
    ) -> None:
        self.columns: frozenset[str] = frozenset()
        """Which of customer_id, schedule_at, version and phone the query has; known with the first batch."""
        self.rows = 0
        """All rows seen, usable or not."""
        self.invalid = 0
        """Rows without a usable customer id."""
        self.invalid_samples: tuple[str, ...] = ()
        """A few of their values, printable and short."""
        self.rising = True
        """Whether each customer so far was a higher number than the one before, so that none has come twice."""
        self.complete = False
        """Whether the result was read to its end."""
        self._reader, self._worker, self._faults = reader, worker, faults
        self._query, self._cleaner, self._only = query, cleaner, only
        self._highest = 0
        self._result: Result | None = None
        self._ahead: Future[Batch | None] | None = None
        self._failed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._timer: asyncio.TimerHandle | None = None

    def __aiter__(self) -> "QueryRows":
        return self

    async def __anext__(self) -> SourceRows:
        """Return the next batch, never an empty one. Raise SourceError."""
        while not self.complete:
            batch = await self._next()
            if batch is None:
                self.complete = True
                self._stop_clock()
                break
            self.rows += batch.seen
            self.invalid += batch.invalid
            self.invalid_samples = (self.invalid_samples + batch.samples)[:SAMPLES]
            if batch.rows:
                self.rising = self.rising and self._highest < batch.rows.customers[0] and batch.rows.rise()
                self._highest = batch.rows.customers[-1]
                return batch.rows
        raise StopAsyncIteration

    def end(self, why: SourceError) -> None:
        """Give the read up, unless it is at its end: whoever asks for more is told why. Does not wait."""
        if self.complete or self._failed.done():
            return
        self._fail(why)
        if self._ahead is not None:
            # The database is asked in a thread of its own, for that blocks; force follows, which does not.
            threading.Thread(target=self._reader.stop, args=[self._worker.idle], daemon=True).start()
            asyncio.get_running_loop().call_later(CANCEL_LIMIT, self._reader.cut)

    async def _next(self) -> Batch | None:
        """Return the next batch, and have the one after it read meanwhile. Return None at the end."""
        if self._failed.done():
            self._failed.result()
        if self._ahead is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(self._faults.limit, lambda: self.end(self._faults.late()))
            self._ahead = self._worker.submit(self._begin)
        await settled(self._ahead, self._failed)
        if not self._failed.done() and isinstance(error := self._ahead.exception(), SourceError):
            self._fail(error)
        if self._failed.done():
            self._failed.result()
        batch = self._ahead.result()
        if self._result is not None:
            self.columns = self._result.columns
            if batch is not None:
                self._ahead = self._worker.submit(self._result.fetch)
        return batch

    def _begin(self) -> Batch | None:
        self._result = self._reader.execute(self._query, self._cleaner, self._only)
        return self._result.fetch()

    def _fail(self, why: SourceError) -> None:
        self._failed.set_exception(why)
        self._failed.exception()
        self._stop_clock()

    def _stop_clock(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
