"""The fleet: the passes of all campaigns, each when it is due, and none late because of another's trouble."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from syncd.clock import Clock
from syncd.daemon.rhythm import BACK_OFF, Cron, Rhythm, after_failures, interval, rhythm
from syncd.daemon.timetable import Timetable
from syncd.errors import DialerUnavailable, LockHeld, SourceError, StateUnavailable
from syncd.state import campaigns, turns
from syncd.state.database import Connection
from syncd.state.line import Line
from syncd.state.turns import Due, Wanted
from syncd.sync import Campaign, PassReport, World, run_pass
from syncd.sync.worlds import Worlds
from syncd.words import Exit

LOG = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often the state is asked who is due: after an outage, or in place of a host that is gone."""

APART: Final = timedelta(seconds=0.2)
"""Between campaigns that are found due at once."""

LOCK_HELD: Final = timedelta(seconds=10)
"""After which a campaign is looked at again whose lock another pass has."""

LONGEST_ORDER: Final = timedelta(days=1, hours=1)
"""For how long a tenant may ask to be left alone, and some."""

STOP_SECONDS: Final = 16.0
"""How long passes that are told to stop are waited for; then they are cancelled: the next ones settle what is left."""


class Fleet:
    """Runs passes until it is told to stop."""

    def __init__(
        self,
        worlds: Worlds,
        line: Line,
        clock: Clock,
        *,
        on_pass: Callable[[Campaign, PassReport], None],
        on_state: Callable[[StateUnavailable | None], None],
    ) -> None:
        """Take whom to tell of each pass that has ended, and whether the state could be asked."""
        self.worlds = worlds
        self._line, self._clock, self._on_pass, self._on_state = line, clock, on_pass, on_state
        self._rhythms: Mapping[str, Rhythm] = {}
        self._timetable = Timetable(clock, self._ring)
        self._under_way: dict[str, asyncio.Task[None]] = {}
        self._new_settings: set[str] = set()
        self._plan_anew = True
        self.tried_at = clock.monotonic()
        """When it last began to ask who is due, by the steady clock."""

    @property
    def under_way(self) -> int:
        """Return how many passes run."""
        return len(self._under_way)

    def take_over(self, worlds: Worlds) -> None:
        """Run passes by new settings from now on; those under way keep theirs."""
        before, self.worlds = self.worlds, worlds
        self._keep()
        known = before.config.campaigns
        self._new_settings |= {
            name for name in self._rhythms if name not in known or worlds.campaign(name) != before.campaign(name)
        }

    async def run(self) -> None:
        """Run passes until the worlds are told to stop; then wait for those under way."""
        self._timetable.begin()
        self._keep()
        try:
            async with asyncio.TaskGroup() as tasks:
                lookers = (
                    tasks.create_task(self._timetable.watch(self._clock_was_set), name="clock"),
                    tasks.create_task(self._look_on(), name="who is due"),
                )
                await self.worlds.stop.wait()
                for looker in lookers:
                    looker.cancel()
        finally:
            self._timetable.end()
            await self._wind_up()

    async def look(self) -> None:
        """Ring those up whom the state has as due, a little apart."""
        self.tried_at, now = self._clock.monotonic(), self._clock.now()
        wanted = {name: self._wanted(name, now) for name in self._rhythms}
        names = {one: name for name, one in wanted.items() if name not in self._under_way}
        try:
            async with self._line.use() as connection:
                if self._plan_anew:
                    await self._bring_forward(connection, wanted, now)
                due = await turns.due(connection, list(names), now)
        except StateUnavailable as error:
            self._on_state(error)
            return
        self._on_state(None)
        late = [names[one.wanted] for one in due if self._is_rung(names[one.wanted], one, now)]
        for place, name in enumerate(late, start=1):
            self._timetable.ring_at(name, now + APART * place)

    def _keep(self) -> None:
        enabled = [name for name, settings in self.worlds.config.campaigns.items() if settings.enabled]
        campaigns = {name: self.worlds.campaign(name) for name in enabled}
        self._rhythms = {name: rhythm(campaign.settings, campaign.account) for name, campaign in campaigns.items()}
        self._timetable.keep(self._rhythms)
        self._plan_anew = True

    async def _look_on(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def _clock_was_set(self) -> None:
        """What was planned by the clock as it was may be far ahead by the clock as it is."""
        self._plan_anew = True
        await self.look()

    async def _bring_forward(self, connection: Connection, wanted: Mapping[str, Wanted], now: datetime) -> None:
        """Plan nobody later than the rhythm says, where the rhythm or the clock may have changed."""
        for name, one in wanted.items():
            rhythm = self._rhythms[name]
            at_once = name in self._new_settings and not isinstance(rhythm, Cron)
            await turns.bring_forward(connection, one, now if at_once else rhythm.after(now))
        self._plan_anew = False
        self._new_settings.clear()

    def _is_rung(self, name: str, due: Due, now: datetime) -> bool:
        """Return whether a campaign is rung because it is late.

        Hours in a crontab are meant: one that has never run waits for the first of its times, and of several that were
        missed only the last is made up for, as long as the next has not come.
        """
        rhythm = self._rhythms[name]
        if due.died or not isinstance(rhythm, Cron):
            return True
        return due.at is not None and due.at <= now < rhythm.after(due.at)

    async def _ring(self, name: str) -> None:
        if name in self._rhythms and name not in self._under_way and not self.worlds.stop.is_set():
            self._under_way[name] = asyncio.create_task(self._turn(name), name=f"campaign {name}")

    async def _turn(self, name: str) -> None:
        campaign, world, rhythm = self.worlds.campaign(name), self.worlds.world(name), self._rhythms[name]
        now = self._clock.now()
        try:
            async with self._line.use() as connection:
                mine = await turns.take(connection, self._wanted(name, now), now, following=rhythm.after(now))
            if mine:
                await self._pass(campaign, world, rhythm)
        except StateUnavailable as error:
            self._on_state(error)
        finally:
            del self._under_way[name]

    async def _pass(self, campaign: Campaign, world: World, rhythm: Rhythm) -> None:
        try:
            report = await run_pass(campaign, world, kind="run")
        except Exception:
            LOG.exception("a pass ended in a way that is a bug", campaign=campaign.name)
            await self._crashed(campaign, rhythm)
            return
        log(report)
        self._on_pass(campaign, report)
        now = self._clock.now()
        at = not_before(report, rhythm, now)
        if at is not None or isinstance(report.error, LockHeld):
            async with self._line.use() as connection:
                wanted = self._as_wanted(campaign, rhythm, now)
                if at is not None:
                    await turns.plan(connection, wanted, at)
                else:
                    await turns.bring_forward(connection, wanted, now + LOCK_HELD)

    async def _crashed(self, campaign: Campaign, rhythm: Rhythm) -> None:
        now = self._clock.now()
        async with self._line.use() as connection:
            failures = await campaigns.crashed(connection, campaign.account, campaign.settings.id, now)
            at = after_failures(rhythm, now, failures, outage=False)
            await turns.plan(connection, self._as_wanted(campaign, rhythm, now), at)

    def _wanted(self, name: str, now: datetime) -> Wanted:
        return self._as_wanted(self.worlds.campaign(name), self._rhythms[name], now)

    def _as_wanted(self, campaign: Campaign, rhythm: Rhythm, now: datetime) -> Wanted:
        latest = rhythm.after(now) + interval(rhythm, now) * BACK_OFF + LONGEST_ORDER
        return Wanted(campaign.account, campaign.settings.id, no_later_than=latest)

    async def _wind_up(self) -> None:
        passes = list(self._under_way.values())
        if passes:
            await asyncio.wait(passes, timeout=STOP_SECONDS)
        for one in passes:
            one.cancel()
        await asyncio.gather(*passes, return_exceptions=True)


def not_before(report: PassReport, rhythm: Rhythm, now: datetime) -> datetime | None:
    """Return when the next pass is due, where it is not simply the next time of the rhythm.

    A tenant that asked to be left alone is; a campaign that fails waits longer each time, but never long where
    something is out of reach, for that ends by itself.
    """
    if isinstance(report.error, DialerUnavailable) and report.error.retry_after:
        return rhythm.after(now + timedelta(seconds=report.error.retry_after) - timedelta(microseconds=1))
    if report.failures:
        outage = isinstance(report.error, DialerUnavailable | SourceError)
        return after_failures(rhythm, now, report.failures, outage=outage)
    return None


_LEVELS: Final = {Exit.GOOD: "info", Exit.LOCKED: "debug", Exit.FAILED: "error", Exit.BLOCKED: "error"}


def log(report: PassReport) -> None:
    """Log what a pass decided and did: one line, a sentence and the counts."""
    counts = {name: count for name, count in report.counts().items() if type(count) is int}
    seconds = round((report.ended - report.began).total_seconds(), 3) if report.ended else None
    write = getattr(LOG, _LEVELS.get(report.exit_status, "warning"))
    write(report.sentence(), campaign=report.campaign, result=report.result.value, seconds=seconds, **counts)
