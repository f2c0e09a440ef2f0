"""Passes that die: the next one finds out what was done and finishes it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import claims, complete, connect, drop, good_pass, near, record, sent, until, writes

from syncd.config import RecallWhen
from syncd.simulator import Call, Fault, FaultKind
from syncd.vendor import RecordStatus
from syncd.words import Exit
from tests.stage import Stage

POINTS = ["lock", "preflight", "protect", "observe", "read", "plan", "guard", "apply"]


class KilledError(BaseException):
    """The process ended here."""


async def killed_at(stage: Stage, point: str) -> None:
    """Run a pass that ends when it reaches a point."""

    def end(reached: str) -> None:
        if reached == point:
            raise KilledError

    stage.world.reached = end
    with pytest.raises(KilledError):
        await stage.once()
    stage.world.reached = lambda point: None


async def killed_in(stage: Stage, call: Call, *, deed: bool, skip: int = 0) -> None:
    """Run a pass that ends while this call is on its way. It has one worker: its calls come one after another."""
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    armed = stage.tenant.faults.add(Fault(kind=FaultKind.HANG, calls=frozenset({call}), deed=deed, skip=skip))
    one = asyncio.create_task(stage.once())
    await until(lambda: armed.struck > 0 and bool(sent(stage)))
    one.cancel()
    with pytest.raises(asyncio.CancelledError):
        await one
    stage.tenant.faults.clear()


async def settled(stage: Stage, passes: int = 4) -> None:
    """Run passes until nothing is left to do."""
    for _ in range(passes):
        await stage.once()
    await good_pass(stage)
    assert writes(stage) == []
    assert claims(stage) == []


@pytest.mark.parametrize("point", POINTS)
async def test_wherever_a_pass_dies_the_next_ones_finish_the_work(stage: Stage, point: str) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, 3, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.drop(1)
    stage.crm.update(2, at=soon + timedelta(hours=1))
    stage.crm.want(4)
    stage.crm.suppress(3)
    await killed_at(stage, point)
    await settled(stage)
    assert stage.listed == {2, 4}
    assert near(record(stage, 2).call_at, soon + timedelta(hours=1))
    assert len(stage.rows("SELECT id FROM pass WHERE result = 'died'")) == 1


@pytest.mark.parametrize("deed", [True, False])
async def test_an_add_that_was_on_its_way_is_found_out_about_and_not_sent_twice(stage: Stage, deed: bool) -> None:
    stage.crm.want(1, 2)
    await killed_in(stage, Call.ADD, deed=deed)
    assert claims(stage) == [("add", [1, 2])]
    await settled(stage)
    assert stage.listed == {1, 2}
    assert len(stage.ledger(1)["added_times"]) == (1 if deed else 2)


@pytest.mark.parametrize("deed", [True, False])
@pytest.mark.parametrize("skip", [0, 1])
async def test_a_reschedule_that_was_killed_in_a_delete_is_finished(stage: Stage, deed: bool, skip: int) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, 3, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.run("UPDATE due SET schedule_at = ?", [((soon + timedelta(hours=1)).isoformat(),)])
    await killed_in(stage, Call.DELETE, deed=deed, skip=skip)
    assert claims(stage) == [("reschedule", [1, 2, 3])]
    await settled(stage)
    assert stage.listed == {1, 2, 3}
    for customer in (1, 2, 3):
        assert near(record(stage, customer).call_at, soon + timedelta(hours=1))


@pytest.mark.parametrize("deed", [True, False])
async def test_a_reschedule_that_was_killed_in_its_add_is_finished(stage: Stage, deed: bool) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.run("UPDATE due SET schedule_at = ?", [((soon + timedelta(hours=1)).isoformat(),)])
    await killed_in(stage, Call.ADD, deed=deed)
    await settled(stage)
    assert stage.listed == {1, 2}
    for customer in (1, 2):
        assert near(record(stage, customer).call_at, soon + timedelta(hours=1))


async def test_what_is_owed_is_not_paid_to_a_customer_who_is_suppressed_by_then(stage: Stage) -> None:
    await owed_to_one(stage)
    stage.crm.suppress(1)
    for _ in range(5):
        await stage.once()
        assert "add 1" not in writes(stage)
    stage.crm.run("DELETE FROM do_not_call")


async def test_what_is_owed_is_not_paid_to_a_customer_who_is_dropped_by_then(stage: Stage) -> None:
    await owed_to_one(stage)
    stage.crm.drop(1)
    for _ in range(5):
        await stage.once()
        assert "add 1" not in writes(stage)
    assert stage.ledger(1)["presence"] != "owed"
    stage.crm.want(1)
    await good_pass(stage)
    assert writes(stage) == ["add 1"]


async def test_what_is_owed_goes_out_in_a_pass_that_does_not_observe(stage: Stage) -> None:
    await owed_to_one(stage, recorded=True)
    stage.rows("UPDATE campaign SET running = NULL")
    await good_pass(stage, observe=False)
    assert writes(stage) == ["add 1"]


async def test_what_is_owed_outlives_a_listing_that_still_shows_the_record(stage: Stage) -> None:
    stage.tenant.manner.lag_listings = 1
    await owed_to_one(stage, recorded=True, passes=4)
    await stage.once()
    assert "add 1" in writes(stage)
    await settled(stage)
    assert stage.listed == {1, 2}


async def test_nothing_is_owed_where_the_listing_shows_the_record_completed(stage: Stage) -> None:
    await owed_to_one(stage, recorded=True)
    stage.tenant.add_records(125, [1])  # for all that the listing tells, the old record
    complete(stage, 1)
    for _ in range(3):
        await stage.once()
        assert writes(stage) == []
    assert stage.ledger(1)["called"]


@pytest.mark.parametrize("status", [RecordStatus.ACCEPTED, 66])
async def test_nothing_is_owed_where_the_record_was_last_seen_with_an_agent_and_is_gone(
    stage: Stage, status: int
) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    await killed_in(stage, Call.DELETE, deed=False)
    stage.tenant.set_record(125, 1, status=status)
    await stage.once()
    drop(stage, 1)
    for _ in range(4):
        await stage.once()
        assert "add 1" not in writes(stage)
    assert stage.ledger(1)["called"]


async def test_a_recall_that_was_killed_in_its_add_rings_nobody_twice(stage: Stage) -> None:
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(1, 2, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 1)
    await good_pass(stage)
    stage.crm.update(1, version=2)
    await killed_in(stage, Call.ADD, deed=True)
    complete(stage, 1)
    for _ in range(4):
        stage.clock.move(hours=30)
        await stage.once()
        assert writes(stage) == []
    assert stage.ledger(1)["called"]


@pytest.mark.parametrize("deed", [True, False])
async def test_a_recall_that_was_killed_in_its_delete_is_made_once(stage: Stage, deed: bool) -> None:
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(1, 2, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 1)
    await good_pass(stage)
    stage.crm.update(1, version=2)
    await killed_in(stage, Call.DELETE, deed=deed)
    adds = 0
    for _ in range(6):
        await stage.once()
        adds += writes(stage).count("add 1")
    assert adds == 1
    assert claims(stage) == []


async def test_an_add_that_was_killed_and_taken_out_for_a_suppression_stands_in_the_journal(stage: Stage) -> None:
    stage.crm.want(1)
    await killed_in(stage, Call.ADD, deed=True)
    stage.crm.suppress(1)
    await good_pass(stage)
    assert stage.listed == set()
    assert claims(stage) == []
    told = stage.rows("SELECT kind, rule, outcome, reason FROM change WHERE customer = 1 AND kind = 'add'")
    assert told == [("add", "settled", "unknown", "no-answer")]


async def test_a_pass_after_one_that_died_observes_though_no_listing_is_due(stage: Stage) -> None:
    stage.settings(list_every=timedelta(hours=1))
    stage.crm.want(1)
    await good_pass(stage)
    await killed_at(stage, "plan")
    await good_pass(stage, observe=False)
    assert stage.tenant.log.of(Call.LIST)
    await good_pass(stage, observe=False)
    assert not stage.tenant.log.of(Call.LIST)


async def test_an_agent_who_took_the_call_of_a_killed_reschedule_makes_it_wait(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    await killed_in(stage, Call.DELETE, deed=False)
    connect(stage, 1)
    for _ in range(3):
        await stage.once()
        assert "add 1" not in writes(stage)
    complete(stage, 1)
    for _ in range(3):
        await stage.once()
        assert "add 1" not in writes(stage)
    assert claims(stage) == []


async def test_nothing_is_owed_where_a_late_listing_shows_an_agent_on_the_line_and_then_nothing(stage: Stage) -> None:
    await owed_to_one(stage, recorded=True)
    stage.tenant.add_records(125, [1])  # for all that the listing tells, the old record
    connect(stage, 1)
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=401, count=None))
    assert (await stage.once()).exit_status is Exit.FAILED
    stage.tenant.faults.clear()
    drop(stage, 1)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(1)["called"]


async def owed_to_one(stage: Stage, *, recorded: bool = False, passes: int = 2) -> None:
    """Have a reschedule of customer 1 die between its delete and its add, with its delete on record or not."""
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    for _ in range(passes):
        await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    if not recorded:
        await killed_in(stage, Call.DELETE, deed=True)
        return
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=401, count=None))
    assert (await stage.once()).exit_status is Exit.FAILED
    stage.tenant.faults.clear()
    assert stage.ledger(1)["presence"] == "owed"
    assert claims(stage) == []
