"""Rescheduling: a record whose row names another time is deleted, then added with it."""

from datetime import timedelta

import pytest
from pass_story import complete, connect, drop, good_pass, journal, near, parked, record, writes

from syncd.config import PastSchedule, RecallWhen
from syncd.vendor import RecordStatus
from tests.stage import CAMPAIGN, Stage


async def test_a_row_with_another_time_is_deleted_and_then_added_with_it(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    report = await good_pass(stage)
    assert report.sentence() == "1 desired; 1 rescheduled"
    assert writes(stage) == ["delete 7", "add 7"]
    assert near(record(stage, 7).call_at, soon + timedelta(hours=1))
    assert (await good_pass(stage)).sentence() == "1 desired; in step, nothing to do"


@pytest.mark.parametrize(("seconds", "sent"), [(59, []), (60, []), (61, ["delete 7", "add 7"])])
async def test_times_within_the_tolerance_are_the_same(stage: Stage, seconds: int, sent: list[str]) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(seconds=seconds))
    await good_pass(stage)
    assert writes(stage) == sent


async def test_a_time_that_creeps_within_the_tolerance_is_measured_from_the_add_and_not_from_the_last_pass(
    stage: Stage,
) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    for minute in (50, 100):
        stage.crm.update(7, at=soon + timedelta(seconds=minute))
        await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert near(record(stage, 7).call_at, soon + timedelta(seconds=100))


async def test_a_time_that_is_taken_away_makes_the_call_due_at_once(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    stage.crm.update(7)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert record(stage, 7).call_at is None


async def test_a_time_that_has_come_is_the_same_as_none(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    stage.clock.move(hours=3)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7)
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_past_time_is_sent_without_a_time(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() - timedelta(hours=2))
    await good_pass(stage)
    assert record(stage, 7).call_at is None
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_past_time_is_parked_where_it_is_to_be_skipped_until_the_row_changes(stage: Stage) -> None:
    stage.settings(past_schedule=PastSchedule.SKIP)
    stage.crm.want(7, at=stage.clock.now() - timedelta(hours=2))
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
        assert parked(stage, 7) == "in-the-past"
    stage.clock.move(days=2)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, at=stage.clock.now() + timedelta(hours=1))
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert parked(stage, 7) is None


async def test_an_open_record_whose_row_moves_into_the_past_is_not_rescheduled(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    stage.crm.update(7, at=stage.clock.now() - timedelta(hours=2))
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_time_beyond_seven_days_is_parked_without_a_call_and_sent_once_it_is_within_reach(stage: Stage) -> None:
    far = stage.clock.now() + timedelta(days=9)
    stage.crm.want(7, at=far)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
        assert parked(stage, 7) == "too-far-ahead"
    stage.clock.move(days=1, hours=23)
    await good_pass(stage)
    assert writes(stage) == []
    stage.clock.move(hours=2)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert near(record(stage, 7).call_at, far)
    assert parked(stage, 7) is None


async def test_an_open_record_whose_time_moves_beyond_reach_is_removed_and_comes_back_in_time(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    far = stage.clock.now() + timedelta(days=8)
    stage.crm.update(7, at=far)
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
        assert parked(stage, 7) == "too-far-ahead"
    stage.clock.move(days=1, minutes=5)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert near(record(stage, 7).call_at, far)


async def test_a_customer_rescheduled_in_three_passes_running_is_parked_and_left_in_the_campaign(stage: Stage) -> None:
    stage.settings(max_adds_per_week=0)
    first = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=first)
    await good_pass(stage)
    for hour in (1, 2, 3):
        stage.crm.update(7, at=first + timedelta(hours=hour))
        await good_pass(stage)
        assert writes(stage) == ["delete 7", "add 7"]
    for hour in (4, 5, 6):
        stage.crm.update(7, at=first + timedelta(hours=hour))
        await good_pass(stage)
        assert writes(stage) == []
        assert parked(stage, 7) == "flickering-time"
    assert 7 in stage.listed


async def test_a_pass_in_which_the_time_stood_still_breaks_the_row_of_reschedules(stage: Stage) -> None:
    stage.settings(max_adds_per_week=0)
    first = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=first)
    await good_pass(stage)
    for hour in (1, 2, 3, 4, 5):
        stage.crm.update(7, at=first + timedelta(hours=hour))
        await good_pass(stage)
        assert writes(stage) == ["delete 7", "add 7"]
        await good_pass(stage)
        assert writes(stage) == []


async def test_another_time_while_with_an_agent_waits_until_the_agent_is_done(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    connect(stage, 7)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    complete(stage, 7)
    await good_pass(stage)
    assert writes(stage) == []
    assert stage.ledger(7)["called"]


async def test_a_record_that_reached_an_agent_since_the_listing_is_not_added_a_second_time(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    stage.world.reached = lambda point: connect(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    assert journal(stage, 7)[-1] == "reschedule deferred with-agent"
    assert stage.ledger(7)["status"] == 2


@pytest.mark.parametrize("recall", list(RecallWhen))
async def test_a_record_completed_since_the_listing_makes_the_customer_called_and_is_not_added_again(
    stage: Stage, recall: RecallWhen
) -> None:
    stage.settings(recall=recall)
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon, version=1)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(hours=1), version=1)
    stage.world.reached = lambda point: complete(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    assert stage.ledger(7)["called"]
    stage.world.reached = lambda point: None
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_a_record_that_opened_again_after_its_call_is_not_replaced_by_a_new_one(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    for _ in range(2):
        await good_pass(stage)
    complete(stage, 7)
    await good_pass(stage)
    stage.tenant.set_record(CAMPAIGN, 7, status=RecordStatus.QUEUED)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["status"] == RecordStatus.QUEUED
    stage.crm.drop(7)
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]


async def test_a_record_gone_since_the_listing_is_added_with_the_new_time(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    stage.world.reached = lambda point: drop(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert near(record(stage, 7).call_at, soon + timedelta(hours=1))


async def test_a_reschedule_beyond_the_weeks_adds_is_not_begun_and_the_record_stays(stage: Stage) -> None:
    stage.settings(max_adds_per_week=2)
    first = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=first)
    await good_pass(stage)
    stage.crm.update(7, at=first + timedelta(hours=1))
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    stage.crm.update(7, at=first + timedelta(hours=2))
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
        assert 7 in stage.listed


async def test_a_value_that_is_no_time_is_never_taken_for_as_soon_as_possible(stage: Stage) -> None:
    stage.crm.want(7, at="next tuesday")
    await good_pass(stage)
    assert writes(stage) == []
    assert parked(stage, 7) == "invalid-value"


async def test_an_open_record_whose_row_has_no_readable_time_any_more_is_left_as_it_is(stage: Stage) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    stage.crm.update(7, at="next tuesday")
    await good_pass(stage)
    assert writes(stage) == []
    assert 7 in stage.listed
