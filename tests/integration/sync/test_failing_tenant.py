"""A tenant that refuses the login, pushes back or is down: few calls, soon over, and nothing left in doubt."""

import time
from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import claims, good_pass, writes

from syncd.errors import AuthRefused, DialerUnavailable
from syncd.simulator import Call, Fault, FaultKind
from syncd.words import Exit
from tests.stage import Stage

EVERY_WRITE = frozenset({Call.ADD, Call.DELETE})


async def test_a_refused_login_costs_one_call_and_ends_the_pass(stage: Stage) -> None:
    stage.crm.want(*range(1, 50))
    stage.tenant.rotate(action_token="new-action", data_token="new-data")
    for _ in range(2):
        report = await stage.once()
        assert report.exit_status is Exit.FAILED
        assert isinstance(report.error, AuthRefused)
        assert len(stage.tenant.log) == 1


async def test_a_login_refused_for_additions_is_tried_with_each_token_once_however_many_there_are(
    stage: Stage,
) -> None:
    stage.settings(batch_size=1)
    stage.crm.want(*range(1, 50))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=401, count=None))
    report = await stage.once()
    assert isinstance(report.error, AuthRefused)
    assert len(writes(stage)) == 2
    assert claims(stage) == []
    assert stage.rows("SELECT customer FROM parked") == []
    stage.tenant.faults.clear()
    await good_pass(stage)
    assert stage.listed == set(range(1, 50))


async def test_a_long_retry_after_ends_the_pass_and_is_told(stage: Stage) -> None:
    stage.crm.want(*range(1, 50))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=429, retry_after=600, count=None))
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, DialerUnavailable)
    assert report.error.retry_after == pytest.approx(600, abs=1)
    assert len(stage.tenant.log) == 1


async def test_additions_that_were_pushed_back_were_not_made_and_are_claimed_no_more(stage: Stage) -> None:
    stage.settings(batch_size=1)
    stage.crm.want(*range(1, 20))
    armed = stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=429, retry_after=600, skip=3, count=None)
    )
    report = await stage.once()
    assert armed.struck >= 1
    assert report.exit_status is Exit.FAILED
    assert claims(stage) == []
    assert stage.rows("SELECT count(*) FROM ledger WHERE presence = 'in'") == [(len(stage.listed),)]


async def test_a_short_push_back_is_waited_for(stage: Stage) -> None:
    armed = stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=429, retry_after=1)
    )
    stage.crm.want(1)
    await good_pass(stage)
    assert armed.struck == 1
    assert stage.listed == {1}


async def test_a_tenant_that_answers_every_call_with_an_error_is_given_up_within_20_seconds(stage: Stage) -> None:
    stage.settings(batch_size=1)
    stage.crm.want(*range(1, 60))
    await good_pass(stage)
    stage.crm.drop(*range(1, 9))
    stage.crm.want(*range(100, 150))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=EVERY_WRITE, status=500, count=None))
    began = time.monotonic()
    report = await stage.once()
    assert time.monotonic() - began < 20
    assert report.exit_status is Exit.FAILED
    assert stage.listed == set(range(1, 60))
    assert claims(stage)
    stage.tenant.faults.clear()
    for _ in range(3):
        await stage.once()
    await good_pass(stage)
    assert stage.listed == {*range(9, 60), *range(100, 150)}


async def test_a_tenant_that_cannot_be_reached_fails_the_pass_and_leaves_nothing_in_doubt(stage: Stage) -> None:
    nowhere = replace(stage.campaign.tenant, base_url="http://127.0.0.1:9", timeout=timedelta(seconds=1))
    stage.campaign = replace(stage.campaign, tenant=nowhere)
    stage.world.tenant = type(stage.world.tenant)(nowhere, clock=stage.clock)
    stage.crm.want(1)
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, DialerUnavailable)
    assert claims(stage) == []
    assert stage.rows("SELECT condition FROM campaign") == [("failing",)]
