"""What has emptied and flooded campaigns elsewhere: each is held at the first pass, and not one call goes out."""

from collections.abc import Callable

import pytest
from calling import Line, prepare
from guard_desk import added, approve, removed

from syncd.state.campaigns import Result
from tests.stage import CAMPAIGN, Stage

CUSTOMERS = 1000


def emptied(line: Line) -> None:
    line.empty()


def halved(line: Line) -> None:
    line.drop(range(1, CUSTOMERS // 2 + 1))


def unfiltered(line: Line) -> None:
    line.want(range(1, 6 * CUSTOMERS))


def wrong_table(line: Line) -> None:
    line.empty()
    line.want(range(20_001, 20_001 + CUSTOMERS))


def emptied_do_not_call_list(line: Line) -> None:
    line.stage.crm.run("DELETE FROM do_not_call")


def purged_by_hand(line: Line) -> None:
    line.stage.tenant.campaigns[CAMPAIGN].empty()


def ids_of_another_kind(line: Line) -> None:
    line.stage.crm.run(f"CREATE TABLE other AS SELECT 'A-' || customer_id AS customer_id FROM {line.table}")
    line.stage.crm.run(f"DROP TABLE {line.table}")
    line.stage.crm.run(f"ALTER TABLE other RENAME TO {line.table}")


DISASTERS: dict[Callable[[Line], None], tuple[str, ...]] = {
    emptied: ("min_rows", "max_shrink_percent"),
    halved: ("max_removal_percent",),
    unfiltered: ("max_growth_percent",),
    wrong_table: ("max_shrink_percent",),
    emptied_do_not_call_list: ("max_suppress_shrink_percent",),
    purged_by_hand: ("max_vanished_percent",),
    ids_of_another_kind: ("max_invalid_percent",),
}


async def settled(stage: Stage) -> Line:
    """Return a campaign of a thousand in step, with a hundred customers who must not be called."""
    prepare(stage)
    line = Line.open(stage, "renewals", CAMPAIGN)
    line.want(range(1, CUSTOMERS + 1))
    stage.crm.suppress(*range(CUSTOMERS - 99, CUSTOMERS + 1))
    for _ in range(2):
        assert (await line.once()).result is Result.GOOD
    return line


@pytest.mark.parametrize("disaster", DISASTERS, ids=lambda disaster: disaster.__name__)
async def test_a_disaster_is_held_at_the_first_pass(stage: Stage, disaster: Callable[[Line], None]) -> None:
    line = await settled(stage)
    before = line.open_records
    disaster(line)
    for _ in range(2):
        report = await line.once()
        assert report.result is Result.HELD, report.sentence()
        assert {refusal.limit for refusal in report.guarded.judgement.refusals} >= set(DISASTERS[disaster])
        assert added(stage) == []
        assert removed(stage) == []
    if disaster is not purged_by_hand:
        assert line.open_records == before


@pytest.mark.parametrize("disaster", DISASTERS, ids=lambda disaster: disaster.__name__)
async def test_the_suppressed_are_taken_out_whatever_is_held(stage: Stage, disaster: Callable[[Line], None]) -> None:
    line = await settled(stage)
    disaster(line)
    stage.crm.suppress(500, 600)
    await line.once()
    gone = set() if disaster is purged_by_hand else {500, 600}
    assert set(removed(stage)) >= gone
    assert not line.open_records & {500, 600}
    assert added(stage) == []


async def test_a_source_that_comes_back_frees_what_was_held_without_a_person(stage: Stage) -> None:
    line = await settled(stage)
    line.empty()
    assert (await line.once()).result is Result.HELD
    line.want(range(1, CUSTOMERS + 1))
    report = await line.once()
    assert report.result is Result.GOOD, report.sentence()
    assert stage.tenant.writes == []
    assert stage.rows("SELECT * FROM held_plan") == []


async def test_a_disaster_that_was_meant_is_approved(stage: Stage) -> None:
    line = await settled(stage)
    halved(line)
    assert (await line.once()).result is Result.HELD
    await approve(stage)
    report = await line.once()
    assert report.result is Result.GOOD, report.sentence()
    assert line.open_records == set(range(CUSTOMERS // 2 + 1, CUSTOMERS - 99))
