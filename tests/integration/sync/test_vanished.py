"""Records that are gone without syncd's doing, and new ones that somebody else brought."""

import pytest
from pass_story import complete, connect, drop, good_pass, journal, parked, upload, writes

from syncd.config import Vanished
from tests.stage import Stage


async def test_an_open_record_that_is_gone_is_added_again(stage: Stage) -> None:
    stage.crm.want(7)
    await good_pass(stage)
    await good_pass(stage)
    drop(stage, 7)
    report = await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert report.sentence() == "1 desired; 1 added"
    await good_pass(stage)
    assert writes(stage) == []


async def test_an_open_record_that_is_gone_is_reported_and_left_where_the_operator_says_so(stage: Stage) -> None:
    stage.settings(vanished=Vanished.LEAVE)
    stage.crm.want(7)
    await good_pass(stage)
    await good_pass(stage)
    drop(stage, 7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_a_record_that_was_added_and_never_listed_is_added_again_only_after_a_listing_may_have_known_it(
    stage: Stage,
) -> None:
    stage.crm.want(7)
    await good_pass(stage)
    drop(stage, 7)
    await good_pass(stage)  # may be older than the add
    assert writes(stage) == []
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


@pytest.mark.parametrize("status", [2, 77])
async def test_a_record_last_seen_with_an_agent_or_in_an_unknown_status_and_gone_has_been_called(
    stage: Stage, status: int
) -> None:
    stage.crm.want(7)
    await good_pass(stage)
    stage.tenant.set_record(125, 7, status=status)
    await good_pass(stage)
    assert writes(stage) == []
    drop(stage, 7)
    report = await good_pass(stage)
    assert writes(stage) == []
    assert "1 taken for called" in report.sentence()
    assert journal(stage, 7)[-1] == "called done"
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


@pytest.mark.parametrize("status", [2, 77])
async def test_a_record_of_somebody_else_last_seen_with_an_agent_and_gone_has_been_called(
    stage: Stage, status: int
) -> None:
    upload(stage, 7)
    stage.tenant.set_record(125, 7, status=status)
    stage.crm.want(8)
    await good_pass(stage)
    drop(stage, 7)
    stage.crm.want(7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["called"]


async def test_an_open_record_of_somebody_else_that_is_gone_is_added_when_it_is_desired(stage: Stage) -> None:
    upload(stage, 7)
    stage.crm.want(8)
    await good_pass(stage)
    drop(stage, 7)
    stage.crm.want(7)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_a_completed_record_that_has_left_the_list_is_not_called_again(stage: Stage) -> None:
    stage.crm.want(7)
    await good_pass(stage)
    complete(stage, 7)
    await good_pass(stage)
    drop(stage, 7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_a_record_that_the_vendor_drops_again_and_again_is_handed_over_three_times_a_week_at_most(
    stage: Stage,
) -> None:
    stage.crm.want(7)
    adds = 0
    for _ in range(12):
        await good_pass(stage)
        adds += writes(stage).count("add 7")
        drop(stage, 7)
        stage.clock.move(hours=2)
    assert adds == 3
    assert parked(stage, 7) == "weekly-limit"
    stage.clock.move(days=6)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_a_customer_gone_while_the_delete_was_on_its_way_is_called_if_last_seen_with_an_agent(
    stage: Stage,
) -> None:
    stage.crm.want(7, 8)
    await good_pass(stage)
    connect(stage, 7)
    stage.crm.drop(7)
    stage.world.reached = lambda point: drop(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    stage.world.reached = lambda point: None
    stage.crm.want(7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["called"]


async def test_vanished_records_wait_for_a_pass_that_observed(stage: Stage) -> None:
    stage.crm.want(7)
    await good_pass(stage)
    await good_pass(stage)
    drop(stage, 7)
    await good_pass(stage, observe=False)
    assert writes(stage) == []
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
