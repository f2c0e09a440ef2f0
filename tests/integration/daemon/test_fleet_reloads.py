"""New settings, taken over while the fleet runs."""

import asyncio
from datetime import timedelta
from itertools import pairwise

from company import Company, until

from syncd.simulator import Call, FaultKind
from syncd.state.campaigns import Result

SHORT = timedelta(seconds=0.4)


async def test_a_new_campaign_begins_at_once_and_one_that_is_gone_or_disabled_does_not_run(company: Company) -> None:
    company.begin("renewals", every=SHORT)
    company.begin("surveys", 126, every=SHORT)
    async with company.hosts() as [host]:
        await until(lambda: host.of("renewals") and host.of("surveys"))
        company.end("renewals")
        company.begin("surveys", 126, every=SHORT, enabled=False)
        company.begin("win-back", 127)
        company.reload(host)
        await until(lambda: host.of("win-back") and not host.fleet.under_way)
        before = len(host.passes)
        await asyncio.sleep(3 * SHORT.total_seconds())
        assert len(host.passes) == before
        company.begin("surveys", 126)
        company.reload(host)
        await until(lambda: len(host.passes) > before)
        assert host.passes[-1].campaign == "surveys"


async def test_a_shorter_interval_counts_from_the_reload(company: Company) -> None:
    company.begin("renewals")
    async with company.hosts() as [host]:
        await until(lambda: host.passes)
        company.begin("renewals", every=SHORT)
        company.reload(host)
        await until(lambda: len(host.passes) >= 4)
    assert set(host.results("renewals")[:4]) == {Result.GOOD}


async def test_a_file_without_news_rings_nobody(company: Company) -> None:
    company.begin("renewals")
    company.begin("leap year", 126, cron="0 2 29 2 *")
    async with company.hosts() as [host]:
        await until(lambda: host.passes and not host.fleet.under_way)
        due = company.due_at()
        company.reload(host)
        await asyncio.sleep(0.5)
        assert len(host.passes) == 1
        assert company.due_at() == due


async def test_settings_can_change_before_the_state_is_there(company: Company) -> None:
    company.begin("renewals")
    company.begin("surveys", 126)
    host = company.host()
    company.reload(host)
    company.end("renewals")
    company.begin("win-back", 127)
    company.reload(host)
    host.running = asyncio.create_task(host.fleet.run())
    await until(lambda: host.of("surveys") and host.of("win-back"))
    await host.stop()
    await host.close()
    assert not host.of("renewals")


async def test_a_tenant_that_did_not_change_keeps_its_pace_and_one_that_did_gets_a_new_one(company: Company) -> None:
    company.begin("renewals")
    async with company.hosts() as [host]:
        before = host.fleet.worlds.tenants["acme"]
        company.begin("renewals", batch_size=10)
        company.reload(host)
        assert host.fleet.worlds.tenants["acme"] is before
        company.change_tenant(requests_per_second=50)
        company.reload(host)
        assert host.fleet.worlds.tenants["acme"] is not before


async def test_a_pass_under_way_keeps_its_settings_and_the_next_has_the_new_ones(company: Company) -> None:
    company.begin("renewals", batch_size=1)
    company.crm["renewals"].want(*range(1, 9))
    company.strike(FaultKind.LATENCY, calls=frozenset({Call.LIST}), seconds=0.5)
    async with company.hosts() as [host]:
        await until(lambda: company.tenant.log.of(Call.LIST))
        company.begin("renewals", query="SELECT * FROM due WHERE customer_id < 9", batch_size=200)
        company.reload(host)
        await until(lambda: host.passes)
        assert company.listed() == {1250, 1251, *range(1, 9)}
        assert len(company.tenant.log.of(Call.ADD)) == 10
        await until(lambda: company.listed() == set(range(1, 9)))
    assert all(before.ended and before.ended <= after.began for before, after in pairwise(host.passes))


async def test_a_pass_of_a_campaign_that_is_taken_out_comes_to_its_end(company: Company) -> None:
    company.begin("renewals")
    company.strike(FaultKind.LATENCY, calls=frozenset({Call.LIST}), seconds=0.5)
    async with company.hosts() as [host]:
        await until(lambda: company.tenant.log.of(Call.LIST))
        company.end("renewals")
        company.reload(host)
        await until(lambda: host.passes)
    assert host.results("renewals") == [Result.GOOD]
    assert company.listed_in(125) == {1250, 1251}


async def test_settings_that_change_while_the_state_is_asked_harm_nobody(company: Company) -> None:
    company.begin("renewals", every=SHORT)
    company.begin("surveys", 126, every=SHORT)
    async with company.hosts() as [host]:
        async with host.line.use():
            looking = asyncio.create_task(host.fleet.look())
            await until(lambda: host.fleet.under_way == 2)
            company.end("renewals")
            company.begin("win-back", 127)
            company.reload(host)
        await looking
        await until(lambda: host.of("surveys") and host.of("win-back"))
        assert host.running is not None
        assert not host.running.done()
