"""A dry run: it says what a pass would do, and neither sends nor writes anything."""

import asyncio
from datetime import timedelta

from pass_story import claims, complete, connect, drop, good_pass, parked, upload, writes

from syncd.config import RecallWhen
from syncd.simulator import Call, Fault, FaultKind
from syncd.words import Exit, Kind
from tests.stage import Stage


def everything(stage: Stage) -> dict[str, list[tuple[object, ...]]]:
    """Return all rows of the state with the transactions that wrote them, and how far its sequences have come."""
    tables = stage.rows(
        "SELECT relname FROM pg_class WHERE relnamespace = 'syncd'::regnamespace AND relkind = 'r' ORDER BY 1"
    )
    found = {
        str(table): stage.rows(f"SELECT xmin::text, ctid::text, t::text FROM {table} t ORDER BY 2")
        for (table,) in tables
    }
    sequences = "SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'syncd' ORDER BY 1"
    return found | {"sequences": stage.rows(sequences)}


async def busy_world(stage: Stage) -> None:
    """Set a stage on which a pass has something of each kind to do, an open claim and a parked customer besides."""
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    soon = stage.clock.now() + timedelta(hours=2)
    upload(stage, 50, 51)
    stage.tenant.crm.remove([9])
    stage.crm.want(*range(1, 10), at=soon, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 5)
    connect(stage, 6)
    stage.crm.drop(8)
    drop(stage, 8)
    stage.crm.want(12)
    stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=206, text="The response timed out.")
    )
    await stage.once()
    assert claims(stage) == [("add", [12])]
    assert parked(stage, 9) == "not-in-crm"
    stage.crm.drop(1)  # to be removed; 8 to be released
    stage.crm.update(2, at=soon + timedelta(hours=1), version=1)  # rescheduled
    stage.crm.update(5, at=soon, version=2)  # recalled
    drop(stage, 3, 6)  # vanished, so added; taken for called
    stage.crm.want(10, 50)  # added; adopted
    stage.crm.want(11, at=stage.clock.now() + timedelta(days=30))  # parked
    stage.crm.suppress(4)


async def test_a_dry_run_writes_nothing_anywhere(stage: Stage) -> None:
    await busy_world(stage)
    before = everything(stage)
    stage.tenant.log.clear()
    report = await stage.rehearse()
    assert report.error is None
    assert report.plan.changes > 5
    assert writes(stage) == []
    assert everything(stage) == before


async def test_a_dry_run_before_the_first_pass_writes_nothing_and_knows_what_would_be_added(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    before = everything(stage)
    report = await stage.rehearse()
    assert report.plan.of(Kind.ADD) == 3
    assert everything(stage) == before
    assert stage.rows("SELECT id FROM campaign") == []


async def test_a_pass_then_does_what_the_dry_run_said(stage: Stage) -> None:
    await busy_world(stage)
    said = await stage.rehearse()
    report = await stage.once()
    assert {kind: report.plan.of(kind, urgent=False) for kind in Kind} == {
        kind: said.plan.of(kind, urgent=False) for kind in Kind
    }
    assert all(said.plan.of(kind) for kind in Kind)
    assert report.suppressed_out == said.plan.suppressions == 1
    for kind in (Kind.ADD, Kind.RESCHEDULE, Kind.RECALL):
        assert report.done(kind) == said.plan.of(kind)
    await good_pass(stage)
    assert writes(stage) == ["add 12"]  # its first add is void by now
    assert (await stage.rehearse()).plan.calls == 0


async def test_a_dry_run_needs_no_lock(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    said = []

    async def rehearse() -> None:
        said.append(await stage.rehearse())

    tasks = []
    stage.world.reached = lambda point: tasks.append(asyncio.create_task(rehearse())) if point == "lock" else None
    await good_pass(stage)
    await asyncio.gather(*tasks)
    assert [report.exit_status for report in said] == [Exit.GOOD]


async def test_a_dry_run_says_what_would_be_held(stage: Stage) -> None:
    stage.crm.want(*range(1, 41))
    await good_pass(stage)
    stage.crm.drop(*range(2, 41))
    report = await stage.rehearse()
    assert report.exit_status is Exit.HELD
    assert stage.rows("SELECT campaign FROM held_plan") == []
