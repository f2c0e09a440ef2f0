"""The fleet: the passes of all campaigns, each when it is due, and none late because of another's trouble."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

import structlog

from syncd.clock import Clock
from syncd.daemon.rhythm import BACK_OFF, Cron, Rhythm, after_failures, interval, rhythm
from syncd.daemon.timetable import Timetable
from syncd.errors import DialerUnavailable, LockHeld, PassCrashed, SourceError, StateUnavailable
from syncd.state import campaigns, turns
from syncd.state.campaigns import Result
from syncd.state.line import Line
from syncd.state.turns import Due, Wanted
from syncd.sync import Campaign, PassReport, World, run_pass
from syncd.sync.worlds import Worlds
from syncd.words import Exit

LOG = structlog.get_logger(__name__)

LOOK_SECONDS: Final = 5.0
"""How often the state is asked who is due: after an outage, or in place of a host that is gone."""

APART: Final = 0.1
"""Seconds between the beginnings of two passes: many are late at once after an outage, or when a clock is set."""

SOON: Final = timedelta(seconds=10)
"""After which a turn comes again that could not be used: the lock was another's, or the state out of reach."""

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
        self._unplanned: dict[str, bool] = {}
        """Whose next turn in the state may be for a wrong time, and whether it is to come at once."""
        self._free_at = clock.monotonic()
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
        for name, its_rhythm in self._rhythms.items():
            news = name not in known or worlds.campaign(name) != before.campaign(name)
            # Hours in a crontab are meant.
            self._unplanned[name] |= news and not isinstance(its_rhythm, Cron)

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
        """Ring those up whom the state has as due."""
        self.tried_at, now = self._clock.monotonic(), self._clock.now()
        rhythms, unplanned, self._unplanned = self._rhythms, self._unplanned, {}
        wanted = {name: _wanted(self.worlds.campaign(name), rhythm, now) for name, rhythm in rhythms.items()}
        idle = [one for name, one in wanted.items() if name not in self._under_way]
        try:
            async with self._line.use() as connection:
                for name in unplanned.keys() & rhythms.keys():
                    at = now if unplanned[name] else rhythms[name].after(now)
                    await turns.plan_anew(connection, wanted[name], at, now)
                due = await turns.due(connection, idle, now)
        except StateUnavailable as error:
            self._unplanned = {name: unplanned.get(name) or self._unplanned.get(name, False) for name in self._rhythms}
            self._on_state(error)
            return
        self._on_state(None)
        for one in due:
            if is_rung(one, rhythms[one.wanted.name], now):
                self._timetable.ring_at(one.wanted.name, now)

    def _keep(self) -> None:
        enabled = [name for name, settings in self.worlds.config.campaigns.items() if settings.enabled]
        campaigns = {name: self.worlds.campaign(name) for name in enabled}
        self._rhythms = {name: rhythm(campaign.settings, campaign.account) for name, campaign in campaigns.items()}
        self._timetable.keep(self._rhythms)
        self._unplanned = {name: self._unplanned.get(name, False) for name in self._rhythms}

    async def _look_on(self) -> None:
        while True:
            await self.look()
            await self._clock.sleep(LOOK_SECONDS)

    async def _clock_was_set(self) -> None:
        """What was planned by the clock as it was may be far ahead by the clock as it is."""
        self._unplanned = {name: self._unplanned.get(name, False) for name in self._rhythms}
        await self.look()

    async def _ring(self, name: str) -> None:
        if name not in self._under_way:
            self._under_way[name] = asyncio.create_task(self._turn(name), name=f"campaign {name}")

    async def _turn(self, name: str) -> None:
        """Run a pass, if the campaign is due and nobody else takes its turn."""
        try:
            await self._apart()
            if name not in self._rhythms or self.worlds.stop.is_set():
                return
            campaign, world, rhythm = self.worlds.campaign(name), self.worlds.world(name), self._rhythms[name]
            now = self._clock.now()
            async with self._line.use() as connection:
                mine = await turns.take(connection, _wanted(campaign, rhythm, now), now, following=rhythm.after(now))
            if mine:
                report = await self._pass(campaign, world)
                log(report)
                self._on_pass(campaign, report)
                await self._plan_next(campaign, rhythm, report)
        except StateUnavailable as error:
            self._unplanned[name] = True
            self._on_state(error)
        except Exception:
            LOG.exception("a turn ended in a way that is a bug", campaign=name)
        finally:
            del self._under_way[name]

    async def _apart(self) -> None:
        """Wait until no other pass has just begun."""
        now = self._clock.monotonic()
        begin = max(now, self._free_at)
        self._free_at = begin + APART
        if begin > now:
            await self._clock.sleep(begin - now)

    async def _pass(self, campaign: Campaign, world: World) -> PassReport:
        began = self._clock.now()
        try:
            return await run_pass(campaign, world, kind="run")
        except Exception:
            LOG.exception("a pass ended in a way that is a bug", campaign=campaign.name)
        report = PassReport(campaign.name, began, ended := self._clock.now())
        report.fail(PassCrashed(campaign.name))
        async with self._line.use() as connection:
            report.failures = await campaigns.crashed(connection, campaign.account, campaign.settings.id, ended)
        return report

    async def _plan_next(self, campaign: Campaign, rhythm: Rhythm, report: PassReport) -> None:
        """Plan the next turn, where it is not simply the next time of the rhythm."""
        now = self._clock.now()
        later, sooner = not_before(report, rhythm, now), made_up_for(report, now)
        if later is None and sooner is None:
            return
        wanted = _wanted(campaign, rhythm, now)
        async with self._line.use() as connection:
            if later is not None:
                await turns.plan(connection, wanted, later)
            elif sooner is not None:
                await turns.plan_anew(connection, wanted, sooner, now)

    async def _wind_up(self) -> None:
        passes = list(self._under_way.values())
        if passes:
            await asyncio.wait(passes, timeout=STOP_SECONDS)
        for one in passes:
            one.cancel()
        await asyncio.gather(*passes, return_exceptions=True)


def is_rung(due: Due, rhythm: Rhythm, now: datetime) -> bool:
    """Return whether a campaign that is due is rung at once.

    Hours in a crontab are meant: one that has never run waits for the first of its times. One that missed some of them,
    or whose pass died, is late, and made up for.
    """
    return due.died or not isinstance(rhythm, Cron) or (due.at is not None and due.at <= now)


def not_before(report: PassReport, rhythm: Rhythm, now: datetime) -> datetime | None:
    """Return when the next pass is due, where that is later than the next time of the rhythm.

    A tenant that asked to be left alone is; a campaign that fails waits longer each time, but never long where
    something is out of reach, for that ends by itself.
    """
    if isinstance(report.error, DialerUnavailable) and report.error.retry_after:
        return rhythm.after(now + timedelta(seconds=report.error.retry_after) - timedelta(microseconds=1))
    if report.failures:
        outage = isinstance(report.error, DialerUnavailable | SourceError)
        return after_failures(rhythm, now, report.failures, outage=outage)
    return None


def made_up_for(report: PassReport, now: datetime) -> datetime | None:
    """Return when a pass that could not be, or was not finished, is made up for: it may be a day to its next time."""
    if report.result is Result.STOPPED:
        return now
    return now + SOON if isinstance(report.error, LockHeld | StateUnavailable) else None


def _wanted(campaign: Campaign, rhythm: Rhythm, now: datetime) -> Wanted:
    latest = rhythm.after(now) + interval(rhythm, now) * BACK_OFF + LONGEST_ORDER
    return Wanted(campaign.name, campaign.account, campaign.settings.id, no_later_than=latest)


_LEVELS: Final = {Exit.GOOD: "info", Exit.LOCKED: "debug", Exit.FAILED: "error", Exit.BLOCKED: "error"}


def log(report: PassReport) -> None:
    """Log what a pass decided and did: one line, a sentence and the counts."""
    counts = {name: count for name, count in report.counts().items() if type(count) is int}
    seconds = round((report.ended - report.began).total_seconds(), 3) if report.ended else None
    write = getattr(LOG, _LEVELS.get(report.exit_status, "warning"))
    write(report.sentence(), campaign=report.campaign, result=report.result.value, seconds=seconds, **counts)
