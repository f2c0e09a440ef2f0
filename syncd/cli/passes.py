"""Passes as commands run them: one campaign after another, in the order of the file."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Final

from syncd.cli.progress import shown
from syncd.cli.screen import complain
from syncd.state.campaigns import Result
from syncd.sync import PassReport, Progress, run_pass
from syncd.sync.worlds import Worlds
from syncd.words import Exit

STOP_SECONDS: Final = 15.0
"""How long a pass that is told to stop is waited for; then it is cancelled, and the next one settles its claims."""

GRAVEST_FIRST: Final = (Exit.FAILED, Exit.BLOCKED, Exit.HELD, Exit.PARTIAL, Exit.CHANGES_PENDING, Exit.LOCKED)


def gravest(statuses: Iterable[Exit]) -> Exit:
    """Return the exit status of a command, given those of its campaigns."""
    occurred = set(statuses)
    return next((status for status in GRAVEST_FIRST if status in occurred), Exit.GOOD)


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
