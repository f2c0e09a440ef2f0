"""Suppression while a pass is under way: the newest list counts up to the very batch."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from gates import Alarm, Gate, hold_up_a_reschedule, read_again
from pass_story import claims, good_pass, until, writes
from structlog.testing import capture_logs

from syncd.errors import SourceError
from syncd.simulator import Call, Fault, FaultKind
from syncd.sync import NoProgress
from syncd.words import Exit
from tests.stage import Stage


async def first(stage: Stage, call: Call) -> None:
    """Wait until the first call is on its way: a list that is read anew before it would stop that one too."""
    await until(lambda: stage.tenant.log.of(call))


async def test_who_is_suppressed_while_additions_are_being_sent_is_not_added_any_more(stage: Stage) -> None:
    stage.settings(batch_size=1, every=timedelta(seconds=0.2))
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.crm.want(*range(1, 31))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.1, count=None))
    one = asyncio.create_task(good_pass(stage))
    await first(stage, Call.ADD)
    stage.crm.suppress(1, 30)
    await one
    assert "add 30" not in writes(stage)
    assert "add 1" in writes(stage)
    assert "delete 1" in writes(stage)
    assert stage.listed == set(range(2, 30))


async def test_whose_addition_was_on_its_way_when_the_list_was_read_is_taken_out_by_the_same_pass(
    stage: Stage,
) -> None:
    stage.crm.want(1, 2)
    stage.world.clock = alarm = Alarm()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=1))
    one = asyncio.create_task(good_pass(stage))
    await first(stage, Call.ADD)
    stage.crm.suppress(2)
    alarm.woken.set()
    report = await one
    assert writes(stage) == ["add 1", "add 2", "delete 2", "delete 2"]
    assert stage.listed == {1}
    assert report.open_claims == 0


@pytest.mark.parametrize("deed", [False, True])
async def test_who_is_suppressed_before_an_addition_is_tried_again_is_left_out_of_it(stage: Stage, deed: bool) -> None:
    lost = Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=503 if deed else 429, count=2, deed=deed)
    stage.crm.want(1, 2)
    stage.world.clock = alarm = Alarm()
    stage.tenant.faults.add(lost)
    one = asyncio.create_task(stage.once())
    await first(stage, Call.ADD)
    stage.crm.suppress(2)
    alarm.woken.set()
    report = await one
    assert stage.listed == {1}
    assert writes(stage)[-1] == "add 1"
    assert stage.ledger(1)["added_at"] is not None
    assert report.exit_status is (Exit.PARTIAL if deed else Exit.GOOD)
    assert claims(stage) == []


async def test_who_is_suppressed_between_the_halves_of_a_reschedule_is_owed_nothing(stage: Stage) -> None:
    stage.settings(every=timedelta(seconds=0.1))
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, at=soon)
    await good_pass(stage)
    stage.crm.run("UPDATE due SET schedule_at = ?", [((soon + timedelta(hours=1)).isoformat(),)])
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=2, count=None))
    stage.world.reached = lambda point: stage.crm.suppress(2) if point == "guard" else None
    await stage.once()
    assert "add 2" not in writes(stage)
    assert stage.listed == {1}
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_suppression_list_that_cannot_be_read_in_mid_pass_ends_the_additions_and_is_told(stage: Stage) -> None:
    stage.settings(batch_size=1, every=timedelta(seconds=0.2))
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.crm.want(*range(1, 31))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.1, count=None))
    one = asyncio.create_task(stage.once())
    await first(stage, Call.ADD)
    stage.crm.run("DROP TABLE do_not_call")
    report = await one
    assert 0 < len(stage.listed) < 30
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, SourceError)


async def test_what_the_newest_list_asks_for_is_sent_to_its_end_though_the_pass_has_nothing_else_to_do(
    stage: Stage,
) -> None:
    stage.settings(every=timedelta(seconds=0.2))
    stage.crm.want(*range(1, 41))
    await good_pass(stage)
    stage.crm.want(41)
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=2, count=None))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=0.05, count=None))
    stage.world.reached = lambda point: stage.crm.suppress(*range(1, 41)) if point == "guard" else None
    report = await good_pass(stage)
    assert stage.listed == {41}
    assert report.open_claims == 0


async def test_a_list_that_could_not_be_read_ends_the_additions_though_it_can_be_read_again(stage: Stage) -> None:
    stage.settings(batch_size=1)
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=2))
    stage.crm.want(1)
    await good_pass(stage)
    stage.crm.want(*range(2, 9))
    stage.tenant.clock = gate = Gate()
    stage.world.clock = alarm = Alarm()
    adding = frozenset({Call.ADD})
    for seconds, customer in enumerate((2, 3), 1):
        stage.tenant.faults.add(
            Fault(kind=FaultKind.LATENCY, calls=adding, customers=frozenset({customer}), seconds=seconds)
        )
    one = asyncio.create_task(stage.once())
    await until(lambda: claims(stage) == [("add", [2]), ("add", [3])])
    stage.crm.run("ALTER TABLE do_not_call RENAME TO hidden")
    await read_again(alarm)
    gate.open(1)
    await until(lambda: claims(stage) == [("add", [3])])
    stage.crm.run("ALTER TABLE hidden RENAME TO do_not_call")
    await read_again(alarm)
    gate.open(2)
    report = await one
    assert stage.listed == {1, 2, 3}
    assert isinstance(report.error, SourceError)


async def test_a_list_that_cannot_be_read_between_the_halves_of_a_reschedule_keeps_the_second_back(
    stage: Stage,
) -> None:
    gate = await hold_up_a_reschedule(stage)
    stage.world.clock = alarm = Alarm()
    one = asyncio.create_task(stage.once())
    await first(stage, Call.DELETE)
    stage.crm.run("ALTER TABLE do_not_call RENAME TO hidden")
    await read_again(alarm)
    gate.open(1)
    assert isinstance((await one).error, SourceError)
    assert writes(stage) == ["delete 7"]
    stage.crm.run("ALTER TABLE hidden RENAME TO do_not_call")
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


@pytest.mark.parametrize(
    ("schedule", "seconds"), [({"every": timedelta(seconds=20)}, 20), ({"every": None, "cron": "0 8 * * *"}, 300)]
)
async def test_the_list_is_read_as_often_as_the_campaign_runs_and_each_five_minutes_where_it_runs_by_cron(
    stage: Stage, schedule: dict[str, object], seconds: float
) -> None:
    stage.settings(**schedule)
    stage.world.clock = alarm = Alarm()
    await good_pass(stage)
    assert alarm.asked == [seconds]


async def test_a_pass_that_fails_waits_for_the_removal_that_is_on_its_way(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    stage.settings(query="SELECT * FROM no_such_table")
    stage.tenant.clock = gate = Gate()
    stage.world.clock = alarm = Alarm()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.LIST}), seconds=1))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=2))
    stage.tenant.log.clear()
    one = asyncio.create_task(stage.once())
    await first(stage, Call.LIST)
    stage.crm.suppress(1)
    alarm.woken.set()
    await first(stage, Call.DELETE)
    gate.open(1)
    await asyncio.wait({one}, timeout=0.5)
    assert not one.done()
    gate.open(2)
    assert isinstance((await one).error, SourceError)
    assert stage.listed == set()
    assert claims(stage) == []


FAIL_ONCE = """
CREATE SEQUENCE removals;
CREATE FUNCTION fail_once() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF nextval('syncd.removals') = 1 THEN RAISE 'out of shape'; END IF; RETURN NEW;
END $$;
CREATE TRIGGER fail_once BEFORE INSERT ON change FOR EACH ROW WHEN (NEW.kind = 'remove') EXECUTE FUNCTION fail_once()
"""


async def test_a_removal_that_the_state_does_not_take_does_not_end_the_lane(stage: Stage) -> None:
    stage.settings(every=timedelta(seconds=0.2))
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.rows(FAIL_ONCE)
    stage.crm.want(3)
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=2))
    stage.world.reached = lambda point: stage.crm.suppress(1) if point == "guard" else None
    with capture_logs() as logs:
        one = asyncio.create_task(stage.once())
        await first(stage, Call.DELETE)
        stage.crm.suppress(2)
        await one
    assert stage.listed == {3}
    assert claims(stage) == []
    [warning] = [log for log in logs if log["log_level"] == "warning"]
    assert (warning["event"], warning["campaign"]) == ("suppressions could not be looked after", "renewals")
    assert "out of shape" in warning["why"]


class Saboteur(NoProgress):
    """In the midst of the second reading of the list takes the table away and has the list read side by side."""

    def __init__(self, stage: Stage, alarm: Alarm) -> None:
        self.stage, self.alarm, self.readings = stage, alarm, 0

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        if name != "reading the suppression list":
            return
        self.readings += done == 0
        if self.readings == 2 and done and not self.alarm.woken.is_set():
            self.readings += 1
            self.stage.crm.run("ALTER TABLE do_not_call RENAME TO hidden")
            self.alarm.woken.set()


async def test_a_reading_that_breaks_off_beside_another_puts_no_half_of_the_list_into_force(stage: Stage) -> None:
    stage.crm.suppress(*range(100, 60_001))
    stage.crm.want(*range(1, 200))
    stage.world.clock = alarm = Alarm()
    stage.world.progress = saboteur = Saboteur(stage, alarm)
    report = await stage.once()
    assert saboteur.readings >= 3
    assert report.exit_status is Exit.FAILED
    assert stage.listed <= set(range(1, 100))
