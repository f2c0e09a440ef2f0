"""The listing: all pages of a campaign's records, several side by side, until its end was reached.

A tenant answers at most so many records a request and takes an offset ``n``, which one counts from 0 and another
from 1; some answer everything at once. So the first page is asked for without ``n`` and teaches the size of a page,
and the others at every multiple of it: the page before is overlapped by one record or by none, and none is left out.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from typing import Final

from syncd.dialer.api import Record
from syncd.dialer.wire import Page
from syncd.errors import DialerUnavailable
from syncd.vendor import MAX_RECORDS

_BEHIND: Final = 3
"""Pages before one that it is compared with; the last 50 records can stand on two of them."""

_AHEAD: Final = 4
"""Times the width that pages may run ahead of the first one that is still missing."""

_SPARE: Final = 10_000
"""Records beyond the expected ones before a listing is called endless, since campaigns grow while they are read."""

_CURT: Final = 2
"""Pages without news that end a listing before the expected number of records, where one may be a slip."""


class Listing(AsyncIterator[Sequence[Record]]):
    """The pages of one listing in the order of their arrival; doubles are the reader's to fold. Read it once."""

    def __init__(
        self, tenant: str, fetch: Callable[[int | None], Awaitable[Page]], *, expected: int | None, width: int
    ) -> None:
        """Take ``fetch``, which asks for the page at an offset, and the number of pages to ask for side by side."""
        self.received = 0
        """Records that came, doubles and those left out included."""
        self.foreign = 0
        """Records of another campaign, left out."""
        self.unusable = 0
        """Records without a usable ``record-id``, left out."""
        self.repeated = False
        """A page brought only records that had come before: without a known number, that is no proof of an end."""
        self._tenant, self._fetch, self._expected, self._width = tenant, fetch, expected, width
        self._pages = self._read()

    async def __anext__(self) -> Sequence[Record]:
        return await anext(self._pages)

    async def aclose(self) -> None:
        """End the listing and whatever of it is under way."""
        await self._pages.aclose()

    async def _read(self) -> AsyncGenerator[Sequence[Record], None]:
        first = await self._fetch(None)
        if records := self._count(first):
            yield records
        if not first.size:
            return
        end = _End(first, self._expected, self._width)
        asked: dict[asyncio.Task[Page], int] = {}
        following = 1
        try:
            while not end.reached:
                while len(asked) < self._width and following <= end.furthest:
                    asked[asyncio.create_task(self._page(following * first.size))] = following
                    following += 1
                done, _ = await asyncio.wait(asked, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    page = await task
                    end.note(asked.pop(task), page)
                    if records := self._count(page):
                        yield records
            self.repeated = end.repeated
        finally:
            for task in asked:
                task.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

    async def _page(self, offset: int) -> Page:
        return await self._fetch(offset)

    def _count(self, page: Page) -> Sequence[Record]:
        """Count a page and return its records. Raise DialerUnavailable where the listing does not end."""
        self.received += page.size
        self.foreign += page.foreign
        self.unusable += page.unusable
        most = int(1.05 * MAX_RECORDS) if self._expected is None else int(1.2 * self._expected) + _SPARE
        if self.received > most:
            expected = "" if self._expected is None else f" where {self._expected:,} were expected"
            what = f"the listing does not end: {self.received:,} records came{expected}"
            raise DialerUnavailable(self._tenant, what, "nothing was concluded from it")
        return page.records


class _End:
    """Finds the end of a listing: the first page, in the order of the offsets, that brings nothing new.

    A page is compared with the first one and with the few before it, so that memory stays flat. That finds each way in
    which tenants answer beyond the end: nothing, the first page again, the last page or the last records again.
    """

    def __init__(self, first: Page, expected: int | None, width: int) -> None:
        self.reached = False
        self.repeated = False
        self._first, self._size, self._expected, self._width = first.keys, first.size, expected, width
        self._behind = deque([first.keys], maxlen=_BEHIND)
        self._arrived: dict[int, Page] = {}
        self._current = 1
        self._barren = 0
        self._beyond = 1

    @property
    def furthest(self) -> int:
        """The last page worth asking for now: as many as are expected, and beyond them more while news keep coming."""
        expected = (self._expected or 0) // self._size
        ahead = min(expected, self._current + _AHEAD * self._width)
        return max(ahead, self._current + self._beyond - 1)

    def note(self, number: int, page: Page) -> None:
        """Take a page, whichever of those asked for it is."""
        self._arrived[number] = page
        while not self.reached and self._current in self._arrived:
            self._follow(self._arrived.pop(self._current))
            self._current += 1

    def _follow(self, page: Page) -> None:
        offset = self._current * self._size
        if page.keys.difference(self._first, *self._behind):
            self._barren = 0
            if offset >= (self._expected or 0):
                self._beyond = min(2 * self._beyond, self._width)
        else:
            self._barren += 1
            self.reached = self._barren >= self._needed(page, offset)
            # Where n counts from 1, one page at the very end repeats one record, which is no repeat to speak of.
            self.repeated = self.repeated or page.size > 1 or (page.size == 1 and self._barren > 1)
        self._behind.append(page.keys)

    def _needed(self, page: Page, offset: int) -> int:
        """Return how many pages in a row without news are an end: one where it was expected, or ``n`` is ignored."""
        ignored = self._size > 1 and page.keys == self._first
        return 1 if ignored or (self._expected is not None and offset >= self._expected) else _CURT
