"""Telling people beside the passes, none of which waits for it: notices, reminders and heartbeats."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Final

import structlog

from syncd.clock import Clock
from syncd.config import Config
from syncd.errors import StateUnavailable
from syncd.report.notify import Notifier
from syncd.state.campaigns import Result
from syncd.state.database import Database
from syncd.sync import Campaign, PassReport

LOG = structlog.get_logger(__name__)

TEND_SECONDS: Final = 60.0
"""How often is looked for what has become due without a pass, and the heartbeat of all is sent."""

END_SECONDS: Final = 2.0
"""How long what is on its way is waited for at the end. A notice that was not taken stays due."""


class Telling:
    """What the daemon has people told. ``config`` returns the settings of now."""

    def __init__(self, clock: Clock, config: Callable[[], Config], database: Database) -> None:
        self._clock, self._config, self._database = clock, config, database
        self._notifier = Notifier(clock)
        self._on_its_way: set[asyncio.Task[None]] = set()
        self._troubled: set[str] = set()
        self._lost: StateUnavailable | None = None

    def passed(self, campaign: Campaign, report: PassReport) -> None:
        """A pass has ended."""
        if report.result is Result.GOOD:
            self._troubled.discard(campaign.name)
        else:
            self._troubled.add(campaign.name)
        self._begin(self._notifier.after_pass(self._config(), campaign, report, self._database))

    def state(self, error: StateUnavailable | None) -> None:
        """The state was asked, and could not be reached where there is an error."""
        before, self._lost = self._lost, error
        if error is not None and before is None:
            LOG.error("nothing is sent while the state is out of reach", why=error.sentence())
            self._begin(self._notifier.state_lost(self._config().notify, error))
        elif error is None and before is not None:
            LOG.info("the state is back")

    async def tend(self) -> None:
        """Look after what becomes due by the passing of time, for ever."""
        while True:
            await self._clock.sleep(TEND_SECONDS)
            config = self._config()
            if self._lost is not None:
                await self._notifier.state_lost(config.notify, self._lost)
                continue
            await self._notifier.pulse(config, self._database)
            for name in self._troubled & set(config.campaigns):
                await self._notifier.tell(config, Campaign.of(config, name), self._database)

    async def end(self) -> None:
        """Wait a little for what is on its way."""
        if self._on_its_way:
            await asyncio.wait(self._on_its_way, timeout=END_SECONDS)
        for one in list(self._on_its_way):
            one.cancel()

    def _begin(self, telling: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(telling, name="telling")
        self._on_its_way.add(task)
        task.add_done_callback(self._on_its_way.discard)
