"""The unattended process: the fleet, whom it tells, the pages, systemd, and the file that is read anew."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import structlog

from syncd import logs
from syncd.clock import Clock
from syncd.config import Config, load_config
from syncd.daemon.control import Control, control
from syncd.daemon.fleet import Fleet
from syncd.daemon.systemd import ServiceManager
from syncd.daemon.telling import Telling
from syncd.errors import ConfigError, ConfigProblem, StateUnavailable
from syncd.report.metrics import Metrics
from syncd.report.server import serve
from syncd.report.shown import Shown
from syncd.report.web import application
from syncd.state.database import Database
from syncd.state.line import Line
from syncd.state.migrate import migrate
from syncd.state.opening import open_state
from syncd.state.overview import overview
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, PassReport
from syncd.sync.worlds import Worlds

LOG = structlog.get_logger(__name__)

MIGRATE_AGAIN: Final = 5.0
"""Seconds between two tries to reach the state at the start."""

KEPT: Final = 2
"""Connections that wait for the next pass: rarely do more than two passes run at once."""

STUCK_SECONDS: Final = 120.0
"""A daemon that has not even tried for so long to ask who is due makes no progress."""


class Daemon:
    """Keeps the campaigns of one configuration in step until it is told to stop."""

    def __init__(self, config: Config, clock: Clock, environ: Mapping[str, str], manager: ServiceManager) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        """Set to have the file read anew."""
        self._config, self._clock, self._environ, self._manager = config, clock, environ, manager
        self._metrics = Metrics()

    async def run(self) -> None:
        """Run until ``stop`` is set.

        Raise StateUnavailable where syncd's own PostgreSQL cannot be started, ListenRefused, ConfigError where the
        control file has no place. A state at a URL is waited for.
        """
        async with open_state(self._config.state) as database:
            with control(self._config, self._environ) as file:
                self._line, self._reports = Line(database), Line(database)
                self._workplaces = Workplaces(database, keep=KEPT)
                self._telling = Telling(self._clock, lambda: self._config, database)
                worlds = Worlds(self._config, self._workplaces, clock=self._clock, stop=self.stop)
                self._fleet = Fleet(worlds, self._line, self._clock, on_pass=self._passed, on_state=self._telling.state)
                self._metrics.tenants(worlds.tenants.values())
                async with serve(application(self), self._config.service.listen) as address:
                    LOG.info("started", page=address, campaigns=len(self._config.campaigns))
                    await self._run(database, file)
                LOG.info("stopped")

    async def _run(self, database: Database, file: Control) -> None:
        async with asyncio.TaskGroup() as tasks:
            beside = [
                tasks.create_task(self._feed_watchdog(), name="watchdog"),
                tasks.create_task(self._reload_on(file), name="reload"),
            ]
            if await self._migrated(database):
                beside.append(tasks.create_task(self._telling.tend(), name="tend"))
                self._manager.ready(self._status())
                await self._fleet.run()
            self._manager.stopping()
            for one in beside:
                one.cancel()
        await self._telling.end()
        await self._line.close()
        await self._reports.close()
        await self._workplaces.close()

    async def _migrated(self, database: Database) -> bool:
        """Bring the state's schema up to date as soon as it is there; return False where told to stop before."""
        while not self.stop.is_set():
            self._fleet.tried_at = self._clock.monotonic()
            try:
                await asyncio.to_thread(migrate, database)
            except StateUnavailable as error:
                self._telling.state(error)
                self._manager.status(f"waiting for the state: {error.what}")
                self._manager.extend_start(10 * MIGRATE_AGAIN)
            else:
                self._telling.state(None)
                return True
            waiting = asyncio.create_task(self.stop.wait())
            await asyncio.wait({waiting}, timeout=MIGRATE_AGAIN)
            waiting.cancel()
        return False

    def _passed(self, campaign: Campaign, report: PassReport) -> None:
        self._metrics.passed(campaign.name, report)
        self._telling.passed(campaign, report)

    # --- the file, read anew -----------------------------------------------------------------------------------------

    async def _reload_on(self, file: Control) -> None:
        while True:
            await self.reload.wait()
            self.reload.clear()
            self._manager.reloading()
            try:
                self._take_over(self._read_anew())
            except ConfigError as error:
                for problem in error.problems:
                    LOG.error(f"the file was not taken over: {problem}")
                file.reloaded("\n".join(map(str, error.problems)))
            else:
                LOG.info("the file was taken over", campaigns=len(self._config.campaigns))
                file.reloaded()
            self._manager.ready(self._status())

    def _read_anew(self) -> Config:
        """Return what the file says now. Raise ConfigError, also where it asks for what only a restart can give."""
        before = self._config
        config = load_config(before.path, environ=self._environ)
        fixed = [
            ConfigProblem(str(config.path), None, key, "is changed, and is read at the start only", "restart syncd")
            for key, changed in (
                ("[state]", config.state != before.state),
                ("[service] listen", config.service.listen != before.service.listen),
            )
            if changed
        ]
        if fixed:
            raise ConfigError(*fixed)
        return config

    def _take_over(self, config: Config) -> None:
        self._config = config
        logs.configure(
            level=config.service.log_level, form=config.service.log_format, secrets=list(logs.secrets_of(config))
        )
        worlds = Worlds(config, self._workplaces, clock=self._clock, stop=self.stop, before=self._fleet.worlds)
        self._fleet.take_over(worlds)
        self._metrics.tenants(worlds.tenants.values())

    # --- systemd -----------------------------------------------------------------------------------------------------

    async def _feed_watchdog(self) -> None:
        """Tell systemd of progress, from the loop that is to make it, as long as it does."""
        seconds = self._manager.watchdog_seconds
        while seconds is not None:
            if self.loop_turns():
                self._manager.watchdog()
            await self._clock.sleep(seconds)

    def _status(self) -> str:
        enabled = sum(settings.enabled for settings in self._config.campaigns.values())
        return f"keeping {enabled} campaign{'' if enabled == 1 else 's'} in step"

    # --- what the pages show -----------------------------------------------------------------------------------------

    @property
    def metrics(self) -> Metrics:
        return self._metrics

    def now(self) -> datetime:
        return self._clock.now()

    def loop_turns(self) -> bool:
        """Return whether the daemon makes progress."""
        return self._clock.monotonic() - self._fleet.tried_at < STUCK_SECONDS

    async def overviews(self) -> Sequence[Shown]:
        """Return how each campaign of the configuration stands. Raise StateUnavailable."""
        config = self._config
        async with self._reports.use() as connection:
            found = await overview(connection, config.identities(), self.now())
        return [Shown(settings, found[name]) for name, settings in config.campaigns.items()]
