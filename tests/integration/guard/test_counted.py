"""What counts for a limit of the guard, and what does not."""

from datetime import timedelta

from guard_desk import added, held_customers, held_plan
from test_held import blocked, filled

from syncd.config import GuardSettings, RecallWhen, Removes, Vanished
from syncd.simulator.log import Call
from syncd.state.campaigns import Result
from syncd.vendor import RecordStatus
from syncd.words import Kind
from tests.stage import CAMPAIGN, Stage


async def with_a_call_to_repeat(stage: Stage) -> None:
    """Fill the campaign and have customer 1 called, so that another version asks for a recall."""
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.update(1, version=1)
    await stage.once()
    stage.tenant.set_record(CAMPAIGN, 1, status=RecordStatus.COMPLETED)
    await stage.once()
    stage.crm.update(1, version=2)


async def test_a_recall_is_held_whole_with_the_additions(stage: Stage) -> None:
    await with_a_call_to_repeat(stage)
    stage.crm.run("DELETE FROM do_not_call")
    await stage.once()
    assert stage.writes == []
    assert held_customers(stage, "recall") == {1}
    plan = await held_plan(stage)
    assert plan is not None
    assert (plan.removals, plan.additions) == (1, 1)


async def test_a_reschedule_is_held_whole_with_the_removals(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 6))
    stage.crm.update(6, at=stage.clock.now() + timedelta(hours=5))
    report = await stage.once()
    assert "6 records would be removed (max_removals = 5)" in report.sentence()
    assert stage.writes == []
    assert held_customers(stage, "reschedule") == {6}


async def test_what_cannot_be_sent_without_a_suppression_list_is_not_held(stage: Stage) -> None:
    await with_a_call_to_repeat(stage)
    stage.tenant.add_records(CAMPAIGN, [30])
    stage.crm.update(2, at=stage.clock.now() + timedelta(hours=5))
    stage.crm.want(30, 31, *["no number"] * 5)
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    report = await stage.once()
    assert report.result is Result.FAILED
    assert report.plan is not None
    assert all(report.plan.of(kind) == 1 for kind in (Kind.RECALL, Kind.ADOPT, Kind.RESCHEDULE, Kind.ADD))
    assert report.guarded is not None
    assert [refusal.limit for refusal in report.guarded.judgement.tripped] == ["max_invalid_percent"]
    assert stage.writes == []
    assert not stage.ledger(30)["ours"]
    assert await held_plan(stage) is None


async def test_an_add_that_an_earlier_delete_obliges_is_nothing_to_hold(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.update(1, at=stage.clock.now() + timedelta(hours=5))
    stage.tenant.faults.add(blocked(Call.ADD))
    await stage.once()
    assert stage.ledger(1)["presence"] == "owed"
    stage.crm.run("DELETE FROM do_not_call")
    report = await stage.once()
    assert report.result is Result.GOOD, report.sentence()
    assert added(stage) == [1]


async def test_of_one_record_nothing_waits_for_a_listing_that_was_just_read(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0), customers=1)
    stage.crm.want(2)
    assert (await stage.once()).sentence() == "2 desired; 1 added"


async def test_foreign_records_that_would_go_count_without_a_listing_as_well(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0))
    stage.tenant.add_records(CAMPAIGN, range(101, 121))
    await stage.once()
    stage.settings(removes=Removes.ALL)
    stage.crm.drop(1)
    stage.crm.want(31)
    report = await stage.once(observe=False)
    assert report.sentence() == (
        "20 desired; additions wait for a listing, which tells whether these were called: "
        "21 of 40 open records are not desired any more, 52.5 % (max_shrink_percent = 50)"
    )
    assert stage.writes == []


async def test_who_vanished_and_is_left_is_no_reason_to_hold_others(stage: Stage) -> None:
    stage.settings(vanished=Vanished.LEAVE)
    await filled(stage, GuardSettings(few=0), customers=2)
    await stage.once()
    stage.tenant.campaigns[CAMPAIGN].drop([1])
    stage.crm.want(31)
    report = await stage.once()
    assert report.result is Result.GOOD, report.sentence()
    assert added(stage) == [31]
