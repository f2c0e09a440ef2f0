"""The timetable: each campaign is rung up when its rhythm says so. APScheduler keeps the jobs and the timer.

It takes for granted that the wall clock goes on evenly. Where the clock is set back its timer sleeps until the old time
has come round again, and one that is set forward is noticed only when the timer ends; so the clock is watched against
one that is never set, and the jobs are planned anew when the two part.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import structlog
from apscheduler.job import Job
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from syncd.clock import Clock
from syncd.daemon.rhythm import Rhythm

LOG = structlog.get_logger(__name__)

SET: Final = timedelta(seconds=2)
"""How far the wall clock may run from the steady one between two looks before it counts as set."""

WATCH_SECONDS: Final = 1.0

logging.getLogger("apscheduler").setLevel(logging.ERROR)


class Timetable:
    """The jobs of all campaigns; ``ring`` is called with the name of the one that is due, and returns soon."""

    def __init__(self, clock: Clock, ring: Callable[[str], Awaitable[None]]) -> None:
        self._clock, self._ring = clock, ring
        self._scheduler = AsyncIOScheduler(
            timezone=UTC,
            # Late runs become one, however late: the default drops what is a second late.
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )

    def begin(self) -> None:
        """Start the timer."""
        self._scheduler.start()

    def end(self) -> None:
        """Ring nobody any more. What was begun goes on by itself: waited for here, it would be cancelled."""
        if self._scheduler.running:
            self._scheduler.shutdown(wait=False)

    def keep(self, rhythms: Mapping[str, Rhythm]) -> None:
        """Keep these campaigns and no others. One whose rhythm is the same keeps its next time."""
        for job in self._jobs():
            if job.id not in rhythms:
                job.remove()
        for name, rhythm in rhythms.items():
            job = self._scheduler.get_job(name)
            if job is None or job.trigger.rhythm != rhythm:
                self._scheduler.add_job(self._ring, _Trigger(rhythm), args=[name], id=name, replace_existing=True)

    def ring_at(self, name: str, at: datetime) -> None:
        """Ring a campaign at a time, if its next one is not before. One that is not kept any more is left alone."""
        job = self._scheduler.get_job(name)
        if job is not None and at < job.next_run_time:
            job.modify(next_run_time=at)
        # An error in its midst would leave the scheduler without a timer, and whoever is late was not rung for that.
        self._scheduler.wakeup()

    async def watch(self, on_set: Callable[[], Awaitable[None]]) -> None:
        """Watch the wall clock for ever; when it was set, plan all anew and tell ``on_set``."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        while True:
            await self._clock.sleep(WATCH_SECONDS)
            then, wall = wall, self._clock.now()
            passed, steady = self._clock.monotonic() - steady, self._clock.monotonic()
            by = wall - then - timedelta(seconds=passed)
            if abs(by) > SET:
                LOG.warning("the clock was set", seconds=round(by.total_seconds(), 1))
                self._plan_anew()
                await on_set()

    def _plan_anew(self) -> None:
        """Give each job its next time by the clock as it is; what came due while it was set forward is rung now."""
        now = self._clock.now()
        for job in self._jobs():
            if job.next_run_time > now:
                job.modify(next_run_time=job.trigger.rhythm.after(now))
        self._scheduler.wakeup()

    def _jobs(self) -> list[Job]:
        found: list[Job] = self._scheduler.get_jobs()
        return found


class _Trigger(BaseTrigger):  # type: ignore[misc]  # the library has no types
    """A rhythm, as APScheduler has it."""

    def __init__(self, rhythm: Rhythm) -> None:
        self.rhythm = rhythm

    def get_next_fire_time(self, previous_fire_time: Any, now: datetime) -> datetime:
        """Return the time after ``now``: a run that comes late is one run, and the next is at its own time."""
        return self.rhythm.after(now)
