"""A week, simulated: twenty campaigns, two hosts, faults of every kind, and nothing that grows."""

import asyncio
import gc
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from zoneinfo import ZoneInfo

import psutil
import pytest
from company import Company, Host, open_company, until

from syncd.daemon.service import KEPT
from syncd.simulator import Call, FaultKind
from syncd.state.campaigns import Result
from tests.clocks import SteeredClock

BEGIN = datetime(2026, 10, 22, tzinfo=UTC)
"""Summer time ends in London on the fourth day."""

HOUR = timedelta(hours=1)
LONDON = ZoneInfo("Europe/London")
SCHEDULES: tuple[dict[str, object], ...] = (
    {"every": 24 * HOUR},
    {"every": 12 * HOUR},
    {"every": 24 * HOUR, "list_every": 36 * HOUR},
    {"cron": "30 1 * * *", "timezone": LONDON},
    {"cron": "0 9 * * mon,wed,fri-sun", "timezone": LONDON},
)

FAULTS: tuple[dict[str, object], ...] = (
    {"kind": FaultKind.ANSWER, "status": 503, "count": 9},
    {"kind": FaultKind.ANSWER, "status": 401, "count": 4},
    {"kind": FaultKind.ANSWER, "status": 429, "retry_after": 7200, "count": 1},
    {"kind": FaultKind.RESET, "calls": frozenset({Call.ADD, Call.DELETE}), "deed": True, "count": 6},
    {"kind": FaultKind.HANG, "calls": frozenset({Call.ADD, Call.DELETE}), "count": 2},
    {"kind": FaultKind.TRUNCATED, "count": 3},
    {"kind": FaultKind.MISSING_ENTRIES, "calls": frozenset({Call.ADD}), "count": 3},
    {"kind": FaultKind.SHORT_LISTING, "calls": frozenset({Call.LIST}), "count": 8},
)


@dataclass(frozen=True, slots=True)
class Held:
    """What the process and the state hold on to while no pass runs."""

    megabytes: float
    objects: int
    descriptors: int
    """Those of connections to the state not counted."""
    tasks: int
    connections: int


@dataclass
class Week:
    """The company through a week."""

    company: Company
    clock: SteeredClock
    hosts: list[Host]
    chance: Random = field(default_factory=lambda: Random(7))
    wanted: dict[str, set[int]] = field(default_factory=dict)
    suppressed: dict[str, set[int]] = field(default_factory=dict)
    results: Counter[Result] = field(default_factory=Counter)

    async def hours(self, count: int) -> None:
        """Let hours pass, each with its passes."""
        for _ in range(count):
            self.clock.leap(HOUR)
            await asyncio.sleep(0.01)
            await until(lambda: not any(host.fleet.under_way for host in self.hosts), seconds=60)
            for host in self.hosts:
                self.results.update(report.result for report in host.passes)
                host.passes.clear()
            self.company.tenant.log.clear()

    def people_come_and_go(self) -> None:
        """Change who needs a call, and who must not be called, in a third of the campaigns."""
        for name, crm in self.company.crm.items():
            wanted, suppressed = self.wanted[name], self.suppressed[name]
            if self.chance.random() < 0.3:
                new = {max(wanted | {10_000}) + self.chance.randint(1, 50) for _ in range(3)} - wanted
                gone = set(self.chance.sample(sorted(wanted), 2))
                crm.want(*new)
                crm.drop(*gone)
                self.wanted[name] = (wanted | new) - gone
            if self.chance.random() < 0.1:
                never = self.chance.choice(sorted(self.wanted[name]))
                crm.suppress(never)
                suppressed.add(never)

    def something_breaks(self, repairs: ExitStack) -> None:
        """Have the tenant, some sources and perhaps the state fail for a while."""
        for fault in self.chance.sample(FAULTS, 3):
            self.company.strike(**fault)  # type: ignore[arg-type]
        for crm in self.chance.sample(list(self.company.crm.values()), 4):
            crm.run("ALTER TABLE due RENAME TO elsewhere")
            repairs.callback(crm.run, "ALTER TABLE elsewhere RENAME TO due")
        if self.chance.random() < 0.3:
            repairs.enter_context(self.company.state_lost())
        repairs.callback(self.company.tenant.faults.clear)

    def every_call_has_its_time(self) -> None:
        """Have no call given up any more because this machine is slow."""
        self.company.change_tenant(timeout=timedelta(seconds=60))
        for host in self.hosts:
            self.company.reload(host)

    async def the_power_is_cut(self) -> None:
        """Have all hosts die in the midst of their passes, and start others."""
        self.clock.leap(12 * HOUR)
        await until(lambda: self.company.tenant.log.of(Call.LIST))
        for host in self.hosts:
            await host.die()
            await host.close()
        for _ in range(len(self.hosts)):
            del self.hosts[0]
            await self.a_host_is_added()

    async def a_host_is_added(self) -> None:
        host = self.company.host()
        host.running = asyncio.create_task(host.fleet.run())
        self.hosts.append(host)
        await until(lambda: host.states)

    async def held(self) -> Held:
        """Return what is held on to now, when the server has ended what was closed."""
        gc.collect()
        await until(lambda: self.company.connections() <= (1 + KEPT) * len(self.hosts))
        connections = self.company.connections()
        return Held(
            psutil.Process().memory_info().rss / 1e6,
            len(gc.get_objects()),
            len(os.listdir("/proc/self/fd")) - connections,
            len(asyncio.all_tasks()),
            connections,
        )


@pytest.fixture
async def week(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Week]:
    clock = SteeredClock(BEGIN, speed=20)
    clock.govern(monkeypatch)
    async with open_company(tmp_path, database, clock) as company:
        company.change_tenant(timeout=timedelta(seconds=0.5))
        week = Week(company, clock, [])
        for number in range(20):
            name = f"campaign-{number}"
            company.begin(name, 200 + number, max_adds_per_week=100, **SCHEDULES[number % len(SCHEDULES)])
            company.crm[name].want(*range(10_000, 10_020))
            week.wanted[name] = {*range(10_000, 10_020), (200 + number) * 10, (200 + number) * 10 + 1}
            week.suppressed[name] = set()
        for _ in range(2):
            await week.a_host_is_added()
        yield week
        for host in week.hosts:
            await host.stop()
            await host.close()


async def test_after_a_week_of_faults_all_campaigns_are_in_step_and_nothing_has_grown(week: Week) -> None:
    await week.hours(12)
    for turn in range(8):
        week.people_come_and_go()
        with ExitStack() as repairs:
            week.something_breaks(repairs)
            if turn % 4 == 1:
                week.clock.set(HOUR if turn == 1 else -HOUR)
            await week.hours(8)
        if turn % 3 == 2:
            await week.the_power_is_cut()
        await week.hours(6)
        if turn == 1:
            early = await week.held()
    for _ in range(2):
        week.people_come_and_go()
        await week.hours(12)
    week.every_call_has_its_time()
    await week.hours(48)
    late = await week.held()

    assert week.clock.now() - BEGIN > timedelta(days=7)
    assert week.results.total() > 130
    assert week.results[Result.FAILED] + week.results[Result.PARTIAL] > 20, "faults happened"
    assert week.company.rows("SELECT 1 FROM pass WHERE result = 'died'"), "also to the hosts"
    for name, wanted in week.wanted.items():
        assert week.company.listed(name) == wanted - week.suppressed[name], name
    assert week.company.rows("SELECT name, condition FROM campaign WHERE condition <> 'ok'") == []
    assert week.company.rows("SELECT * FROM claim") == []
    await until(lambda: len(asyncio.all_tasks()) <= early.tasks)
    # How many connections wait for passes tells how many passes met.
    assert min(early.connections, late.connections) >= len(week.hosts)
    assert late.descriptors <= early.descriptors + 2
    assert late.objects < early.objects * 1.02 + 2000
    assert late.megabytes < early.megabytes + 15
