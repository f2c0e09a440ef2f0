"""Random schedules: a state machine that lets things happen, runs whole passes, and holds each against the laws."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import psycopg
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from syncd.config import CampaignSettings, GuardSettings, Mode, Removes
from syncd.simulator import SimulatedTenant
from syncd.state import held, parking
from syncd.state.database import Database, connect
from syncd.state.migrate import migrate
from syncd.state.workplace import Workplaces
from tests.property import laws
from tests.property.happenings import ERRANDS, HAPPENINGS, MANNERS, SETTINGS, STARTS, Errand, Start
from tests.property.observer import Book, Memory, PassSeen
from tests.property.passes import Attempt, Syncd
from tests.property.town import Happening, Town, happen
from tests.property.virtual_clock import VirtualClock
from tests.property.wire import Wire
from tests.stage import CAMPAIGN

FEW_HAPPENINGS = st.lists(HAPPENINGS, max_size=4)

HANGS: Final = 60.0
"""Real seconds after which a pass is said to hang."""

APPROVALS: Final = 6
"""How often the operator approves at the end, at most: removals and additions may be held one after the other."""

NO_GUARD: Final = GuardSettings(
    min_rows=0,
    max_invalid_percent=0,
    max_shrink_percent=0,
    max_removal_percent=0,
    max_removals=0,
    max_removals_per_day=0,
    max_growth_percent=0,
    max_vanished_percent=0,
    max_new_query_additions=0,
    max_suppress_shrink_percent=0,
)


class Ground:
    """What the schedules of a process stand on: the state's database, the source's file, an event loop, a tally."""

    def __init__(self, url: str, crm: Path) -> None:
        """Take the URL of an empty database, and the file of a source with its tables."""
        self.database = Database(url, "syncd")
        migrate(self.database)
        self.book = Book(psycopg.connect(url, autocommit=True))
        self.crm = crm
        self.loop = asyncio.new_event_loop()
        self.workplaces = Workplaces(self.database, keep=2)
        self.wires: dict[str, Wire] = {}
        self.tally: Counter[str] = Counter()

    def close(self) -> None:
        self.book.connection.close()
        self.loop.run_until_complete(self.workplaces.close())
        self.loop.close()


class Schedule(RuleBasedStateMachine):
    """One schedule over one campaign: two syncds side by side, the town around them, and the observer."""

    def __init__(self, ground: Ground) -> None:
        super().__init__()
        self.ground, self.clock, self.memory = ground, VirtualClock(), Memory()
        ground.book.clear()
        tenant = SimulatedTenant(clock=self.clock)
        tenant.add_campaign(CAMPAIGN)
        tenant.add_customers(range(1, 1000))
        self.town = Town(ground.crm, tenant, ground.book.connection, self.clock)
        self.syncds = [Syncd(name, self.town, ground.workplaces, self.clock) for name in ("one", "two")]
        ground.wires.update((syncd.settings.base_url, syncd.wire) for syncd in self.syncds)
        self.start = Start()
        self.settings = CampaignSettings(
            name="renewals",
            id=CAMPAIGN,
            tenant="acme",
            source="crm",
            query="SELECT * FROM due",
            suppress="SELECT customer_id FROM do_not_call",
        )
        self.broken = False
        ground.tally["schedules"] += 1

    # --- rules -------------------------------------------------------------------------------------------------------

    @initialize(start=STARTS)
    def begins(self, start: Start) -> None:
        """The operator has made a configuration, and the source and the campaign need not be empty."""
        self.start = start
        self.settings = replace(self.settings, **start.settings)
        for happening in start.happenings:
            happen(self.town, happening)

    @rule(happenings=FEW_HAPPENINGS, observes=st.booleans())
    def a_quiet_pass(self, happenings: list[Happening], observes: bool) -> None:
        self._step("a quiet pass", happenings)
        self._run((0, Errand(observes=observes)))

    @rule(happenings=FEW_HAPPENINGS, errand=ERRANDS, which=st.sampled_from([0, 1]))
    def a_pass(self, happenings: list[Happening], errand: Errand, which: int) -> None:
        self._step("a pass", happenings)
        self._run((which, errand))

    @rule(happenings=FEW_HAPPENINGS, errand=ERRANDS)
    def two_passes_at_once(self, happenings: list[Happening], errand: Errand) -> None:
        self._step("two passes at once", happenings)
        self._run((0, errand), (1, Errand()))

    @rule(change=st.sampled_from(["approves", "retries"]) | SETTINGS)
    def the_operator_acts(self, change: str | dict[str, Any]) -> None:
        self._step("the operator acts")
        if change == "approves":
            self._approve()
        elif change == "retries":
            self._retry()
        else:
            assert isinstance(change, dict)
            changed = replace(self.settings, **change)
            if not (changed.mode is Mode.ADD_ONLY and changed.removes is Removes.ALL):  # that is a config error
                self.settings = changed

    @rule(change=MANNERS)
    def the_tenant_changes_its_manner(self, change: dict[str, Any]) -> None:
        self._step("the tenant changes its manner")
        for name, value in change.items():
            setattr(self.town.tenant.manner, name, value)

    def teardown(self) -> None:
        """Let the town come to rest, and see that syncd brings the campaign into step and then writes no more."""
        try:
            if not self.broken and self.ground.book.campaign():
                self._ends_in_step()
        finally:
            self.town.close()

    # --- what a rule does --------------------------------------------------------------------------------------------

    def _step(self, name: str, happenings: Sequence[Happening] = ()) -> None:
        self.ground.tally["steps"] += 1
        self.ground.tally[f"step: {name}"] += 1
        for happening in happenings:
            self.ground.tally[f"happening: {happening[0]}"] += 1
            happen(self.town, happening)

    def _run(self, *errands: tuple[int, Errand]) -> PassSeen:
        """Run passes side by side and hold each against the laws; return the last."""
        self.broken = True
        faults = [self.town.tenant.faults.add(fault) for _, errand in errands for fault in errand.faults]
        attempts = [self._attempt(which, errand) for which, errand in errands]
        passes = self.ground.loop.run_until_complete(self._side_by_side(attempts))
        self.town.tenant.faults.clear()
        for armed in faults:
            self.ground.tally[f"fault: {_name(armed.fault)}"] += armed.struck
        for seen in passes:
            self.ground.tally[f"pass: {seen.outcome}"] += 1
            self._judge(seen)
            if seen.outcome in ("blocked", "paused"):
                self.town.is_looked_after()
        self.broken = False
        return passes[-1]

    def _attempt(self, which: int, errand: Errand) -> Attempt:
        return Attempt(
            syncd=self.syncds[which],
            errand=errand,
            settings=self.settings,
            town=self.town,
            book=self.ground.book,
            clock=self.clock,
            crm=self.ground.crm,
            tally=self.ground.tally,
        )

    async def _side_by_side(self, attempts: list[Attempt]) -> list[PassSeen]:
        try:
            async with asyncio.timeout(HANGS):
                before = (None, *attempts[:-1])
                return await asyncio.gather(*(a.run(after=b) for a, b in zip(attempts, before, strict=True)))
        except TimeoutError:
            raise AssertionError("the pass hangs") from None

    def _judge(self, seen: PassSeen) -> None:
        if seen.before is None:
            assert not seen.carried, "a pass without the lock has called"
            return
        laws.nobody_suppressed_is_added(seen)
        laws.the_suppressed_go_first(seen)
        laws.only_ours_is_deleted(seen)
        laws.ours_is_what_was_added_or_wanted(seen, self.memory)
        laws.no_limit_is_passed(seen, self.memory)
        laws.an_approval_lets_each_change_through_once(seen)
        laws.nobody_is_added_twice(seen)
        laws.nobody_called_is_called_again(seen, self.memory)
        laws.nobody_is_rung_for_ever(seen, self.memory)
        laws.what_was_done_is_on_record(seen)
        self.memory.learn(seen)
        laws.nothing_confirmed_is_forgotten(seen, self.memory)
        laws.who_is_taken_for_called_was_rung(seen, self.town)

    def _approve(self) -> bool:
        digest = self.ground.book.held()
        if digest is None:
            return False

        async def approve() -> None:
            async with connect(self.ground.database) as connection:
                campaign = self.ground.book.campaign()
                await held.approve(connection, campaign, "renewals", digest, "ann", self.clock.now())

        self.ground.loop.run_until_complete(approve())
        return True

    def _retry(self) -> None:
        async def retry() -> None:
            async with connect(self.ground.database) as connection:
                await parking.retry(connection, self.ground.book.campaign(), None)

        self.ground.loop.run_until_complete(retry())

    def _ends_in_step(self) -> None:
        """Two passes that observe bring the campaign into step, approvals aside, and the one after writes nothing."""
        self.town.comes_to_rest()
        self.clock.move(hours=self.start.rest_hours)
        self._retry()
        if not self.start.guarded_end:
            self.settings = replace(self.settings, guard=NO_GUARD)
        self._run((0, Errand()))
        seen = self._run((0, Errand()))
        for _ in range(APPROVALS):
            if not self._approve():
                break
            # What is approved is removed by the one, and found to be out, or parked, by the other.
            self._run((0, Errand()))
            seen = self._run((0, Errand()))
        if seen.outcome == "wrong key":
            laws.the_key_may_be_wrong(self.town)
            return
        laws.the_campaign_is_what_the_source_says(self.town, seen, self.memory, self.clock.now())
        # A delete that a tenant has answered with nothing that tells is settled by two more listings.
        for _ in range(2):
            if seen.outcome == "partial":
                seen = self._run((0, Errand()))
        seen = self._run((0, Errand()))
        laws.nothing_is_written(seen)
        assert seen.outcome == "good", seen.outcome


def _name(fault: Any) -> str:
    when = " after the deed" if fault.deed else ""
    return f"{fault.kind}{f' {fault.status}' if fault.kind == 'answer' else ''}{when}"
