"""A clock that waiting sets forward: a schedule of weeks takes seconds."""

import asyncio
import heapq
from datetime import UTC, datetime, timedelta
from typing import Final

BEGIN: Final = datetime(2026, 11, 23, 9, tzinfo=UTC)

SHORT: Final = 60.0
"""Seconds. A wait that is no longer, for another try or for a turn, passes at once and takes the clock along."""


class VirtualClock:
    """Time that passes when somebody waits for a moment, or moves the clock; who waits for longer is woken by that."""

    def __init__(self) -> None:
        self._seconds = 0.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self._seconds)

    def monotonic(self) -> float:
        return self._seconds

    def move(self, **ahead: float) -> None:
        """Set the clock forward, and wake those whose time has come."""
        self._seconds += timedelta(**ahead).total_seconds()
        while self._sleepers and self._sleepers[0][0] <= self._seconds:
            _, _, sleeper = heapq.heappop(self._sleepers)
            if not sleeper.done():
                sleeper.set_result(None)

    async def sleep(self, seconds: float) -> None:
        if seconds <= SHORT:
            self.move(seconds=seconds)
            await asyncio.sleep(0)
            return
        sleeper = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._seconds + seconds, id(sleeper), sleeper))
        await sleeper
