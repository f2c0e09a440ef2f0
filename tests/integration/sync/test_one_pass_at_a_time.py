"""One pass at a time, ended in order: the lock, the stop, and a state that goes away in mid-pass."""

import asyncio
import os
import signal
from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import claims, good_pass, sent, until, writes

from syncd.errors import StateUnavailable
from syncd.simulator import Call, Fault, FaultKind
from syncd.state import pen
from syncd.state.workplace import Workplaces
from syncd.sync import run_pass
from syncd.words import Exit
from tests.stage import Stage


@pytest.fixture
def slowly(stage: Stage) -> Stage:
    """A stage on which thirty customers are added one at a time."""
    stage.settings(batch_size=1)
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.05, count=None))
    stage.crm.want(*range(1, 31))
    return stage


async def test_of_two_passes_over_one_campaign_the_second_is_told_that_the_lock_is_held(slowly: Stage) -> None:
    # Time enough for the second to come to the lock.
    slowly.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=3))
    first = asyncio.create_task(slowly.once())
    await until(lambda: bool(sent(slowly)))
    second = await run_pass(slowly.campaign, slowly.world, kind="once")
    assert second.exit_status is Exit.LOCKED
    assert second.ended is not None
    assert not first.done()
    assert (await first).exit_status is Exit.GOOD
    assert sorted(writes(slowly)) == sorted(f"add {customer}" for customer in range(1, 31))


async def test_a_pass_that_waits_for_the_lock_runs_when_it_is_free(slowly: Stage) -> None:
    first = asyncio.create_task(slowly.once())
    await until(lambda: bool(sent(slowly)))
    second = await run_pass(slowly.campaign, slowly.world, kind="once", wait=True)
    assert first.done()
    assert second.exit_status is Exit.GOOD
    assert len(writes(slowly)) == 30


async def test_the_lock_is_free_as_soon_as_a_pass_has_ended(stage: Stage) -> None:
    for _ in range(20):
        await good_pass(stage)


async def test_a_pass_that_is_told_to_stop_awaits_what_is_in_flight_and_claims_nothing_more(slowly: Stage) -> None:
    first = asyncio.create_task(slowly.once())
    await until(lambda: len(sent(slowly)) >= 3)
    slowly.world.stop.set()
    report = await first
    assert report.exit_status is Exit.PARTIAL
    assert "stopped before its end" in report.sentence()
    assert claims(slowly) == []
    assert 3 <= len(slowly.listed) < 30
    assert slowly.rows("SELECT count(*) FROM ledger WHERE presence = 'in'") == [(len(slowly.listed),)]
    assert slowly.rows("SELECT running FROM campaign") == [(None,)]
    slowly.world.stop.clear()
    await good_pass(slowly)
    assert slowly.listed == set(range(1, 31))


async def test_a_pass_that_is_told_to_stop_gives_back_the_deletes_it_has_not_made(stage: Stage) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.settings(guard=replace(stage.campaign.settings.guard, max_shrink_percent=0, max_removal_percent=0))
    stage.crm.want(*range(1, 31))
    await good_pass(stage)
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=0.05, count=None))
    stage.crm.drop(*range(1, 21))
    first = asyncio.create_task(stage.once())
    await until(lambda: len(sent(stage)) >= 3)
    assert claims(stage)
    stage.world.stop.set()
    assert (await first).exit_status is Exit.PARTIAL
    assert claims(stage) == []
    assert len(writes(stage)) < 20
    assert stage.rows("SELECT count(*) FROM ledger WHERE presence = 'in'") == [(len(stage.listed),)]


@pytest.mark.parametrize("call", [Call.STATUS, Call.LIST])
async def test_a_pass_that_is_told_to_stop_gives_up_what_it_reads_and_has_not_died(stage: Stage, call: Call) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    patient = replace(stage.campaign.tenant, timeout=timedelta(seconds=60))
    stage.campaign = replace(stage.campaign, tenant=patient)
    stage.world.tenant = type(stage.world.tenant)(patient, clock=stage.clock)
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({call}), seconds=50, count=None))
    first = asyncio.create_task(stage.once())
    await until(lambda: any(entry.call is call for entry in stage.tenant.log))
    stage.world.stop.set()
    report = await asyncio.wait_for(first, 30)
    assert report.exit_status is Exit.PARTIAL
    assert "stopped before its end" in report.sentence()
    assert stage.rows("SELECT result FROM pass ORDER BY id") == [("good",), ("stopped",)]
    assert stage.rows("SELECT running FROM campaign") == [(None,)]


async def test_a_pass_that_loses_the_state_fails_and_sends_nothing_more(slowly: Stage) -> None:
    first = asyncio.create_task(slowly.once())
    await until(lambda: len(sent(slowly)) >= 3)
    slowly.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = 'syncd' AND datname = current_database()"
    )
    under_way = len(sent(slowly))
    report = await first
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, StateUnavailable)
    assert len(sent(slowly)) <= under_way + 1
    added = slowly.listed
    report = await good_pass(slowly)
    assert slowly.listed == set(range(1, 31))
    assert not {f"add {customer}" for customer in added} & set(writes(slowly))
    assert len(slowly.rows("SELECT id FROM pass WHERE result = 'died'")) == 1


async def test_without_the_state_nothing_is_sent_at_all(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    stage.crm.want(2)
    stage.crm.suppress(1)
    gone = replace(stage.database, url=stage.url.replace("/test_", "/gone_"))
    stage.world.workplaces = Workplaces(gone)
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, StateUnavailable)
    assert len(stage.tenant.log) == 0


@pytest.mark.parametrize("call", [Call.ADD, Call.DELETE])
async def test_a_call_that_is_tried_again_is_not_sent_once_the_lock_is_lost(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    monkeypatch.setattr(pen, "HELD_SECONDS", 0.0)
    stage.crm.want(1)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.want(2)
    stage.crm.suppress(1)
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({call}), status=503, count=1))
    running = asyncio.create_task(stage.once())
    await until(lambda: bool(stage.tenant.log.of(call)))
    stage.rows(
        "SELECT pg_terminate_backend(pid, 20000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    report = await running
    assert isinstance(report.error, StateUnavailable)
    assert len(stage.tenant.log.of(call)) == 1
    for _ in range(3):  # the listing settles what the lost call came to
        await stage.once()
    await good_pass(stage)
    assert stage.listed == {2}


async def test_a_pass_that_is_cancelled_does_not_wait_for_a_state_that_is_silent(stage: Stage) -> None:
    stage.crm.want(1)
    stage.tenant.faults.add(Fault(kind=FaultKind.HANG, calls=frozenset({Call.ADD})))
    running = asyncio.create_task(stage.once())
    await until(lambda: bool(sent(stage)))
    [(backend,)] = stage.rows("SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted")
    os.kill(int(str(backend)), signal.SIGSTOP)
    try:
        running.cancel()
        await asyncio.wait({running}, timeout=10)
        assert running.cancelled()
    finally:
        os.kill(int(str(backend)), signal.SIGCONT)
