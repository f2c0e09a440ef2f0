"""The comparison held against the decision table: every combination of its columns, row by row."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, fields

import pytest

from syncd.state.database import Connection
from syncd.state.planned import Queue
from syncd.words import Kind, Rule
from tests.integration.plan.laying import Planned, keep_everyone, lay, planned
from tests.integration.plan.oracle import Decision, Facts, Settings, decide
from tests.integration.plan.worlds import SETTINGS, columns, hindrances

pytestmark = pytest.mark.asyncio(loop_scope="module")

SHOWN = 5
"""So many of the combinations that differ are shown: one mistake makes thousands."""

FEW = 11
"""Each so-manieth combination will do where the rows of the table are not in question; no column is so long."""

LINES = {
    Kind.REMOVE: Queue.REMOVALS,
    Kind.ADD: Queue.ADDITIONS,
    Kind.RESCHEDULE: Queue.RESCHEDULES,
    Kind.RECALL: Queue.RECALLS,
}

Reached = Counter[tuple[Rule, Kind | None]]


async def hold_against_the_table(
    connection: Connection, world: Sequence[Facts], monkeypatch: pytest.MonkeyPatch
) -> Reached:
    """Decide for every customer under every setting and compare with the table; return which rows decided."""
    keep_everyone(monkeypatch)
    await lay(connection, world)
    reached: Reached = Counter()
    differences = []
    for settings in SETTINGS:
        plan = await planned(connection, settings)
        for customer, facts in enumerate(world, 1):
            expected = decide(facts, settings)
            reached[expected.rule, expected.kind] += 1
            found = plan.get(customer)
            if not agrees(found, expected):
                differences.append((facts, settings, expected, found))
    assert not differences, f"{len(differences)} of {sum(reached.values())}:\n" + told(differences[:SHOWN])
    return reached


def agrees(found: Planned | None, expected: Decision) -> bool:
    if found is None:  # whom neither the source nor the state names is not in the comparison at all
        return expected.kind is None and expected.rule in (Rule.ABSENT, Rule.SUPPRESSED)
    if (found.rule, found.kind) != (expected.rule, expected.kind):
        return False
    match expected.kind:
        case None:
            return True
        case Kind.PARK:
            why = (found.park_reason, found.park_until) == (expected.park_reason, expected.park_until)
            return why and found.row_hash is not None and found.queue == Queue.LEDGER
        case Kind.ADD | Kind.RESCHEDULE | Kind.RECALL if found.send_at != expected.send_at or found.row_hash is None:
            return False
    urgent = found.rule.startswith("suppressed")
    return found.queue == (Queue.SUPPRESSIONS if urgent else LINES.get(expected.kind, Queue.LEDGER))


def told(differences: Sequence[tuple[Facts, Settings, Decision, Planned | None]]) -> str:
    """Return each difference with the facts that are not as usual."""
    usual = {field.name: field.default for field in fields(Facts)}
    return "\n".join(
        f"{ {name: value for name, value in asdict(facts).items() if value != usual[name]} }\n"
        f"  under {settings}\n  the table says {expected}\n  and the plan    {found}"
        for facts, settings, expected, found in differences
    )


def table(reached: Reached) -> str:
    """Return how many combinations each row decided, one rule a line."""
    return "\n".join(
        f"{rule:28} " + ", ".join(f"{kind or 'nothing'} {reached[rule, kind]:,}" for kind in (*Kind, None)
                                  if reached[rule, kind])
        for rule in Rule
    )  # fmt: skip


async def test_every_combination_of_the_columns_is_decided_as_the_table_says(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = await hold_against_the_table(connection, list(columns()), monkeypatch)
    print(table(reached))
    assert {rule for rule, _ in reached} == set(Rule)


async def test_what_keeps_a_row_from_being_sent_parks_it_or_leaves_the_record_alone(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached = await hold_against_the_table(connection, list(hindrances()), monkeypatch)
    print(table(reached))
    assert {kind for _, kind in reached} >= {Kind.PARK, Kind.ADD, Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL}


async def test_the_plan_keeps_every_change_and_of_who_is_left_alone_only_what_is_counted_or_remembered(
    connection: Connection,
) -> None:
    world = list(columns())[::FEW]
    await lay(connection, world)
    for settings in (SETTINGS[0], SETTINGS[4]):
        plan = await planned(connection, settings)
        changes = {customer for customer, line in plan.items() if line.kind}
        assert changes == {n for n, facts in enumerate(world, 1) if decide(facts, settings).kind}
        counted = {Rule.VANISHED} if settings.observed else {Rule.VANISHED, Rule.DROPPED, Rule.FOREIGN_DROPPED}
        assert {line.rule for line in plan.values() if not line.kind and not line.note} <= counted


async def test_the_suppression_lane_alone_decides_about_the_suppressed_as_the_whole_plan_does(
    connection: Connection,
) -> None:
    world = list(columns())[::FEW]
    await lay(connection, world)
    unlisted = SETTINGS[4]
    lane = await planned(connection, unlisted, suppressed_only=True)
    expected = {n: decide(facts, unlisted) for n, facts in enumerate(world, 1) if facts.suppressed}
    assert {n: line.rule for n, line in lane.items()} == {n: d.rule for n, d in expected.items() if d.kind}
    assert {line.kind for line in lane.values()} == {Kind.REMOVE}
    assert not any(line.note for line in lane.values())
