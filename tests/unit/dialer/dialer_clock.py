"""A clock that moves from one waking to the next, as soon as nobody has anything else to do."""

import asyncio
import heapq
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import TypeVar

T = TypeVar("T")


class VirtualClock:
    """Time that passes only where everybody sleeps; ``lateness`` is how much later than asked sleepers wake."""

    def __init__(self, lateness: float = 0.0) -> None:
        self._now, self._lateness, self._order = 0.0, lateness, count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self._now)

    def monotonic(self) -> float:
        return self._now

    async def sleep(self, seconds: float) -> None:
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._now + seconds + self._lateness, next(self._order), sleeper))
        await sleeper

    async def run(self, work: Awaitable[T]) -> T:
        """Let time pass until the work is done; return its result."""
        task = asyncio.ensure_future(work)
        async with asyncio.timeout(30):
            while not task.done():
                await self.settle()
                if not task.done() and self._sleepers:
                    self._wake_next()
            return await task

    async def settle(self) -> None:
        """Let everybody run until all of them wait."""
        for _ in range(20):
            await asyncio.sleep(0)

    def _wake_next(self) -> None:
        at, _, sleeper = heapq.heappop(self._sleepers)
        self._now = max(self._now, at)
        if not sleeper.done():
            sleeper.set_result(None)
