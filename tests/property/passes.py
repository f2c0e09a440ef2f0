"""One pass of one syncd, as the observer sees it, with what befalls it on the way."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from syncd.config import CampaignSettings, Secret, SourceSettings, TenantSettings
from syncd.dialer.client import Tenant
from syncd.errors import LockHeld, StateUnavailable, SyncdError, WrongMatchKey
from syncd.simulator import Call
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, PassReport, World, run_pass
from tests.property.happenings import Errand
from tests.property.observer import Book, PassSeen
from tests.property.town import NEVER_AGAIN, Happening, Row, Town, happen
from tests.property.virtual_clock import VirtualClock
from tests.property.wire import Wire

NOWHERE: Final = "SELECT * FROM nowhere"


class KilledError(BaseException):
    """The process of a syncd ended here."""


class Syncd:
    """A process of syncd: its wire to the tenant, and what it remembers as long as it lives."""

    def __init__(self, name: str, town: Town, workplaces: Workplaces, clock: VirtualClock) -> None:
        self.settings = TenantSettings(
            name="acme",
            base_url=f"http://{name}.invalid",
            username="acmecorp01",
            action_token=Secret("simulated-action"),
            data_token=Secret("simulated-data"),
            requests_per_second=100_000,
            concurrency=2,
            do_not_call=(NEVER_AGAIN,),
        )
        self.wire = Wire(town.tenant, clock)
        self.dead = False
        self._workplaces, self._clock = workplaces, clock
        self.world = self._born()

    def _born(self) -> World:
        return World(self._workplaces, Tenant(self.settings, clock=self._clock, random=lambda: 0.5), self._clock)

    def begins(self) -> None:
        """Be ready for a pass: in a new process where the old one was killed."""
        if self.dead:
            self.world = self._born()
        self.dead = self.wire.down = False
        self.world.stop.clear()
        self.wire.clear()


@dataclass(slots=True)
class Attempt:
    """A pass on its errand."""

    syncd: Syncd
    errand: Errand
    settings: CampaignSettings
    town: Town
    book: Book
    clock: VirtualClock
    crm: Path
    tally: Counter[str]
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    """It has the lock, or has come to its end without it."""

    async def run(self, after: "Attempt | None" = None) -> PassSeen:
        """Run the pass, begun once the one before it is under way; return what the observer saw of it."""
        if after is not None:
            await after.under_way.wait()
        try:
            return await self._run()
        finally:
            self.under_way.set()

    async def _run(self) -> PassSeen:
        syncd, errand = self.syncd, self.errand
        seen = PassSeen(self._settings(), errand.source in ("down", "list down"))
        syncd.begins()
        syncd.wire.passing = lambda moment: self._comes(seen, moment)
        syncd.world.reached = lambda point: self._reaches(seen, point)
        source = SourceSettings(name="crm", url=f"sqlite:///{self.crm}")
        campaign = Campaign(seen.settings, syncd.settings, source, source)
        seen.outcome = "killed"
        try:
            report = await run_pass(campaign, syncd.world, kind="run", always_observe=errand.observes)
        except (KilledError, BaseExceptionGroup) as error:
            if not (syncd.dead and _is_of_a_kill(error)):
                raise
        else:
            if not syncd.dead:
                seen.outcome = _in_a_word(report)
                seen.ended = not isinstance(report.error, StateUnavailable | LockHeld)
        seen.carried = syncd.wire.carried
        seen.after = self.book.look(self.clock.now())
        seen.journal = self.book.journal(seen.number)
        seen.suppressed_at_end = self.town.suppressed()
        return seen

    def _settings(self) -> CampaignSettings:
        settings, source = self.settings, self.errand.source
        if source in ("down", "query fails"):
            settings = replace(settings, query=NOWHERE)
        if source in ("down", "list down"):
            settings = replace(settings, suppress=NOWHERE)
        return settings

    def _reaches(self, seen: PassSeen, point: str) -> None:
        """Note what the observer wants to know of a point, then let happen what is to happen there."""
        if point == "lock":
            self.under_way.set()
            seen.before = self.book.look(self.clock.now())
            seen.suppressed_at_start = self.town.suppressed()
        elif point == "observe":
            seen.observed = any(carried.entry.call is Call.LIST for carried in self.syncd.wire.carried)
        elif point == "read":
            with_versions = "*" in seen.settings.query
            seen.due = {c: row if with_versions else Row(row.at, None) for c, row in self.town.due.items()}
            seen.junk, seen.suppressed_rows = self.town.junk, len(self.town.do_not_call)
            seen.suppressed_at_read = self.town.suppressed()
        elif point == "plan":
            seen.planned = self.book.look(self.clock.now())
        elif point == "guard":
            seen.judged_at = self.clock.now()
        self._comes(seen, point)

    def _comes(self, seen: PassSeen, moment: str) -> None:
        if self.syncd.dead:
            raise KilledError  # in another task of the pass
        for when, what in self.errand.interruptions:
            if when == moment:
                self.tally[f"interruption: {what if isinstance(what, str) else what[0]}"] += 1
                self._interrupt(what)
        seen.suppressed_ever |= self.town.suppressed()

    def _interrupt(self, what: str | Happening) -> None:
        if not isinstance(what, str):
            happen(self.town, what)
        elif what == "stop":
            self.syncd.world.stop.set()
        elif what == "network gone":
            self.syncd.wire.down = True
        else:
            self.book.end_session_of_the_pass()
            if what == "kill":
                # Its session ends first: a process that is killed writes nothing while it unwinds.
                self.syncd.dead = True
                raise KilledError


def _in_a_word(report: PassReport) -> str:
    if isinstance(report.error, LockHeld):
        return "locked"
    return "wrong key" if isinstance(report.error, WrongMatchKey) else report.result.value


def _is_of_a_kill(error: BaseException) -> bool:
    if isinstance(error, BaseExceptionGroup):
        return all(_is_of_a_kill(each) for each in error.exceptions)
    return isinstance(error, KilledError | SyncdError)
