"""The counts that the guard judges and people read: of a plan's changes, and of the campaign by the ledger."""

import pytest

from syncd import plan
from syncd.plan import Plan, Totals
from syncd.state.database import Connection
from syncd.words import Kind, Rule
from tests.integration.plan.laying import CAMPAIGN, campaign, lay
from tests.integration.plan.oracle import NOW, Facts, Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

MIXED = Plan(
    {
        (Kind.REMOVE, Rule.SUPPRESSED_OPEN): 1,
        (Kind.REMOVE, Rule.DROPPED): 2,
        (Kind.REMOVE, Rule.TIME_CHANGED): 4,
        (Kind.ADD, Rule.NEW): 8,
        (Kind.ADD, Rule.VANISHED): 16,
        (Kind.PARK, Rule.VANISHED): 32,
        (None, Rule.VANISHED): 64,
        (Kind.RESCHEDULE, Rule.TIME_CHANGED): 128,
        (Kind.RECALL, Rule.COMPLETED_RECALL): 256,
        (Kind.ADOPT, Rule.ADOPT): 512,
        (Kind.RELEASE, Rule.RELEASE): 1024,
        (Kind.CALLED, Rule.GONE_AFTER_AGENT): 2048,
    }
)
"""Numbers whose sums tell what was added up."""


async def test_suppressions_are_counted_apart_from_the_other_removals() -> None:
    assert (MIXED.suppressions, MIXED.removals) == (1, 2 + 4)
    assert MIXED.of(Kind.REMOVE) == 1 + 2 + 4


async def test_parking_is_no_change_and_what_the_ledger_alone_learns_is_no_call() -> None:
    assert MIXED.calls == 1 + 2 + 4 + 8 + 16 + 128 + 256
    assert MIXED.changes == MIXED.calls + 512 + 1024 + 2048
    assert (Plan().calls, Plan().changes) == (0, 0)


async def test_a_row_of_the_table_is_counted_with_all_that_it_decided_or_with_one_kind_of_change() -> None:
    assert MIXED.by_rule(Rule.VANISHED) == 16 + 32 + 64
    assert MIXED.of_rule(Rule.VANISHED, Kind.PARK) == 32
    assert MIXED.of_rule(Rule.VANISHED, Kind.REMOVE) == MIXED.by_rule(Rule.IN_STEP) == 0


async def test_what_a_person_approved_can_be_left_out_of_the_counts(connection: Connection) -> None:
    await lay(connection, [Facts(desired=True)] * 3 + [Facts(presence="in", ours=True)] * 2)
    decided = await plan.decide(connection, CAMPAIGN, campaign(Settings()), NOW, observed=True)
    assert decided.counts == {(Kind.ADD, Rule.NEW): 3, (Kind.REMOVE, Rule.DROPPED): 2}
    await connection.execute("UPDATE planned SET freed = true WHERE customer IN (1, 4)")
    left = await plan.left_to_judge(connection)
    assert left.counts == {(Kind.ADD, Rule.NEW): 2, (Kind.REMOVE, Rule.DROPPED): 1}


async def test_the_campaign_is_counted_by_whose_records_it_has_and_whether_they_are_open(
    connection: Connection,
) -> None:
    stands = ("never-seen", "open", "agent", "completed", "unknown")
    ours = [Facts(presence="in", ours=True, called=True, stand=stand) for stand in stands]
    theirs = [Facts(presence="in", called=True, stand=stand) for stand in stands]
    out = [Facts(presence=word, ours=True, stand=stand) for word in ("removed", "owed", "gone") for stand in stands]
    await lay(connection, ours * 2 + theirs + out)
    await connection.execute("UPDATE ledger SET status = 4 WHERE customer = 2")
    await connection.execute("UPDATE ledger SET status = 0 WHERE customer = 7")
    found = await plan.totals(connection, CAMPAIGN)
    assert found == Totals(listed=15, ours=10, foreign=5, open_ours=4, open_foreign=2, completed=3)
    assert await plan.totals(connection, CAMPAIGN + 1) == Totals(0, 0, 0, 0, 0, 0)
