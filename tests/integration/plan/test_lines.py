"""What a line of the plan says besides its decision: the row, the record as it was, what is to be remembered."""

from datetime import timedelta
from itertools import product
from typing import LiteralString

import pytest
from psycopg.rows import dict_row

from syncd import plan
from syncd.state.database import Connection
from syncd.words import Kind, Reason, Rule
from tests.integration.plan.laying import CAMPAIGN, campaign, lay
from tests.integration.plan.oracle import NOW, REACH, Facts, Settings, decide
from tests.integration.plan.worlds import STANDS, columns

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
    facts = [Facts(desired=True, suppressed=True), *world()]
    await lay(connection, facts)
    await connection.execute("UPDATE ledger SET rescheduled = %s", (rescheduled,))
    found = await lines(connection, everyone=True)
    for customer, line in found.items():
        told = facts[customer - 1]
        rule = Rule(str(line["rule"]))
        assert line["note"] == remembered(told, rule, rescheduled=bool(rescheduled)), (told, rule)


def nearly_in_step() -> list[Facts]:
    """Whoever is in step to the letter, and whoever one fact keeps from it."""
    no_or_yes = (False, True)
    return [
        Facts(
            desired=desired, suppressed=suppressed, presence=presence, ours=ours, called=called, stand=stand, row=row,
            version=version,
        )
        for desired, suppressed, presence, ours, called, stand, row, version in product(
            no_or_yes, no_or_yes, ("in", "removed"), no_or_yes, no_or_yes, STANDS, ("same", "other", "none"),
            ("same", "none", "unknown"),
        )
        if called or stand not in ("completed", "try-again", "call-back")
    ]  # fmt: skip


@pytest.mark.parametrize(
    "ledger", ["rescheduled = 0", "rescheduled = 1", "rescheduled = 0, wanted_at = NULL, version = NULL"]
)
@pytest.mark.parametrize("settings", [USUAL, Settings(observed=False), Settings(mode="add-only", observed=False)])
async def test_who_is_left_out_of_the_plan_is_who_nothing_is_to_be_said_of(
    connection: Connection, settings: Settings, ledger: LiteralString
) -> None:
    facts = nearly_in_step()
    await lay(connection, facts)
    await connection.execute(f"UPDATE ledger SET {ledger}")
    everyone = await lines(connection, settings, everyone=True)
    assert len(everyone) == len(facts)
    counted = {Rule.VANISHED}
    if settings.mode == "mirror" and not settings.observed:
        counted |= {Rule.DROPPED, Rule.FOREIGN_DROPPED}
    said = {n: line for n, line in everyone.items() if line["kind"] or line["note"] or line["rule"] in counted}
    assert await lines(connection, settings) == said
    assert len(said) < len(everyone)


@pytest.mark.parametrize("status", [0, 4])
async def test_each_status_of_a_record_that_has_not_rung_is_open(connection: Connection, status: int) -> None:
    await lay(connection, world())
    queued = await lines(connection, everyone=True)
    await connection.execute("UPDATE ledger SET status = %s WHERE status = 1", (status,))
    assert await lines(connection, everyone=True) == queued


async def test_a_time_in_the_ledger_that_comes_this_very_moment_has_come(connection: Connection) -> None:
    await lay(connection, [Facts(desired=True, presence="in", ours=True, row="none")])
    await connection.execute("UPDATE ledger SET wanted_at = %s", (NOW,))
    assert [line["rule"] for line in (await lines(connection, everyone=True)).values()] == [Rule.IN_STEP]


async def test_what_is_just_within_the_vendors_reach_is_sent(connection: Connection) -> None:
    await lay(connection, [Facts(desired=True)])
    await connection.execute("UPDATE desired SET wanted_at = %s", (NOW + REACH,))
    assert [line["kind"] for line in (await lines(connection)).values()] == [Kind.ADD]


async def test_a_limit_of_one_add_a_week_is_a_limit(connection: Connection) -> None:
    await lay(connection, [Facts(desired=True, presence="gone", ours=True)])
    await connection.execute("UPDATE ledger SET added_times = ARRAY[%s::timestamptz]", (NOW - timedelta(days=1),))
    found = await lines(connection, Settings(max_adds=1))
    assert [(line["kind"], line["park_reason"]) for line in found.values()] == [(Kind.PARK, Reason.WEEKLY_LIMIT)]


async def test_whoever_was_never_recalled_may_be(connection: Connection) -> None:
    called = Facts(desired=True, presence="gone", ours=True, called=True, stand="completed", version="other")
    await lay(connection, [called])
    await connection.execute("UPDATE ledger SET recalled_at = NULL")
    found = await lines(connection, Settings(recall="on-version"))
    assert [line["rule"] for line in found.values()] == [Rule.CALLED_RECALL]


async def test_of_a_row_without_a_version_there_is_none_to_remember(connection: Connection) -> None:
    called = Facts(desired=True, presence="gone", ours=True, called=True, stand="completed", version="none")
    await lay(connection, [called])
    await connection.execute("UPDATE ledger SET called_version = NULL")
    assert await lines(connection) == {}


async def test_a_customer_whom_two_unanswered_calls_were_about_stands_in_the_plan_once(connection: Connection) -> None:
    await lay(connection, [Facts(desired=True, presence="in", ours=True, row="other", claim=True)])
    await connection.execute(
        "INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)"
        " SELECT campaign, pass, kind, customers, times, versions, shown, sent_at FROM claim"
    )
    assert [line["kind"] for line in (await lines(connection)).values()] == [Kind.RESCHEDULE]


@pytest.mark.parametrize("suppressed_only", [False, True])
async def test_what_the_state_knows_of_another_campaign_says_nothing(
    connection: Connection, suppressed_only: bool
) -> None:
    await lay(connection, world())
    alone = await lines(connection, suppressed_only=suppressed_only)
    await connection.execute("CREATE TABLE ledger_2 PARTITION OF ledger FOR VALUES IN (2)")
    try:
        await connection.execute(
            "INSERT INTO ledger (campaign, customer, presence, ours)"
            " SELECT 2, customer, 'in', true FROM desired FULL JOIN suppressed USING (customer)"
        )
        await connection.execute(
            "INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)"
            " SELECT 2, 1, 'add', array_agg(customer), array_agg(NULL::timestamptz), array_agg(NULL::text),"
            " array_agg(NULL::boolean), now() FROM desired"
        )
        await connection.execute(
            "INSERT INTO parked (campaign, customer, reason, since, last_try)"
            " SELECT 2, customer, 'flickering-time', now(), now() FROM desired"
        )
        assert await lines(connection, suppressed_only=suppressed_only) == alone
    finally:
        await connection.execute("TRUNCATE claim, parked; DROP TABLE ledger_2")


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
