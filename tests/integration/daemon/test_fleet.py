"""The fleet: no campaign over itself, none late because of another's trouble, any number of hosts."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from company import Company, Host, at_work, until

from syncd.daemon import fleet
from syncd.simulator import Call, FaultKind
from syncd.state import journal
from syncd.state.campaigns import Result
from syncd.state.database import Database, connect
from syncd.sync import Campaign, PassReport, World
from tests.clocks import SteeredClock

SHORT = timedelta(seconds=0.4)


async def test_a_campaign_whose_pass_takes_longer_than_its_interval_never_runs_over_itself(company: Company) -> None:
    company.begin("renewals", every=SHORT)
    company.strike(FaultKind.LATENCY, calls=frozenset({Call.STATUS}), seconds=0.6)
    async with company.hosts(2) as (first, second):
        await until(lambda: len(first.passes + second.passes) >= 4)
    passes = sorted((one for one in first.passes + second.passes if not one.error), key=lambda report: report.began)
    assert all(held(before)[1] <= held(after)[0] for before, after in pairwise(passes))


def held(report: PassReport) -> tuple[datetime, datetime]:
    """Return from when to when a pass surely had the lock: it begins before it asks, and ends after giving it back."""
    had = report.began + timedelta(seconds=report.steps["lock"])
    return had, report.began + timedelta(seconds=sum(report.steps.values()))


async def hang(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.strike(FaultKind.HANG, campaign=126)


async def refuse(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.strike(FaultKind.ANSWER, campaign=126, status=503)


async def lose_the_source(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    company.begin("troubled", 126, every=SHORT, query="SELECT * FROM nowhere")


async def crash(company: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    async def run_pass(campaign: Campaign, world: World, **how: Any) -> PassReport:
        if campaign.name == "troubled":
            raise ZeroDivisionError
        return await right(campaign, world, **how)

    right = fleet.run_pass
    monkeypatch.setattr(fleet, "run_pass", run_pass)


@pytest.mark.parametrize("trouble", [hang, refuse, lose_the_source, crash])
async def test_one_campaigns_trouble_delays_no_other(
    company: Company, monkeypatch: pytest.MonkeyPatch, trouble: Any
) -> None:
    company.begin("renewals", every=SHORT)
    company.begin("troubled", 126, every=SHORT)
    await trouble(company, monkeypatch)
    async with company.hosts() as [host]:
        await until(lambda: len(host.of("renewals")) >= 7)
        troubled = host.fleet.under_way or len(host.of("troubled"))
        company.tenant.faults.clear()
        for task in list(host.fleet._under_way.values()):
            task.cancel()
    assert troubled
    assert Result.GOOD not in host.results("troubled")
    assert set(host.results("renewals")) == {Result.GOOD}
    begun = [report.began for report in host.of("renewals")][1:]
    assert max(after - before for before, after in pairwise(begun)) < timedelta(seconds=30), "a call may hang for 60"
    assert company.listed("renewals") == {1250, 1251}


async def test_two_hosts_share_the_work_and_run_each_due_time_once(steered: Company, clock: SteeredClock) -> None:
    for number in range(4):
        steered.begin(f"campaign-{number}", 130 + number, every=timedelta(minutes=5))
    async with steered.hosts(2) as hosts:
        for turn in range(1, 7):
            await until(lambda turn=turn: sum(len(host.passes) for host in hosts) >= 4 * turn)
            await asyncio.sleep(0.1)
            if turn == 3:
                await hosts[0].stop()
            clock.leap(timedelta(minutes=5))
        await until(lambda: sum(len(host.passes) for host in hosts) >= 28)
    for name in steered.config.campaigns:
        assert sum(len(host.of(name)) for host in hosts) == 7
    assert len(hosts[1].passes) >= 16, "the other did it alone when the first had left"
    assert {report.result for host in hosts for report in host.passes} == {Result.GOOD}


async def test_a_pass_that_died_is_made_up_for_within_seconds_once_by_one_host(company: Company) -> None:
    company.begin("renewals")
    company.strike(FaultKind.HANG, calls=frozenset({Call.LIST}), count=1)
    async with company.hosts(3) as hosts:
        await until(lambda: company.tenant.log.of(Call.LIST))
        victim = await at_work(hosts)
        others = [host for host in hosts if host is not victim]
        await asyncio.sleep(0.5)
        assert not any(host.passes for host in hosts), "nobody else while the lock is held"
        await victim.die()
        await until(lambda: any(host.passes for host in others))
        await asyncio.sleep(0.5)
    [made_up] = [report for host in others for report in host.passes]
    assert made_up.result is Result.GOOD
    assert company.rows("SELECT result, count(*) FROM pass GROUP BY result ORDER BY 1") == [("died", 1), ("good", 1)]


async def test_a_pass_that_is_told_to_stop_is_finished_by_another_host_and_not_a_day_later(company: Company) -> None:
    company.begin("renewals", batch_size=1)
    company.strike(FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=1)
    company.crm["renewals"].want(*range(1, 41))
    async with company.hosts(2) as hosts:
        await until(lambda: company.tenant.log.of(Call.ADD))
        first = await at_work(hosts)
        [second] = [host for host in hosts if host is not first]
        await first.stop()
        assert first.results("renewals") == [Result.STOPPED]
        assert len(company.listed()) < 42
        company.tenant.faults.clear()
        await until(lambda: second.passes)
    assert second.results("renewals")[0] is Result.GOOD
    assert company.listed() == {1250, 1251, *range(1, 41)}


async def test_passes_that_do_not_come_to_an_end_are_left_when_the_time_to_stop_is_over_and_made_up_for(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "STOP_SECONDS", 0.3)
    company.begin("renewals")
    company.strike(FaultKind.HANG, calls=frozenset({Call.ADD}), deed=True)
    async with company.hosts() as [host]:
        await until(lambda: company.tenant.log.of(Call.ADD))
        async with asyncio.timeout(30):
            await host.stop()
        assert host.passes == []
    assert company.rows("SELECT customers FROM claim") == [([1250, 1251],)], "what was on its way is on record"
    company.tenant.faults.clear()
    host = await run_until(company, 1)
    assert company.listed() == {1250, 1251}
    assert len(company.tenant.log.of(Call.ADD)) == 1, "the listing showed them"


async def test_a_bug_in_a_pass_is_told_and_makes_the_campaign_fail_and_come_again(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    company.begin("troubled", 126, every=SHORT)
    assert [report.result for report in (await run_until(company, 1)).passes] == [Result.GOOD]
    await crash(company, monkeypatch)
    host = await run_until(company, 2)
    assert [report.result for report in host.passes] == [Result.FAILED, Result.FAILED]
    assert [report.failures for report in host.passes] == [1, 2]
    assert "the pass ended in a way that is a bug" in host.passes[0].sentence()
    assert company.rows("SELECT condition FROM campaign") == [("failing",)]
    monkeypatch.undo()
    host = await run_until(company, 1)
    assert host.results("troubled") == [Result.GOOD]


async def run_until(company: Company, passes: int) -> Host:
    """Run a host until it has made so many passes."""
    async with company.hosts() as [host]:
        await until(lambda: len(host.passes) >= passes)
    return host


async def test_fifty_campaigns_that_are_due_at_once_begin_one_after_another(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = []

    async def run_pass(campaign: Campaign, world: World, **how: Any) -> PassReport:
        began.append(world.clock.monotonic())
        return PassReport(campaign.name, world.clock.now(), world.clock.now())

    monkeypatch.setattr(fleet, "run_pass", run_pass)
    monkeypatch.setattr(fleet, "APART", 0.03)
    for number in range(50):
        company.begin(f"campaign-{number}", 200 + number)
    start = company.clock.monotonic()
    async with company.hosts():
        await until(lambda: len(began) >= 50)
    assert all(at - start >= number * 0.03 for number, at in enumerate(began)), "later at will, but none before"


async def test_a_week_of_the_journal_begins_for_all_campaigns_at_once(company: Company) -> None:
    databases = [Database(company.url, "syncd")] * 8
    for turn in range(4):
        now = datetime(2030, 1, 1, tzinfo=UTC) + timedelta(days=28 * turn)

        async def begin(database: Database, now: datetime = now) -> bool:
            async with connect(database) as connection:
                return await journal.prepare(connection, now)

        made = await asyncio.gather(*map(begin, databases))
        assert sorted(made) == [False] * 7 + [True]


async def test_each_host_holds_one_connection_for_asking_who_is_due_and_one_for_each_pass_at_a_time(
    company: Company,
) -> None:
    company.begin("renewals", every=SHORT)
    async with company.hosts(2) as hosts:
        await until(lambda: len(hosts[0].passes + hosts[1].passes) >= 6)
        # A pass is never run by both.
        await until(lambda: company.connections() in {3, 4})
    await until(lambda: company.connections() == 0)
