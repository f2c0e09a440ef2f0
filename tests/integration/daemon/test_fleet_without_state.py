"""The fleet while its state is lost: nothing is sent, and all of it carries on when the state is back."""

import asyncio
from datetime import timedelta

import pytest
from company import Company, until

from syncd.errors import StateUnavailable
from syncd.simulator import Call, FaultKind
from syncd.state.campaigns import Result

SHORT = timedelta(seconds=0.4)

LOSSES = ["ALLOW_CONNECTIONS false", "SET default_transaction_read_only = on"]
"""The server turns everybody away, or is a standby that a failover has led to."""

WORKERS = 8
"""Of a pass, by default: each claims a batch before it waits for its turn."""


def calls(company: Company) -> int:
    return len(company.tenant.log.of(*Call))


@pytest.mark.parametrize("how", LOSSES)
async def test_nothing_is_sent_without_the_state_and_work_goes_on_when_it_is_back(company: Company, how: str) -> None:
    company.begin("renewals", every=SHORT)
    company.begin("surveys", 126)
    async with company.hosts() as [host]:
        await until(lambda: host.of("renewals") and host.of("surveys") and not host.fleet.under_way)
        with company.state_lost(how):
            await until(lambda: host.states[-1] is not None)
            await until(lambda: not host.fleet.under_way)
            company.crm["renewals"].want(7)
            before = calls(company)
            await asyncio.sleep(3 * SHORT.total_seconds())
            assert calls(company) == before
        await until(lambda: 7 in company.listed())
        await until(lambda: host.states[-1] is None)
        assert len(host.of("surveys")) == 1, "it was not due"


async def test_a_pass_whose_state_is_lost_in_its_midst_is_finished_though_the_next_is_a_day_away(
    company: Company,
) -> None:
    company.begin("renewals", batch_size=1)
    company.crm["renewals"].want(*range(1, 41))
    company.strike(FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.3)
    async with company.hosts() as [host]:
        await until(lambda: company.tenant.log.of(Call.ADD))
        with company.state_lost():
            await until(lambda: host.passes)
            assert isinstance(host.passes[0].error, StateUnavailable)
            sent = len(company.tenant.log.of(Call.ADD))
            await asyncio.sleep(0.7)
            assert len(company.tenant.log.of(Call.ADD)) == sent < 42
        company.tenant.faults.clear()
        await until(lambda: len(host.results("renewals")) >= 2)
    [(unsettled,)] = company.rows("SELECT coalesce(sum(cardinality(customers)), 0) FROM claim")
    assert isinstance(unsettled, int)
    assert unsettled <= WORKERS, "what each worker had claimed waits for two listings to agree"
    assert len(company.listed()) >= 42 - unsettled


async def test_a_turn_that_the_state_could_not_be_asked_for_is_not_lost_for_a_day(company: Company) -> None:
    company.begin("renewals")
    with company.state_lost():
        async with company.hosts() as [host]:
            await until(lambda: isinstance(host.states[0], StateUnavailable))
            await host.fleet._ring("renewals")
            await until(lambda: not host.fleet.under_way)
    async with company.hosts() as [host]:
        await until(lambda: host.results("renewals") == [Result.GOOD])
