"""Parking: whom the vendor refuses or cannot take yet waits, and is tried again in time."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import good_pass, journal, near, next_try, parked, record, sent, writes

from syncd.simulator import Call, Dialect, Fault, FaultKind, Mark
from tests.stage import CAMPAIGN, Stage

MINUTES = [15, 30, 60, 120, 240, 480, 960, 1440, 1440]
"""Until the next try: doubling to a day."""


async def test_a_customer_who_is_not_in_the_vendors_crm_is_tried_again_backing_off_to_a_day(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, 8)
    for minutes in MINUTES:
        await good_pass(stage)
        assert "add 7" in writes(stage)
        assert parked(stage, 7) == "not-in-crm"
        assert next_try(stage, 7) == timedelta(minutes=minutes)
        stage.clock.move(minutes=minutes - 1)
        await good_pass(stage)
        assert writes(stage) == []
        stage.clock.move(minutes=2)
    stage.tenant.add_customers([7])
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert parked(stage, 7) is None


async def test_a_parked_customer_whose_row_changes_is_tried_at_once_and_begins_anew(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, version=1)
    for minutes in (15, 30, 60):
        await good_pass(stage)
        assert next_try(stage, 7) == timedelta(minutes=minutes)
        stage.clock.move(minutes=minutes + 1)
    await good_pass(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert next_try(stage, 7) == timedelta(minutes=15)


async def test_a_source_that_flickers_does_not_begin_the_back_off_anew(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, 8)
    await good_pass(stage)
    stage.clock.move(minutes=16)
    await good_pass(stage)
    stage.crm.drop(7)
    await good_pass(stage)
    stage.crm.want(7)
    await good_pass(stage)
    assert writes(stage) == []
    assert next_try(stage, 7) == timedelta(minutes=30)


async def test_who_is_dropped_for_a_day_is_parked_no_more(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, 8)
    await good_pass(stage)
    stage.crm.drop(7)
    stage.clock.move(hours=25)
    await good_pass(stage)
    assert parked(stage, 7) is None


async def test_after_28_days_of_refusals_a_customer_is_given_up_until_the_row_changes(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, version=1)
    await good_pass(stage)
    for _ in range(3):
        stage.clock.move(days=10)
        await good_pass(stage)
    assert stage.rows("SELECT given_up, next_try FROM parked") == [(True, None)]
    stage.clock.move(days=30)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert stage.rows("SELECT given_up FROM parked") == [(False,)]


async def test_nobody_is_given_up_where_there_is_no_such_limit(stage: Stage) -> None:
    stage.settings(park_days=0)
    stage.tenant.crm.remove([7])
    stage.crm.want(7)
    await good_pass(stage)
    for _ in range(3):
        stage.clock.move(days=30)
        await good_pass(stage)
        assert writes(stage) == ["add 7"]


async def test_a_customer_on_the_vendors_own_do_not_call_list_waits_until_the_row_changes(stage: Stage) -> None:
    stage.tenant.crm.mark(Mark.DO_NOT_CALL, [7])
    stage.crm.want(7, version=1)
    await good_pass(stage)
    assert parked(stage, 7) == "vendor-dnc"
    assert next_try(stage, 7) is None
    stage.clock.move(days=3)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


@pytest.mark.parametrize("dialect", list(Dialect))
async def test_a_time_before_the_campaigns_schedule_waits_for_its_beginning_where_that_is_named(
    stage: Stage, dialect: Dialect
) -> None:
    stage.tenant.manner.dialect = dialect
    opens = stage.clock.now() + timedelta(days=2)
    stage.tenant.campaigns[CAMPAIGN].properties.opens = opens
    stage.crm.want(7, at=stage.clock.now() + timedelta(days=1))
    await good_pass(stage)
    assert parked(stage, 7) == "outside-schedule"
    (until,) = stage.rows("SELECT next_try FROM parked")[0]
    if dialect is Dialect.OLDER:
        assert until is None
        return
    assert near(until, opens)
    stage.clock.move(days=1, hours=23)
    await good_pass(stage)
    assert writes(stage) == []
    stage.clock.move(hours=2)  # the row's time has passed by now: sent without one
    await good_pass(stage)
    assert record(stage, 7).call_at is None


async def test_a_time_after_the_campaigns_schedule_waits_until_the_row_changes(stage: Stage) -> None:
    stage.tenant.campaigns[CAMPAIGN].properties.opens = stage.clock.now() - timedelta(days=9)
    stage.tenant.campaigns[CAMPAIGN].properties.closes = stage.clock.now() + timedelta(days=2)
    stage.crm.want(7, at=stage.clock.now() + timedelta(days=3))
    await good_pass(stage)
    assert parked(stage, 7) == "outside-schedule"
    stage.clock.move(days=1)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, at=stage.clock.now() + timedelta(hours=2))
    await good_pass(stage)
    assert 7 in stage.listed


async def test_the_vendors_limit_of_scheduled_customers_stops_timed_adds_for_this_pass_and_no_others(
    stage: Stage,
) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.settings(batch_size=2)
    stage.tenant.manner.max_scheduled = 2
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(*range(1, 9), at=soon)
    stage.crm.want(20, 21, 22)
    await good_pass(stage)
    assert stage.listed == {1, 2, 20, 21, 22}
    timed = [customer for entry in sent(stage) for customer, at in entry.asked if at is not None]
    assert timed == [1, 2, 3, 4]
    assert [parked(stage, customer) for customer in (3, 4)] == ["schedule-limit"] * 2
    assert next_try(stage, 3) == timedelta(minutes=15)
    stage.tenant.manner.max_scheduled = None
    await good_pass(stage)
    assert stage.listed == {1, 2, 5, 6, 7, 8, 20, 21, 22}
    stage.clock.move(minutes=16)
    await good_pass(stage)
    assert stage.listed == {*range(1, 9), 20, 21, 22}


async def test_an_unknown_refusal_is_parked_backing_off_and_its_text_is_shown(stage: Stage) -> None:
    stage.tenant.manner.max_records = 1
    stage.crm.want(7, 8)
    await good_pass(stage)
    await good_pass(stage)
    assert stage.rows("SELECT reason, message FROM parked") == [("unknown-text", "The campaign takes no more records.")]


async def test_poison_in_a_batch_parks_the_poison_alone(stage: Stage) -> None:
    stage.tenant.poison.add(7)
    stage.crm.want(*range(1, 41))
    await good_pass(stage)
    assert stage.listed == {*range(1, 41)} - {7}
    assert parked(stage, 7) == "invalid-value"


async def test_the_time_that_came_while_the_request_was_on_its_way_is_sent_as_none_in_the_next_pass(
    stage: Stage,
) -> None:
    stage.crm.want(7, at=stage.clock.now() + timedelta(minutes=5))
    stage.world.reached = lambda point: stage.clock.move(minutes=10) if point == "guard" else None
    await good_pass(stage)
    assert [entry.verdicts for entry in sent(stage)] == [("PAST",)]
    stage.world.reached = lambda point: None
    await good_pass(stage)
    assert record(stage, 7).call_at is None


async def test_the_second_half_of_a_reschedule_that_is_refused_is_parked_and_not_owed_for_ever(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.tenant.crm.remove([7])
    stage.crm.update(7, at=soon + timedelta(hours=1))
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert parked(stage, 7) == "not-in-crm"
    await good_pass(stage)
    assert writes(stage) == []
    stage.tenant.add_customers([7])
    stage.clock.move(minutes=16)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_an_add_beyond_the_weeks_three_is_parked_until_the_oldest_is_a_week_old(stage: Stage) -> None:
    stage.crm.want(7)
    campaign = stage.tenant.campaigns[CAMPAIGN]
    added = 0
    while added < 3:
        await good_pass(stage)
        added += "add 7" in writes(stage)
        campaign.empty()
        stage.clock.move(hours=1)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert parked(stage, 7) == "weekly-limit"
    stage.clock.move(days=8)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_a_duplicate_does_not_count_for_the_week(stage: Stage) -> None:
    stage.crm.want(7)
    for _ in range(5):
        stage.rows("TRUNCATE parked")
        stage.rows("DELETE FROM ledger")
        stage.tenant.manner.lag_listings = 50
        if 7 not in stage.listed:
            stage.tenant.add_records(CAMPAIGN, [7])
        await good_pass(stage)
        assert journal(stage, 7)[-1] == "add already duplicate"
    assert stage.ledger(7)["added_times"] is None


async def test_an_answer_that_names_no_customer_parks_nobody(stage: Stage) -> None:
    stage.crm.want(*range(1, 9))
    stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=400, text="Go away.", count=None)
    )
    report = await stage.once()
    assert "Go away." in report.sentence()
    assert stage.rows("SELECT customer FROM parked") == []
    stage.tenant.faults.clear()
    await good_pass(stage)
    assert stage.listed == set(range(1, 9))


async def test_a_changed_row_begins_the_28_days_anew(stage: Stage) -> None:
    stage.tenant.crm.remove([7])
    stage.crm.want(7, version=1)
    await good_pass(stage)
    stage.clock.move(days=27)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    stage.clock.move(days=3)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    assert stage.rows("SELECT given_up FROM parked") == [(False,)]
