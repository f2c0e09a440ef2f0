"""Answers that were lost: a call that nobody answered is unknown, settled by the listing, and never guessed."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import claims, complete, connect, drop, good_pass, journal, near, parked, record, until, upload, writes

from syncd.simulator import Call, Fault, FaultKind
from syncd.sync import PassReport
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage

ADD, DELETE = frozenset({Call.ADD}), frozenset({Call.DELETE})
TIMED_OUT = "The request was sent but the response timed out."


def lose(stage: Stage, calls: frozenset[Call], *, deed: bool, count: int | None = 1) -> None:
    """Answer that nobody knows what became of the request."""
    stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=calls, status=206, text=TIMED_OUT, deed=deed, count=count)
    )


async def partial_pass(stage: Stage) -> PassReport:
    """Run a pass that has to be done in part."""
    report = await stage.once()
    assert report.exit_status is Exit.PARTIAL, report.sentence()
    return report


@pytest.mark.parametrize("deed", [True, False])
async def test_a_lost_answer_to_an_add_is_unknown_and_done_in_part(stage: Stage, deed: bool) -> None:
    lose(stage, ADD, deed=deed)
    stage.crm.want(1, 2)
    report = await partial_pass(stage)
    assert len(writes(stage)) in (1, 2)
    assert report.open_claims == 2
    assert claims(stage) == [("add", [1, 2])]
    assert journal(stage, 1) == ["add unknown no-answer"]


async def test_an_add_that_arrived_is_settled_by_being_shown(stage: Stage) -> None:
    lose(stage, ADD, deed=True)
    stage.crm.want(1, 2)
    await partial_pass(stage)
    await good_pass(stage)
    assert writes(stage) == []
    assert claims(stage) == []
    assert stage.ledger(1)["ours"]
    assert len(stage.ledger(1)["added_times"]) == 1
    stage.crm.drop(1)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]


async def test_an_add_that_did_not_arrive_is_void_after_two_whole_listings_without_it(stage: Stage) -> None:
    lose(stage, ADD, deed=False)
    stage.crm.want(1, 2)
    await partial_pass(stage)
    await partial_pass(stage)
    assert writes(stage) == []
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 1", "add 2"]
    assert stage.listed == {1, 2}
    assert len(stage.ledger(1)["added_times"]) == 2


async def test_listings_that_are_not_whole_never_void_an_add(stage: Stage) -> None:
    stage.crm.want(*range(10, 40))
    await good_pass(stage)
    lose(stage, ADD, deed=False)
    stage.crm.want(1)
    await partial_pass(stage)
    stage.tenant.faults.add(Fault(kind=FaultKind.SHORT_LISTING, calls=frozenset({Call.LIST}), share=0.5, count=None))
    for _ in range(4):
        await partial_pass(stage)
        assert writes(stage) == []
    assert claims(stage) == [("add", [1])]


@pytest.mark.parametrize("kind", [FaultKind.RESET, FaultKind.TRUNCATED])
async def test_a_connection_that_breaks_after_the_deed_costs_a_duplicate_that_is_known_for_our_own(
    stage: Stage, kind: FaultKind
) -> None:
    armed = stage.tenant.faults.add(Fault(kind=kind, calls=ADD, deed=True))
    stage.crm.want(1, 2)
    await good_pass(stage)
    assert armed.struck == 1
    assert stage.listed == {1, 2}
    assert parked(stage, 1) is None
    assert len(stage.ledger(1)["added_times"]) == 1
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_connection_that_breaks_after_a_delete_costs_a_second_one_that_finds_what_the_first_has_done(
    stage: Stage,
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.drop(2)
    stage.tenant.faults.add(Fault(kind=FaultKind.RESET, calls=DELETE, deed=True))
    await good_pass(stage)
    assert writes(stage) == ["delete 2", "delete 2"]
    assert journal(stage, 2)[-1] == "remove already not-found"
    assert stage.ledger(2)["presence"] == "removed", "it is not gone without our doing"
    assert claims(stage) == []


async def test_a_record_with_an_agent_that_a_second_delete_does_not_find_was_called(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    connect(stage, 2)
    await good_pass(stage)
    stage.crm.drop(2)
    stage.tenant.faults.add(Fault(kind=FaultKind.RESET, calls=DELETE))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=DELETE, skip=1, seconds=0.5))
    stage.tenant.log.clear()
    one = asyncio.create_task(good_pass(stage))
    await until(lambda: len(stage.tenant.log.of(Call.DELETE)) >= 2)
    drop(stage, 2)
    await one
    assert journal(stage, 2)[-1] == "remove already not-found"
    assert stage.ledger(2)["presence"] == "gone"


@pytest.mark.parametrize("deed", [True, False])
async def test_a_tenant_that_hangs_leaves_the_claim_open(stage: Stage, deed: bool) -> None:
    quick = replace(stage.campaign.tenant, timeout=timedelta(seconds=1))
    stage.campaign = replace(stage.campaign, tenant=quick)
    stage.world.tenant = type(stage.world.tenant)(quick, clock=stage.clock)
    stage.tenant.faults.add(Fault(kind=FaultKind.HANG, calls=ADD, deed=deed, count=None))
    stage.crm.want(1, 2)
    report = await stage.once()
    assert report.exit_status in (Exit.PARTIAL, Exit.FAILED)
    assert claims(stage) == [("add", [1, 2])]
    stage.tenant.faults.clear()
    for _ in range(3):
        await stage.once()
    assert claims(stage) == []
    assert stage.listed == {1, 2}
    assert stage.tenant.campaigns[CAMPAIGN].record(1) is not None


async def test_entries_that_are_missing_from_an_answer_are_unknown_and_the_others_are_done(stage: Stage) -> None:
    stage.tenant.faults.add(Fault(kind=FaultKind.MISSING_ENTRIES, calls=ADD, share=0.5))
    stage.crm.want(1, 2, 3, 4)
    report = await partial_pass(stage)
    assert report.open_claims == 2
    assert claims(stage) == [("add", [1, 2])]
    await good_pass(stage)
    assert writes(stage) == []
    assert claims(stage) == []


@pytest.mark.parametrize("deed", [True, False])
async def test_a_lost_answer_to_a_delete_is_settled_by_two_whole_listings_that_agree(stage: Stage, deed: bool) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.drop(1)
    lose(stage, DELETE, deed=deed)
    await partial_pass(stage)
    assert claims(stage) == [("remove", [1])]
    assert 1 in stage.listed or deed
    await stage.once()
    await stage.once()
    assert claims(stage) == []
    assert stage.listed == {2}
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_delete_that_got_no_answer_is_tried_again_while_the_record_is_listed(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.drop(1)
    lose(stage, DELETE, deed=False)
    await partial_pass(stage)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]
    assert claims(stage) == []


async def test_a_terse_refusal_to_delete_is_unknown_and_costs_no_call_for_ever(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.drop(1)
    stage.tenant.manner.terse_deletes = True
    stage.world.reached = lambda point: drop(stage, 1) if point == "plan" else None
    await partial_pass(stage)
    assert writes(stage) == ["delete 1"]
    stage.world.reached = lambda point: None
    await stage.once()
    await good_pass(stage)
    assert writes(stage) == []
    assert claims(stage) == []


@pytest.mark.parametrize("deed", [True, False])
async def test_a_reschedule_whose_delete_got_no_answer_sends_no_add_in_that_pass_and_ends_well(
    stage: Stage, deed: bool
) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    lose(stage, DELETE, deed=deed)
    await partial_pass(stage)
    assert [word for word in writes(stage) if word.startswith("add")] == []
    for _ in range(4):
        await stage.once()
    await good_pass(stage)
    assert near(record(stage, 1).call_at, soon + timedelta(hours=1))
    assert claims(stage) == []


@pytest.mark.parametrize("deed", [True, False])
async def test_a_reschedule_whose_add_got_no_answer_ends_well(stage: Stage, deed: bool) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    lose(stage, ADD, deed=deed)
    await partial_pass(stage)
    for _ in range(4):
        await stage.once()
    await good_pass(stage)
    assert near(record(stage, 1).call_at, soon + timedelta(hours=1))
    assert claims(stage) == []
    assert stage.ledger(1)["presence"] == "in"


async def test_a_customer_dropped_after_the_delete_of_a_reschedule_was_lost_is_not_added(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    lose(stage, DELETE, deed=True)
    await partial_pass(stage)
    stage.crm.drop(1)
    for _ in range(4):
        await stage.once()
        assert "add 1" not in writes(stage)
    assert claims(stage) == []


async def test_a_duplicate_is_adopted(stage: Stage) -> None:
    stage.crm.want(2)
    await good_pass(stage)
    stage.crm.want(1)
    stage.world.reached = lambda point: upload(stage, 1) if point == "plan" else None
    await good_pass(stage)
    assert journal(stage, 1) == ["add already duplicate"]
    assert stage.ledger(1)["ours"]
    stage.world.reached = lambda point: None
    await good_pass(stage)
    stage.crm.drop(1)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]


async def test_a_duplicate_that_no_whole_listing_shows_is_parked_and_asked_again_backing_off(stage: Stage) -> None:
    stage.crm.want(2)
    await good_pass(stage)
    stage.tenant.manner.lag_listings = 100
    upload(stage, 1)
    stage.crm.want(1)
    await good_pass(stage)
    assert parked(stage, 1) == "not-listed"
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    stage.clock.move(minutes=16)
    adds = 0
    for _ in range(3):
        await good_pass(stage)
        adds += writes(stage).count("add 1")
    assert adds == 1


async def test_a_duplicate_that_no_listing_shows_is_taken_out_when_the_customer_is_suppressed(stage: Stage) -> None:
    stage.crm.want(2)
    await good_pass(stage)
    stage.tenant.manner.lag_listings = 100
    upload(stage, 1)
    stage.crm.want(1)
    await good_pass(stage)
    assert parked(stage, 1) == "not-listed"
    stage.crm.suppress(1)
    await stage.once()
    assert stage.listed == {2}


async def test_a_record_that_was_completed_while_the_answer_to_its_add_was_lost_is_called(stage: Stage) -> None:
    lose(stage, ADD, deed=True)
    stage.crm.want(1, 2)
    await partial_pass(stage)
    complete(stage, 1)
    await good_pass(stage)
    assert stage.ledger(1)["called"]
    drop(stage, 1)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_lost_adds_count_for_the_week(stage: Stage) -> None:
    stage.crm.want(1)
    lose(stage, ADD, deed=False, count=None)
    calls = 0
    for _ in range(14):
        await stage.once()
        calls += len(writes(stage))
        stage.clock.move(hours=1)
    assert calls == 3
    assert parked(stage, 1) == "weekly-limit"


async def test_a_duplicate_after_the_delete_of_a_reschedule_is_unknown_and_not_sent_again(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=DELETE, status=204, text=None))
    await partial_pass(stage)
    assert writes(stage) == ["delete ?", "add 1"]
    assert journal(stage, 1)[-1] == "add already duplicate"
    assert claims(stage) == [("add", [1])]
    for _ in range(3):
        await stage.once()
        assert writes(stage) == []
    assert claims(stage) == []
    assert stage.listed == {1}
