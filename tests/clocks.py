"""A clock for the daemon that a test moves: time passes by leaps, and the wall clock can be set by hand."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import pytest


class SteeredClock:
    """Time passes, ``speed`` times as fast as it does, and leaps when told; whoever sleeps on it wakes when due."""

    def __init__(self, at: datetime | None = None, *, speed: float = 1) -> None:
        self._began, self._speed, self._leapt = time.monotonic(), speed, 0.0
        self._zero = at or datetime.now(UTC)
        self._moved = asyncio.Event()
        self.alarm = float("inf")
        """When APScheduler's timer rings, by the steady clock."""

    def now(self) -> datetime:
        return self._zero + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return self._leapt + (time.monotonic() - self._began) * self._speed

    async def sleep(self, seconds: float) -> None:
        await self._sleep_until(self.monotonic() + seconds)

    async def _sleep_until(self, until: float) -> None:
        while (left := until - self.monotonic()) > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(left / self._speed):
                    await self._moved.wait()

    def leap(self, span: timedelta) -> None:
        """Let time pass at once."""
        self._leapt += span.total_seconds()
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    def leap_to(self, moment: datetime) -> None:
        """Let the time up to a moment pass at once."""
        self.leap(moment - self.now())

    def set(self, by: timedelta) -> None:
        """Set the wall clock forward or back; no time passes."""
        self._zero += by

    def govern(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Have APScheduler go by this clock: its time of day, and its timer, which knows the steady clock alone."""
        clock = self

        class Steered(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> Any:
                return clock.now().astimezone(tz)

        def start_timer(scheduler: Any, seconds: float | None) -> None:
            scheduler._stop_timer()
            clock.alarm = float("inf")
            if seconds is not None:
                clock.alarm = clock.monotonic() + seconds
                scheduler._timeout = asyncio.create_task(ring(scheduler, clock.alarm))

        async def ring(scheduler: Any, at: float) -> None:
            await clock._sleep_until(at)
            scheduler.wakeup()

        monkeypatch.setattr("apscheduler.schedulers.base.datetime", Steered)
        monkeypatch.setattr("apscheduler.schedulers.asyncio.AsyncIOScheduler._start_timer", start_timer)
