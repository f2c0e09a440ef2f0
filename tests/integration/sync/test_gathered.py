"""What the workers of a pass ask of the pen at the same time: claimed in one go, recorded in one go."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from syncd.dialer.api import Verdict
from syncd.state.lock import Keeping, hold
from syncd.state.pen import Pen
from syncd.state.planned import Answer, Batch, Line, Queue
from syncd.words import Outcome, Reason
from tests.stage import CAMPAIGN, Stage

PLAN = """
INSERT INTO planned (customer, queue, kind, rule, stand, called, unlisted, note)
SELECT customer, %s, %s, %s, 'open', false, false, false FROM unnest(%s::bigint[]) AS c (customer)
"""

ADDITIONS = Line(Queue.ADDITIONS, 2)
SUPPRESSIONS = Line(Queue.SUPPRESSIONS, 2)


@asynccontextmanager
async def pen(stage: Stage) -> AsyncIterator[Pen]:
    """Yield the pen of the stage's campaign."""
    campaign = stage.campaign
    async with hold(
        stage.world.workplaces,
        campaign.account,
        CAMPAIGN,
        campaign.name,
        stage.clock,
        patience=timedelta(),
        keeping=Keeping(),
    ) as held:
        yield held


async def planned(pen: Pen, queue: Queue, kind: str, rule: str, *customers: int) -> None:
    async with pen.alone() as connection:
        await connection.execute(PLAN, (queue.value, kind, rule, list(customers)))
    await pen.line_up(queue)


def customers(batch: Batch | None) -> list[int]:
    return [change.customer for change in batch.changes] if batch else []


def claimed(stage: Stage) -> list[object]:
    return [row[0] for row in stage.rows("SELECT customers FROM claim ORDER BY customers")]


async def test_batches_that_are_asked_for_together_have_each_a_claim_of_its_own(stage: Stage) -> None:
    async with pen(stage) as held:
        await planned(held, Queue.ADDITIONS, "add", "new", 1, 2, 3, 4, 5)
        async with held.alone():
            asked = [asyncio.create_task(held.claim(ADDITIONS)) for _ in range(4)]
            await asyncio.sleep(0)
        batches = await asyncio.gather(*asked)
    assert list(map(customers, batches)) == [[1, 2], [3, 4], [5], []]
    assert claimed(stage) == [[1, 2], [3, 4], [5]]


async def test_whom_the_newest_list_names_is_in_no_batch(stage: Stage) -> None:
    async with pen(stage) as held:
        await planned(held, Queue.ADDITIONS, "add", "new", *range(1, 8))
        async with held.alone() as connection:
            await connection.execute("INSERT INTO suppressed VALUES (1), (2), (3), (4), (6)")
            asked = [asyncio.create_task(held.claim(ADDITIONS)) for _ in range(2)]
            await asyncio.sleep(0)
        batches = await asyncio.gather(*asked)
    assert sorted(customer for batch in batches for customer in customers(batch)) == [5, 7]
    assert stage.rows("SELECT unnest(customers) AS customer FROM claim ORDER BY customer") == [(5,), (7,)]


async def test_a_pause_that_is_met_before_the_claim_leaves_all_who_asked_without_one(stage: Stage) -> None:
    async with pen(stage) as held:
        await planned(held, Queue.ADDITIONS, "add", "new", 1, 2, 3)
        async with held.alone():
            asked = [asyncio.create_task(held.claim(ADDITIONS)) for _ in range(2)]
            await asyncio.sleep(0)
            stage.rows("UPDATE campaign SET paused_at = now()")
        assert await asyncio.gather(*asked) == [None, None]
        assert held.met_pause
        stage.rows("UPDATE campaign SET paused_at = NULL")
        assert await held.claim(ADDITIONS) is None, "a pass that met a pause has ended its work"
    assert claimed(stage) == []


async def test_answers_about_one_customer_that_come_in_two_batches_are_both_on_record_and_the_later_counts(
    stage: Stage,
) -> None:
    async with pen(stage) as held:
        await planned(held, Queue.SUPPRESSIONS, "remove", "suppressed", 1, 2)
        first = await held.claim(SUPPRESSIONS)
        await held.line_up(Queue.SUPPRESSIONS)
        second = await held.claim(SUPPRESSIONS)
        assert first is not None
        assert second is not None
        busy = [
            Answer(change, Verdict(change.customer, Outcome.DEFERRED, Reason.WITH_AGENT)) for change in first.changes
        ]
        out = [Answer(change, Verdict(change.customer, Outcome.DONE, http_status=204)) for change in second.changes]
        async with held.alone():
            told = [asyncio.create_task(held.record(*each)) for each in ((first, busy), (second, out))]
            await asyncio.sleep(0)
        await asyncio.gather(*told)
    assert [stage.ledger(customer)["presence"] for customer in (1, 2)] == ["removed", "removed"]
    outcomes = stage.rows("SELECT customer, outcome FROM change WHERE rule = 'suppressed' ORDER BY customer, outcome")
    assert outcomes == [(1, "deferred"), (1, "done"), (2, "deferred"), (2, "done")]
    assert claimed(stage) == []
