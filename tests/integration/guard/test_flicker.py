"""A source that flickers for a day: nobody is called twice, nobody is lost, and the writes are few and explained."""

from collections import Counter
from collections.abc import Callable
from datetime import timedelta

import pytest
from calling import Line, prepare
from guard_desk import approve

from syncd.state.campaigns import Result
from tests.stage import CAMPAIGN, Stage

CUSTOMERS = 300
PASSES = 24
"""Every hour of a day."""


def empty(line: Line) -> None:
    line.empty()


def half(line: Line) -> None:
    line.drop(customer for customer in range(1, CUSTOMERS + 1) if customer % 2)


def double(line: Line) -> None:
    line.want(range(CUSTOMERS + 1, 2 * CUSTOMERS + 1))


def a_few(line: Line) -> None:
    line.drop(range(1, 6))


@pytest.mark.parametrize("flicker", [empty, half, double, a_few], ids=lambda flicker: flicker.__name__)
async def test_a_source_that_flickers_for_a_day_rings_nobody_twice(
    stage: Stage, flicker: Callable[[Line], None]
) -> None:
    prepare(stage)
    line = Line.open(stage, "renewals", CAMPAIGN)
    called: set[int] = set()
    writes: Counter[int] = Counter()

    def whole() -> None:
        """The source as it is: who was called is dropped from it."""
        line.empty()
        line.want(set(range(1, CUSTOMERS + 1)) - called)

    for number in range(PASSES):
        stage.clock.move(hours=1)
        whole()
        if number % 2:
            flicker(line)
            line.drop(called)
        await line.once()
        for entry in stage.tenant.writes:
            writes.update(entry.done)
        if number % 6 == 5:
            called |= line.call(10)
    whole()
    for _ in range(3):
        stage.clock.move(hours=1)
        report = await line.once()
    if flicker is double:
        # More than half of what is in the campaign came with the flicker: a person says whether it is to go.
        assert report.result is Result.HELD, report.sentence()
        await approve(stage)
        report = await line.once()
        writes.update(c for entry in stage.tenant.writes for c in entry.done)

    assert report.result is Result.GOOD, report.sentence()
    assert max(Counter(line.calls).values()) == 1, "nobody is called twice"
    wanted = set(range(1, CUSTOMERS + 1)) - called
    in_step = line.open_records
    # Whoever was taken out and put back as often as a week allows waits; nobody is lost without a word.
    parked = {row[0] for row in stage.rows("SELECT customer FROM parked WHERE reason = 'weekly-limit'")}
    assert in_step | parked >= wanted
    assert not in_step - wanted
    # At most the adds of a week and a delete after each.
    assert max(writes.values()) <= 2 * stage.campaign.settings.max_adds_per_week
    if flicker in (empty, half):
        assert max(writes.values()) == 1, "a source that loses so many is held: nothing is sent but the first adds"
    journal = stage.rows("SELECT customer, count(*) FROM change WHERE kind IN ('add', 'remove') GROUP BY customer")
    assert dict(journal) == writes, "every write stands in the journal"


async def test_a_flicker_of_a_few_is_put_back_at_most_as_often_as_a_week_allows(stage: Stage) -> None:
    prepare(stage)
    line = Line.open(stage, "renewals", CAMPAIGN)
    line.want(range(1, 101))
    await line.once()
    adds: Counter[int] = Counter()
    for _ in range(10):
        for there in (False, True):
            stage.clock.move(hours=1)
            line.want({1}) if there else line.drop({1})
            await line.once()
            adds.update(c for entry in stage.tenant.writes if entry.call.value == "add" for c in entry.done)
    assert adds[1] == stage.campaign.settings.max_adds_per_week - 1  # the first fill was one
    [(until,)] = stage.rows("SELECT next_try FROM parked WHERE customer = 1 AND reason = 'weekly-limit'")
    assert until - stage.clock.now() < timedelta(days=7)
