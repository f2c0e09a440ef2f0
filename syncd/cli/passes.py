"""Passes as commands run them: one campaign after another, in one world, in the order of the file."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from syncd.cli.progress import shown
from syncd.cli.screen import complain
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.dialer.client import Tenant
from syncd.state.campaigns import Result
from syncd.state.database import Database
from syncd.state.lock import Keeping
from syncd.sync import Campaign, PassReport, Progress, World, run_pass
from syncd.words import Exit

STOP_SECONDS: Final = 15.0
"""How long a pass that is told to stop is waited for; then it is cancelled, and the next one settles its claims."""

GRAVEST_FIRST: Final = (Exit.FAILED, Exit.BLOCKED, Exit.HELD, Exit.PARTIAL, Exit.CHANGES_PENDING, Exit.LOCKED)


def gravest(statuses: Iterable[Exit]) -> Exit:
    """Return the exit status of a command, given those of its campaigns."""
    occurred = set(statuses)
    return next((status for status in GRAVEST_FIRST if status in occurred), Exit.GOOD)


class Worlds:
    """The world of each campaign's pass; campaigns of one tenant share its pace."""

    def __init__(self, config: Config, database: Database) -> None:
        self.stop = asyncio.Event()
        self._config, self._database = config, database
        self._clock = SystemClock()
        self._tenants = {name: Tenant(tenant, clock=self._clock) for name, tenant in config.tenants.items()}

    def campaign(self, name: str) -> Campaign:
        """Return a campaign with what it names."""
        return Campaign.of(self._config, name)

    def world(self, name: str, progress: Progress) -> World:
        """Return the world for a pass over a campaign."""
        state = self._config.state
        return World(
            database=self._database,
            tenant=self._tenants[self._config.campaigns[name].tenant],
            clock=self._clock,
            progress=progress,
            keeping=Keeping(passes=state.keep, suppressions=state.keep_suppressions),
            stop=self.stop,
        )


async def run_passes(worlds: Worlds, names: Sequence[str], *, wait: bool = False) -> AsyncIterator[PassReport]:
    """Run a pass over each campaign, with a listing; yield what it did.

    Once the worlds are told to stop the pass that runs is, and those after it do not begin.
    """
    for name in names:
        with shown(name) as progress:
            report = await _run(worlds, name, progress, wait=wait)
        yield report


async def _run(worlds: Worlds, name: str, progress: Progress, *, wait: bool) -> PassReport:
    world = worlds.world(name, progress)
    not_ended = PassReport(name, world.clock.now(), result=Result.STOPPED)
    if worlds.stop.is_set():
        return not_ended
    running = asyncio.create_task(
        run_pass(worlds.campaign(name), world, kind="once", always_observe=True, wait=wait), name=name
    )
    told = asyncio.create_task(worlds.stop.wait())
    try:
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            await asyncio.wait({running}, timeout=STOP_SECONDS)
    finally:
        told.cancel()
        running.cancel()
        await asyncio.wait({running})
    return not_ended if running.cancelled() else running.result()


def complain_of(report: PassReport) -> None:
    """Say on the standard error what ended a pass."""
    if report.error is not None:
        sentence = report.error.sentence()
        whose = f"campaign {report.campaign}: "
        complain(sentence if sentence.startswith(whose) else whose + sentence)
