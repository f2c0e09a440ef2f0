"""A clock whose sleeps take no time, and are written down."""

import asyncio
import time
from datetime import UTC, datetime, timedelta


class QuickClock:
    """Real time, and on top of it whatever was slept."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.started = time.monotonic()

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self.slept)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    @property
    def passed(self) -> float:
        return self.monotonic() - self.started

    async def sleep(self, seconds: float) -> None:
        self.slept += max(0.0, seconds)
        await asyncio.sleep(0)
