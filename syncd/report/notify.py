"""Notify: after a pass, and at any time between passes, people are told what has become due, and heartbeats are sent.

Each address of ``[notify] urls`` is a receiver of its own: it is told once, noted in the state only when it took the
notice, and one that did not is tried again with the next look while the others are left alone. A notice that was taken
by a receiver whose answer came too late is sent twice: better twice than never. Nothing here raises, and all of it has
a limit of time.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Final

import structlog

from syncd.clock import Clock
from syncd.config import Config, NotifySettings
from syncd.errors import StateUnavailable, first_of
from syncd.report import notice_words
from syncd.report.heartbeat import ping
from syncd.report.notice_words import Text
from syncd.report.notices import Notice, Urgency, due
from syncd.report.post import Post
from syncd.state import notices, suppressed
from syncd.state.campaigns import Result
from syncd.state.database import Connection, Database, connect
from syncd.state.notices import Told
from syncd.state.overview import overview
from syncd.sync import Campaign, PassReport
from syncd.words import Condition

LOG = structlog.get_logger(__name__)

SECONDS: Final = 15.0
"""How long telling of one campaign may take, all in. A state that is out of reach is told after it."""

SEND_SECONDS: Final = 12.0
"""How much of it the receivers may take; what is left is for the state."""


class Notifier:
    """Tells people. One for each process: that the state is out of reach cannot be kept in the state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._post = Post()
        self._outage = asyncio.Lock()
        self._lost_since: datetime | None = None
        self._told_lost: dict[int, datetime] = {}
        """When each receiver was last told that the state is out of reach."""

    async def after_pass(self, config: Config, campaign: Campaign, report: PassReport, database: Database) -> None:
        """Tell what a pass has made due of its campaign, and ping the campaign's heartbeat after a good one."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self.tell(config, campaign, database, ends_at=report.ends_at))
            if report.result is Result.GOOD and campaign.settings.heartbeat:
                both.create_task(self._beat(campaign))

    async def pulse(self, config: Config, database: Database) -> None:
        """Ping the heartbeat of all while every enabled campaign is good and none is overdue."""
        if not config.notify.heartbeat:
            return
        with _logged("the heartbeat could not be looked after"):
            if await self._all_is_well(config, database):
                await ping(config.notify.heartbeat)

    async def tell(
        self, config: Config, campaign: Campaign, database: Database, *, ends_at: datetime | None = None
    ) -> None:
        """Tell what is due of a campaign. The end of a time may make something due without a pass."""
        if not config.notify.urls:
            return
        with _logged("notices could not be looked after", campaign=campaign.name):
            lost = await self._look(config.notify, campaign, database, ends_at)
            if lost is not None:
                await self.state_lost(config.notify, lost)
            else:
                await self._state_found(config.notify)

    async def state_lost(self, settings: NotifySettings, error: StateUnavailable) -> None:
        """Tell that the state is out of reach, once that has lasted; to be called again while it does."""
        if not settings.urls:
            return
        LOG.error("notices wait for the state", why=error.sentence())
        async with self._outage:
            now, limit = self._clock.now(), self._limit()
            self._lost_since = since = self._lost_since or now
            if now - since < settings.after:
                return
            for receiver in range(1, len(settings.urls) + 1):
                told = self._told_lost.get(receiver)
                if told is None or now - told >= settings.remind:
                    text = notice_words.state_lost(error.sentence(), since, now, still=told is not None)
                    if await self._taken(settings, receiver, Urgency.FAILURE, text, limit):
                        self._told_lost[receiver] = now

    async def _state_found(self, settings: NotifySettings) -> None:
        async with self._outage:
            self._lost_since, limit = None, self._limit()
            for receiver in [receiver for receiver in self._told_lost if receiver <= len(settings.urls)]:
                if await self._taken(settings, receiver, Urgency.SUCCESS, notice_words.state_found(), limit):
                    del self._told_lost[receiver]

    async def _look(
        self, settings: NotifySettings, campaign: Campaign, database: Database, ends_at: datetime | None
    ) -> StateUnavailable | None:
        """Tell what is due, and return why the state could not be had where it could not."""
        lost: StateUnavailable | None = None
        try:
            async with asyncio.timeout(SECONDS), connect(database) as connection:
                await self._tell(connection, settings, campaign, ends_at)
        except* StateUnavailable as errors:
            lost = first_of(errors)
        except* TimeoutError:
            lost = StateUnavailable(f"no answer within {SECONDS:g} s")
        return lost

    async def _tell(
        self, connection: Connection, settings: NotifySettings, campaign: Campaign, ends_at: datetime | None
    ) -> None:
        account, vendor_id = campaign.account, campaign.settings.id
        async with notices.turn(connection, account, vendor_id) as ours:
            now = self._clock.now()
            situation = await notices.situation(
                connection, account, vendor_id, now, late=suppressed.LATE, many=campaign.settings.guard.max_removals
            )
            if situation is None or not ours:
                return
            told = await notices.told(connection, situation.campaign, len(settings.urls))

            async def note(receiver: int, notice: Notice) -> None:
                if notice.what is None:
                    await notices.forget(connection, situation.campaign, receiver, notice.subject)
                else:
                    what = Told(notice.what, now)
                    await notices.keep(connection, situation.campaign, receiver, notice.subject, what)

            limit = self._limit()
            async with asyncio.TaskGroup() as receivers:
                for receiver in range(1, len(settings.urls) + 1):
                    mine = due(campaign.name, situation, told.get(receiver, {}), settings, now, ends_at=ends_at)
                    receivers.create_task(self._deliver(settings, receiver, mine, limit, note))

    async def _deliver(
        self,
        settings: NotifySettings,
        receiver: int,
        mine: Sequence[Notice],
        limit: float,
        note: Callable[[int, Notice], Awaitable[None]],
    ) -> None:
        """Send one receiver its notices, one after another, up to the first that it does not take."""
        for notice in mine:
            if not await self._taken(settings, receiver, notice.urgency, notice.text, limit):
                return
            await note(receiver, notice)

    async def _taken(self, settings: NotifySettings, receiver: int, urgency: Urgency, text: Text, limit: float) -> bool:
        seconds = max(0.0, limit - self._clock.monotonic())
        why = await self._post.send(settings.urls[receiver - 1], urgency, text, seconds=seconds)
        if why is not None:
            LOG.error("a notice was not taken, and is due again", notice=text.title, url=receiver, why=why)
        return why is None

    async def _beat(self, campaign: Campaign) -> None:
        with _logged("the heartbeat could not be looked after", campaign=campaign.name):
            await ping(campaign.settings.heartbeat, campaign=campaign.name)

    def _limit(self) -> float:
        return self._clock.monotonic() + SEND_SECONDS

    async def _all_is_well(self, config: Config, database: Database) -> bool:
        now = self._clock.now()
        async with connect(database) as connection:
            found = await overview(connection, config.identities(), now)
        return all(
            found[name].condition is Condition.OK and not found[name].standing.overdue(settings, now)
            for name, settings in config.campaigns.items()
            if settings.enabled
        )


@contextmanager
def _logged(what: str, **where: str) -> Iterator[None]:
    """Log whatever goes wrong: that people cannot be told is no reason for anything else to stop."""
    try:
        yield
    except StateUnavailable as error:
        LOG.error(what, why=error.sentence(), **where)
    except Exception:
        LOG.exception(what, **where)
