"""How changes are sent: who goes first, how many are claimed at once, what is recorded when, and what is told of it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from gates import Alarm, Gate, hold_up_a_reschedule, read_again
from pass_story import Told, claims, complete, connect, drop, good_pass, sent, until, writes

from syncd import sync
from syncd.config import RecallWhen
from syncd.errors import AuthRefused, CampaignBlocked
from syncd.simulator import Call, Fault, FaultKind
from syncd.sync import applying
from syncd.words import Kind
from tests.stage import MovedClock, Stage

WRITES = frozenset({Call.ADD, Call.DELETE})

NOTE_CLAIMS = """
CREATE TABLE claimed (kind text, customers integer);
CREATE FUNCTION note_claim() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO syncd.claimed VALUES (NEW.kind, cardinality(NEW.customers)); RETURN NULL;
END $$;
CREATE TRIGGER note_claim AFTER INSERT ON claim FOR EACH ROW EXECUTE FUNCTION note_claim()
"""


class Deletes(MovedClock):
    """A clock on which each delete that the tenant sees takes a quarter of a second."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    def monotonic(self) -> float:
        return len(self._stage.tenant.log.of(Call.DELETE)) / 4


def workers(stage: Stage, number: int) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=number))


def one_call_at_a_time(stage: Stage) -> None:
    """Let the tenant be asked so, by as many workers as before."""
    settings = replace(stage.campaign.tenant, concurrency=1)
    stage.world.tenant = type(stage.world.tenant)(settings, clock=stage.clock)


def unguarded(stage: Stage) -> None:
    stage.settings(guard=replace(stage.campaign.settings.guard, max_shrink_percent=0, max_removal_percent=0))


def sizes(stage: Stage, kind: Kind) -> list[object]:
    """Return how many customers each claim of a kind had, fewest first."""
    return [size for (size,) in stage.rows("SELECT customers FROM claimed WHERE kind = %s ORDER BY 1", kind.value)]


async def test_removals_go_before_additions_and_who_is_suppressed_meanwhile_before_both(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.settings(batch_size=1)
    one_call_at_a_time(stage)
    stage.crm.want(*range(1, 6))
    stage.crm.want(6, 7, at=soon)
    await good_pass(stage)
    stage.crm.suppress(1)  # whose delete goes first, and shows that the login is good
    stage.crm.drop(2, 3, 4)
    for customer in (6, 7):
        stage.crm.update(customer, at=soon + timedelta(hours=1))
    stage.crm.want(11, 12, 13)
    stage.tenant.clock = gate = Gate()
    stage.world.clock = alarm = Alarm()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=WRITES, skip=1, seconds=1))
    one = asyncio.create_task(good_pass(stage))
    pace = stage.world.tenant.pace
    await until(lambda: len(sent(stage)) == 2 and pace.waiting >= 5)
    waiting = pace.waiting
    stage.crm.suppress(5)
    alarm.woken.set()
    await until(lambda: pace.waiting > waiting)
    gate.open(1)
    assert (await one).suppressed_out == 2
    _, _, third, *others = writes(stage)
    assert third == "delete 5"
    kinds = [each.split()[0] for each in others]
    assert sorted(kinds, reverse=True) == kinds


async def test_few_deletes_are_spread_over_all_workers_and_many_are_claimed_by_25(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    workers(stage, 2)
    unguarded(stage)
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(*range(1, 63))
    stage.crm.want(63, 64, 65, at=soon)
    stage.crm.want(*range(66, 71), version=1)
    await good_pass(stage)
    complete(stage, *range(66, 71))
    await good_pass(stage)
    stage.crm.suppress(61, 62)
    stage.crm.drop(*range(1, 61))
    for customer in (63, 64, 65):
        stage.crm.update(customer, at=soon + timedelta(hours=1))
    for customer in range(66, 71):
        stage.crm.update(customer, version=2)
    stage.rows(NOTE_CLAIMS)
    await good_pass(stage)
    assert sizes(stage, Kind.REMOVE) == [1, 1, 10, 25, 25]
    assert sizes(stage, Kind.RESCHEDULE) == [1, 2]
    assert sizes(stage, Kind.RECALL) == [2, 3]


async def test_a_worker_records_what_it_has_got_each_second(stage: Stage) -> None:
    workers(stage, 1)
    stage.crm.want(*range(1, 11))
    await good_pass(stage)
    stage.crm.suppress(*range(1, 11))
    stage.world.clock = Deletes(stage)
    stage.world.progress = told = Told()
    report = await good_pass(stage)
    assert told.sending == [(4, None), (8, None), (10, None)]
    assert report.suppressed_out == 10


async def test_it_is_told_how_many_of_the_planned_changes_are_sent(stage: Stage) -> None:
    workers(stage, 1)
    stage.settings(batch_size=2)
    stage.world.progress = told = Told()
    stage.crm.want(1, 2, 3)
    await good_pass(stage)
    assert told.sending == [(2, 3), (3, 3)]


async def test_only_who_is_out_counts_as_taken_out(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    await good_pass(stage)
    await good_pass(stage)
    connect(stage, 1)
    drop(stage, 2)
    stage.crm.suppress(1, 2, 3)
    report = await good_pass(stage, observe=False)
    assert set(writes(stage)) == {"delete 1", "delete 2", "delete 3"}
    assert report.suppressed_out == 2


async def test_a_campaign_that_is_full_is_sent_nobody(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (sync, applying):
        monkeypatch.setattr(module, "MAX_RECORDS", 2)
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.want(3)
    report = await good_pass(stage)
    assert writes(stage) == []
    assert report.beyond == 1


async def test_the_room_of_whom_the_newest_list_names_is_anothers(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sync, applying):
        monkeypatch.setattr(module, "MAX_RECORDS", 6)
    workers(stage, 1)
    stage.settings(batch_size=4)
    stage.crm.want(*range(1, 9))
    stage.tenant.clock = gate = Gate()
    stage.world.clock = alarm = Alarm()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=1))
    one = asyncio.create_task(good_pass(stage))
    await until(lambda: sent(stage))
    stage.crm.suppress(5)
    await read_again(alarm)
    gate.open(1)
    await one
    assert stage.listed == {1, 2, 3, 4, 6, 7}


async def test_a_refused_login_is_told_rather_than_what_another_call_said_before(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.drop(1)
    stage.crm.want(3)
    stage.tenant.clock = gate = Gate()
    on_delete, on_add = frozenset({Call.DELETE}), frozenset({Call.ADD})
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=on_delete, seconds=1))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=on_delete, status=401, count=None))
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=on_add, status=400, text="The campaign is not enabled."))
    one = asyncio.create_task(stage.once())
    on_their_way = stage.tenant.log.of
    await until(lambda: on_their_way(Call.DELETE) and on_their_way(Call.ADD) and claims(stage) == [("remove", [1])])
    gate.open(1)
    assert isinstance((await one).error, AuthRefused)


async def test_what_ends_the_additions_ends_the_removals_as_well(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "DELETE_BATCH", 1)
    workers(stage, 1)
    stage.crm.want(*range(1, 7))
    await good_pass(stage)
    stage.crm.drop(1, 2, 3)
    stage.crm.want(11)
    stage.tenant.clock = gate = Gate()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=1))
    stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=400, text="The campaign is not enabled.")
    )
    one = asyncio.create_task(stage.once())
    on_their_way = stage.tenant.log.of
    await until(lambda: on_their_way(Call.DELETE) and on_their_way(Call.ADD) and claims(stage) == [("remove", [1])])
    gate.open(1)
    assert isinstance((await one).error, CampaignBlocked)
    assert "delete 1" in writes(stage)
    assert len(writes(stage)) == 2
    assert stage.ledger(1)["presence"] == "removed"


async def test_a_pass_that_is_stopped_between_the_halves_of_a_reschedule_leaves_the_second_to_the_next(
    stage: Stage,
) -> None:
    gate = await hold_up_a_reschedule(stage)
    one = asyncio.create_task(stage.once())
    await until(lambda: stage.tenant.log.of(Call.DELETE))
    stage.world.stop.set()
    gate.open(1)
    await one
    assert writes(stage) == ["delete 7"]
    stage.world.stop.clear()
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
