"""The comparison held against the decision table: every combination of its columns, under every setting."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import product

from syncd.state.database import Connection
from syncd.words import Kind, Rule
from tests.integration.plan.laying import TIMES, decisions, lay
from tests.integration.plan.oracle import Facts, Settings, decide, every_ledger_row, every_setting


async def hold_against(
    connection: Connection, world: Sequence[Facts], settings: Iterable[Settings]
) -> Counter[tuple[Rule, Kind | None]]:
    """Decide for every customer under every setting, and compare with the table; return which rows decided."""
    reached: Counter[tuple[Rule, Kind | None]] = Counter()
    for setting in settings:
        decided = await decisions(connection, setting)
        for number, facts in enumerate(world, 1):
            rule, kind = decide(facts, setting)
            reached[rule, kind] += 1
            expected = (rule.value, kind.value) if kind else None
            assert decided.get(number) == expected, f"{facts}\n{setting}"
    return reached


def with_row(ledger: Iterable[Facts]) -> Iterable[Facts]:
    """Yield each ledger row with each state of the source, the suppression list, claims and parking."""
    for row, suppressed, claim in product(ledger, (False, True), (False, True)):
        yield replace(row, suppressed=suppressed, claim=claim)
        for parked, time, version in product(
            (None, "waiting", "due", "changed", "recall-duplicate", "flickering"),
            ("same", "near", "other"),
            ("same", "other", "unknown"),
        ):
            yield replace(
                row, suppressed=suppressed, claim=claim, desired=True, parked=parked, time=time, version=version
            )


async def test_every_combination_of_the_columns_is_decided_as_the_table_says(connection: Connection) -> None:
    world = list(with_row(every_ledger_row()))
    await lay(connection, world)
    reached = await hold_against(connection, world, every_setting())
    assert {rule for rule, _ in reached} == set(Rule)


async def test_what_keeps_a_row_from_being_sent_parks_it_or_leaves_the_record_alone(connection: Connection) -> None:
    world = [
        replace(row, desired=True, time=time, version=version, week_full=full, flickered=flickered)
        for row, time, version, full, flickered in product(
            every_ledger_row(), TIMES, ("same", "other"), (False, True), (False, True)
        )
        if row.presence is not None or not (full or flickered)
    ]
    await lay(connection, world)
    settings = [replace(setting, skip_past=skip) for setting in every_setting() for skip in (False, True)]
    reached = await hold_against(connection, world, [s for s in settings if not s.removes_all and not s.leave_vanished])
    assert {kind for _, kind in reached} >= {Kind.PARK, Kind.ADD, Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL}
