"""What a line of the plan says besides its decision: the row, the record as it was, what is to be remembered."""

import pytest
from psycopg.rows import dict_row

from syncd import plan
from syncd.state.database import Connection
from syncd.words import Kind, Rule
from tests.integration.plan.laying import CAMPAIGN, campaign, lay
from tests.integration.plan.oracle import NOW, Facts, Settings, decide
from tests.integration.plan.worlds import columns

pytestmark = pytest.mark.asyncio(loop_scope="module")

USUAL = Settings()
FEW = 41
"""Each so-manieth combination; no column is so long."""

Line = dict[str, object]


async def lines(
    connection: Connection, settings: Settings = USUAL, *, everyone: bool = False, suppressed_only: bool = False
) -> dict[int, Line]:
    """Decide, and return the whole lines by customer."""
    await plan.decide(
        connection,
        CAMPAIGN,
        campaign(settings),
        NOW,
        observed=settings.observed,
        everyone=everyone,
        suppressed_only=suppressed_only,
    )
    return await as_planned(connection)


async def as_planned(connection: Connection) -> dict[int, Line]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM planned")
        found = await cursor.fetchall()
    by_customer = {int(line["customer"]): line for line in found}
    assert len(by_customer) == len(found), "nobody stands in the plan twice"
    return by_customer


def world() -> list[Facts]:
    return list(columns())[::FEW]


def rest_of(found: dict[int, Line]) -> dict[int, Line]:
    """Return the lines outside the suppression lane."""
    return {customer: line for customer, line in found.items() if line["queue"]}


def stand(facts: Facts) -> str:
    if facts.presence is None or facts.stand == "never-seen":
        return "open"
    return "completed" if facts.completed else facts.stand


def remembered(facts: Facts, rule: Rule, *, rescheduled: bool) -> bool:
    """Return whether the ledger has something to remember of this reading."""
    version_moved = facts.version in ("none", "other")
    return (
        (facts.desired and facts.present and not facts.completed and version_moved)
        or (facts.desired and facts.called and facts.version == "unknown")
        or (rule is Rule.IN_STEP and rescheduled and not facts.moved)
        or (facts.presence == "owed" and (facts.suppressed or not facts.desired))
    )


async def test_a_line_says_what_the_row_is_and_what_the_ledger_had(connection: Connection) -> None:
    facts = world()
    await lay(connection, facts)
    found = await lines(connection, everyone=True)
    assert len(found) > len(facts) / 2
    for customer, line in found.items():
        told = facts[customer - 1]
        assert line["wanted_at"] == (told.row_at if told.desired else None)
        assert line["version"] == ({"none": None, "other": "new"}.get(told.version, "old") if told.desired else None)
        assert (line["presence"], line["stand"]) == (told.presence, stand(told)), told
        assert line["called"] == (told.presence is not None and told.called), told
        assert line["unlisted"] == (told.presence is None or told.absent is None or told.absent >= 1), told
        assert line["freed"] is False


async def test_a_line_has_the_hash_by_which_a_parked_row_is_known_again(connection: Connection) -> None:
    await lay(connection, world())
    await lines(connection, Settings(recall="on-version", max_adds=0))
    cursor = await connection.execute(
        "SELECT kind, count(*) FILTER (WHERE row_hash IS NOT DISTINCT FROM hashtextextended("
        " concat_ws('|', extract(epoch FROM d.wanted_at), d.version, d.problem), 0)), count(*)"
        " FROM planned LEFT JOIN desired d USING (customer) WHERE kind IS NOT NULL GROUP BY kind"
    )
    counted = {kind: (known, lines) for kind, known, lines in await cursor.fetchall()}
    for kind in (Kind.ADD, Kind.PARK, Kind.RECALL, Kind.RESCHEDULE):
        known, all_lines = counted.pop(kind)
        assert known == all_lines > 0
    assert {known for known, _ in counted.values()} == {0}, "of what is not sent there is nothing to know again"


@pytest.mark.parametrize("rescheduled", [0, 1])
async def test_the_ledger_remembers_of_a_reading_what_later_passes_ask_for(
    connection: Connection, rescheduled: int
) -> None:
    facts = world()
    await lay(connection, facts)
    await connection.execute("UPDATE ledger SET rescheduled = %s", (rescheduled,))
    found = await lines(connection, everyone=True)
    for customer, line in found.items():
        told = facts[customer - 1]
        rule = Rule(str(line["rule"]))
        assert line["note"] == remembered(told, rule, rescheduled=bool(rescheduled)), (told, rule)


@pytest.mark.parametrize("rescheduled", [0, 1])
@pytest.mark.parametrize("settings", [USUAL, Settings(mode="add-only"), Settings(observed=False)])
async def test_who_is_left_out_of_the_plan_is_who_nothing_is_to_be_said_of(
    connection: Connection, settings: Settings, rescheduled: int
) -> None:
    await lay(connection, world())
    await connection.execute("UPDATE ledger SET rescheduled = %s", (rescheduled,))
    everyone = await lines(connection, settings, everyone=True)
    counted = {Rule.VANISHED}
    if settings.mode == "mirror" and not settings.observed:
        counted |= {Rule.DROPPED, Rule.FOREIGN_DROPPED}
    said = {n: line for n, line in everyone.items() if line["kind"] or line["note"] or line["rule"] in counted}
    assert await lines(connection, settings) == said
    assert len(said) < len(everyone)


async def test_a_protection_in_mid_pass_plans_its_own_lane_anew_and_leaves_the_rest(connection: Connection) -> None:
    facts = world()
    await lay(connection, facts)
    await connection.execute("UPDATE ledger SET version = NULL")
    before = await lines(connection)
    urgent = {n for n, told in enumerate(facts, 1) if told.suppressed and decide(told, USUAL).kind}
    late = next(n for n, told in enumerate(facts, 1) if told.present and not told.suppressed and not before.get(n))
    await connection.execute("INSERT INTO suppressed (customer) VALUES (%s)", (late,))
    after = await lines(connection, suppressed_only=True)
    assert after.keys() - before.keys() == {late}
    assert {n for n, line in after.items() if line["queue"] == 0 and line["kind"]} == urgent | {late}
    assert rest_of(before) == rest_of(after)
