"""An ordinary week of calling rings no alarm: nothing is held at the default limits after the approved first fill."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from calling import Line, prepare
from guard_desk import approve

from syncd.state.campaigns import Result
from syncd.sync import Campaign, PassReport
from tests.stage import CAMPAIGN, Stage

CUSTOMERS = 10_000
WORKING_DAYS = 5
SHIFTS = 4


def went_well(report: PassReport) -> None:
    assert report.result is Result.GOOD, report.sentence()
    assert "held" not in report.sentence()


@pytest.mark.parametrize("list_every", [None, timedelta(hours=6)], ids=["every pass observes", "some passes observe"])
async def test_a_calling_week_holds_nothing_after_the_approved_first_fill(
    stage: Stage, list_every: timedelta | None
) -> None:
    prepare(stage)
    big, small = Line.open(stage, "renewals", CAMPAIGN), Line.open(stage, "vips", 126)
    for line in (big, small):
        line.campaign = _listed(line, list_every)
    big.want(range(1, CUSTOMERS + 1))
    small.want(range(50_001, 50_021))
    assert (await big.once()).result is Result.HELD
    await approve(stage)
    went_well(await big.once())
    went_well(await small.once())

    newcomer, small_newcomer = CUSTOMERS, 50_020
    for day in range(WORKING_DAYS):
        if day:
            big.want(range(newcomer + 1, newcomer + 1 + CUSTOMERS // 3))
            small.want(range(small_newcomer + 1, small_newcomer + 8))
            newcomer, small_newcomer = newcomer + CUSTOMERS // 3, small_newcomer + 7
        for shift in range(SHIFTS):
            stage.clock.move(hours=2)
            if shift == 0:
                went_well(await big.once())
                went_well(await small.once())
            # Some are dropped uncalled: they paid by themselves.
            big.drop(sorted(big.open_records)[:20])
            small.drop(sorted(small.open_records)[:1])
            went_well(await big.once())
            went_well(await small.once())
            last = shift == SHIFTS - 1
            big.call(len(big.open_records) if last else len(big.open_records) // 4)
            small.call(len(small.open_records) if last else 2)
        # The night: everybody was called, the query is empty.
        stage.clock.move(hours=14)
        went_well(await big.once())
        went_well(await small.once())
    stage.clock.move(days=2)
    went_well(await big.once())
    went_well(await small.once())

    for line in (big, small):
        assert not line.open_records
        assert max(Counter(line.calls).values()) == 1, "nobody is called twice"
    assert len(big.calls) > CUSTOMERS + (WORKING_DAYS - 1) * (CUSTOMERS // 3) - 20 * WORKING_DAYS * SHIFTS - 1


def _listed(line: Line, list_every: timedelta | None) -> Campaign:
    return replace(line.campaign, settings=replace(line.campaign.settings, list_every=list_every))
