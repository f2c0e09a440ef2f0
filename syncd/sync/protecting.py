"""Protect: whom the suppression list names and the ledger has in the campaign is removed at once.

It is done before anything slow, and anew each ``every`` while a pass takes longer. It depends on neither the desired
query, nor the guard, nor a pause.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Final

import structlog

from syncd import plan
from syncd.errors import SyncdError, first_of
from syncd.plan import Plan
from syncd.state.pen import Pen
from syncd.sync.applying import Applier
from syncd.sync.reading import Suppressed, read_suppressed
from syncd.sync.stopping import PassStopped, unless_stopped
from syncd.sync.world import Campaign, World

LOG = structlog.get_logger(__name__)

EVERY: Final = timedelta(minutes=5)
"""How often a campaign that runs by cron reads the suppression list while a pass is long."""


class Protector:
    """The suppression lane of one pass."""

    def __init__(self, pen: Pen, applier: Applier, campaign: Campaign, world: World) -> None:
        self.suppressed: Suppressed | None = None
        """The newest reading of the list."""
        self._pen, self._applier, self._campaign, self._world = pen, applier, campaign, world
        self._lane = asyncio.Lock()
        self._added: int | None = None
        """How many additions had been answered when the list was last read anew; None: it was not since the plan."""

    async def protect(self) -> Suppressed:
        """Read the list and remove whom it names. A list that cannot be read leaves the one before it in force."""
        async with self._lane:
            reading = read_suppressed(self._pen, self._campaign, self._world.progress)
            self.suppressed = await unless_stopped(self._world.stop, reading)
            if self.suppressed.in_force:
                await self._take_out()
        return self.suppressed

    async def _take_out(self) -> None:
        """Remove whom the list in force names, by what the ledger knows now."""
        async with self._pen.alone() as connection:
            found = await plan.decide(
                connection,
                self._pen.campaign,
                self._campaign.settings,
                self._world.clock.now(),
                observed=self._pen.observed,
                suppressed_only=True,
            )
        if found.suppressions:
            await self._applier.suppressions()

    async def send_planned(self, planned: Plan) -> None:
        """Remove the suppressed whom the plan of the whole campaign found."""
        async with self._lane:
            if planned.suppressions:
                await self._applier.suppressions()

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Keep the lane still while the whole plan is made anew."""
        async with self._lane:
            yield

    @asynccontextmanager
    async def keeping_on(self) -> AsyncIterator[None]:
        """Protect anew each ``every`` for as long as the context lasts; what is on its way then is awaited."""
        keeper = asyncio.create_task(self._keep_on())
        try:
            try:
                yield
            except Exception:
                await self._still()
                raise
            await self._look_back()
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _still(self) -> None:
        """Wait until what the lane has sent is answered and recorded."""
        async with self._lane:
            return

    async def _look_back(self) -> None:
        """Wait as well, and take out who was named when the addition was on its way, and arrived after all.

        The removal that the list asked for may have come before the addition, and found nothing.
        """
        async with self._lane:
            if self._added is not None and self._applier.added > self._added:
                await self._take_out()

    async def _keep_on(self) -> None:
        every = (self._campaign.settings.every or EVERY).total_seconds()
        while True:
            await self._world.clock.sleep(every)
            try:
                await self._protect_again()
            except PassStopped:
                return

    async def _protect_again(self) -> None:
        """Protect; what ended it ends the pass as well, where it concerns it, and the lane is tried again all the same.

        What ends a worker comes in a group with what ended those beside it.
        """
        self._added = self._applier.added
        try:
            await self.protect()
        except* SyncdError as errors:
            self._pen.list_error = error = first_of(errors)
            LOG.warning("suppressions could not be looked after", campaign=self._campaign.name, why=error.sentence())
