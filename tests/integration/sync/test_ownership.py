"""Whose a record is: what syncd adopts, what it lets go of, and what it never touches."""

from datetime import timedelta

import pytest
from pass_story import complete, connect, drop, good_pass, journal, upload, writes

from syncd.config import Mode, RecallWhen, Removes
from tests.stage import Stage


async def test_records_of_somebody_else_are_left_alone_and_counted(stage: Stage) -> None:
    upload(stage, 1, 2, 3)
    stage.crm.want(7)
    for _ in range(3):
        report = await good_pass(stage)
        assert stage.listed == {1, 2, 3, 7}
        assert report.counts()["foreign"] == 3


async def test_a_desired_record_of_somebody_else_is_adopted_without_a_call_and_removed_when_it_is_dropped(
    stage: Stage,
) -> None:
    upload(stage, 1, 2)
    stage.crm.want(1, 8)
    report = await good_pass(stage)
    assert writes(stage) == ["add 8"]
    assert "1 adopted" in report.sentence()
    stage.crm.drop(1)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]
    assert stage.listed == {2, 8}


async def test_an_adopted_record_keeps_the_time_of_the_row_that_adopted_it(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    upload(stage, 7, call_at=soon)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, at=soon + timedelta(hours=1))
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]


async def test_a_desired_record_that_an_agent_has_on_the_line_is_adopted_and_its_customer_called(stage: Stage) -> None:
    upload(stage, 7)
    connect(stage, 7)
    stage.crm.want(7)
    report = await good_pass(stage)
    assert "1 adopted" in report.sentence()
    drop(stage, 7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["called"]


@pytest.mark.parametrize("status", [2, 9])
async def test_a_record_of_somebody_else_that_is_not_open_is_not_removed_even_where_everything_may_be(
    stage: Stage, status: int
) -> None:
    stage.settings(removes=Removes.ALL)
    upload(stage, 1)
    stage.tenant.set_record(125, 1, status=status)
    stage.crm.want(7)
    for _ in range(2):
        await good_pass(stage)
        assert "delete 1" not in writes(stage)


async def test_with_removes_all_the_open_records_of_others_go_as_well_and_the_completed_stay(stage: Stage) -> None:
    stage.settings(removes=Removes.ALL)
    upload(stage, 1, 2, 3)
    complete(stage, 3)
    stage.crm.want(2)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]
    assert stage.listed == {2, 3}
    await good_pass(stage)
    assert writes(stage) == []


async def test_add_only_removes_nobody_but_the_suppressed(stage: Stage) -> None:
    stage.settings(mode=Mode.ADD_ONLY)
    stage.crm.want(1, 2, 3)
    await good_pass(stage)
    stage.crm.drop(1, 2)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.suppress(2)
    await good_pass(stage)
    assert writes(stage) == ["delete 2"]
    assert stage.listed == {1, 3}


async def test_add_only_reschedules_and_recalls_as_ever(stage: Stage) -> None:
    stage.settings(mode=Mode.ADD_ONLY, recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon)
    stage.crm.want(2, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 2)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    stage.crm.update(2, version=2)
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 1", "add 2", "delete 1", "delete 2"]


async def test_a_lost_state_costs_adoptions_and_no_call_at_all(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.crm.want(1, 2, at=soon, version=1)
    stage.crm.want(3, 4, version=1)
    await good_pass(stage)
    complete(stage, 3)
    connect(stage, 4)
    lose_state(stage)
    stage.crm.drop(2)
    stage.crm.update(1, at=soon + timedelta(hours=1), version=1)
    stage.crm.update(3, version=2)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
        assert stage.listed == {1, 2, 3, 4}


async def test_a_lost_state_and_a_lagging_listing_cost_duplicates_and_no_second_record(stage: Stage) -> None:
    stage.crm.want(1, 2)
    stage.tenant.manner.lag_listings = 2
    await good_pass(stage)
    lose_state(stage)
    report = await good_pass(stage)
    assert sorted(writes(stage)) == ["add 1", "add 2"]
    assert [entry.done for entry in stage.tenant.writes] == [()]
    assert report.exit_status == 0
    assert stage.ledger(1)["ours"]
    for _ in range(4):
        await good_pass(stage)
        assert writes(stage) == []


def lose_state(stage: Stage) -> None:
    """Lose everything that syncd knew."""
    stage.rows("TRUNCATE ledger, parked, claim, reading, pass, campaign CASCADE")


async def test_a_record_of_ours_that_is_dropped_and_gone_is_released_after_two_whole_listings(stage: Stage) -> None:
    stage.crm.want(7, 8)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.drop(7)
    drop(stage, 7)
    await good_pass(stage)
    assert stage.ledger(7)["ours"]
    report = await good_pass(stage)
    assert "1 released" in report.sentence()
    assert not stage.ledger(7)["ours"]
    assert journal(stage, 7)[-1] == "release done"
    await good_pass(stage)
    assert journal(stage, 7)[-1] == "release done"
    assert writes(stage) == []


async def test_a_released_customer_who_is_uploaded_by_somebody_else_is_foreign(stage: Stage) -> None:
    stage.crm.want(7, 8)
    await good_pass(stage)
    stage.crm.drop(7)
    for _ in range(4):
        await good_pass(stage)
    upload(stage, 7)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    assert 7 in stage.listed


async def test_a_dropped_customer_with_an_agent_is_removed_once_the_agent_lets_go(stage: Stage) -> None:
    stage.crm.want(7, 8)
    await good_pass(stage)
    connect(stage, 7)
    stage.crm.drop(7)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == ["delete 7"]
        assert journal(stage, 7)[-1] == "remove deferred with-agent"
    stage.tenant.set_record(125, 7, status=1)
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    assert stage.listed == {8}


async def test_a_dropped_customer_whose_call_is_completed_stays_where_it_is_and_stays_known_as_called(
    stage: Stage,
) -> None:
    stage.crm.want(7, 8)
    await good_pass(stage)
    complete(stage, 7)
    stage.crm.drop(7)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    drop(stage, 7)
    for _ in range(4):
        await good_pass(stage)
    stage.crm.want(7)
    await good_pass(stage)
    assert writes(stage) == []
    assert stage.ledger(7)["called"]
