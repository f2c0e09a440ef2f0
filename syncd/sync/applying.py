"""Apply: the plan's lines, each by a fixed set of workers, each batch claimed, called and recorded.

The first error that is not about one customer ends the applying: what is in flight is awaited and recorded, what was
claimed and not sent is given back, nothing new is begun. The same happens when the pass is told to stop.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from typing import Final

from syncd.dialer.api import Addition, CampaignWriter, Verdict
from syncd.errors import AuthRefused, CampaignBlocked, DialerError, SyncdError
from syncd.guard import Judgement
from syncd.state.pen import Pen
from syncd.state.planned import Answer, Batch, Change, Line, Queue
from syncd.sync.world import Campaign, World
from syncd.vendor import MAX_RECORDS
from syncd.words import Kind, Lane, Outcome, Reason

DELETE_BATCH: Final = 25
"""Customers of one claim of deletes at most. A worker makes them one after another."""

RECORD_EVERY: Final = 1.0
"""Seconds after which a worker records what its batch has got so far: a kill loses no more than that."""

CallErrors = (CampaignBlocked, DialerError)


class Applier:
    """Carries out what is planned, line by line, and counts what became of it."""

    def __init__(self, pen: Pen, dialer: CampaignWriter, campaign: Campaign, world: World) -> None:
        self.outcomes: Counter[tuple[Kind, Outcome]] = Counter()
        """What became of the calls, by the change that they were for."""
        self.suppressed_out = 0
        """Suppressed customers who were taken out."""
        self.added = 0
        """Additions whose answers are recorded, whatever they were."""
        self.failure: SyncdError | None = None
        """What ended the applying before its end."""
        self.list_error: SyncdError | None = None
        """Why nobody is added any more: a suppression list that could not be read."""
        self._pen, self._dialer, self._campaign, self._world = pen, dialer, campaign, world
        self._untimed_only = False
        self._room = MAX_RECORDS
        self._sent, self._planned = 0, 0

    @property
    def paused(self) -> bool:
        """Return whether a pause by anyone, on any host, ended what is not about the suppressed."""
        return self._pen.met_pause

    @property
    def over(self) -> bool:
        """Return whether nothing new is to be begun."""
        return self.failure is not None or self._world.stop.is_set()

    def may_add(self) -> bool:
        """Return whether the newest suppression list is known. One that is not ends the additions of this pass."""
        self.list_error = self.list_error or self._pen.list_error
        return self.list_error is None

    async def suppressions(self) -> None:
        """Remove the suppressed whom the plan found in the campaign."""
        for queue, waiting in (await self._pen.line_up(Queue.SUPPRESSIONS)).items():
            await self._workers(waiting, partial(self._deletes, queue, Lane.SUPPRESSION, self._share(waiting)))

    async def changes(self, planned: int, listed: int, judgement: Judgement) -> None:
        """Make the removals and additions, side by side, but for what the guard holds.

        A reschedule or recall is made whole or not at all. Of a line that is held, what a person approved goes out all
        the same, and so do the adds that an earlier pass's deletes oblige.
        """
        removals, additions = judgement.removals_held, judgement.additions_held
        self._planned, self._room = planned, max(0, MAX_RECORDS - listed)
        waiting = await self._pen.line_up(Queue.REMOVALS, Queue.ADDITIONS, Queue.RESCHEDULES, Queue.RECALLS)
        size = {queue: self._share(changes) for queue, changes in waiting.items()}
        either = removals or additions
        work = {
            Queue.REMOVALS: partial(self._deletes, Queue.REMOVALS, Lane.REMOVAL, size[Queue.REMOVALS], held=removals),
            Queue.ADDITIONS: partial(self._adds, held=additions),
            Queue.RESCHEDULES: partial(
                self._deletes_then_adds, Queue.RESCHEDULES, size[Queue.RESCHEDULES], held=either
            ),
            Queue.RECALLS: partial(self._deletes_then_adds, Queue.RECALLS, size[Queue.RECALLS], held=either),
        }
        async with asyncio.TaskGroup() as lines:
            for queue, changes in waiting.items():
                lines.create_task(self._workers(changes, work[queue]))

    def _share(self, changes: int) -> int:
        """Return how many deletes a worker claims at once: few changes are spread over all workers."""
        return max(1, min(DELETE_BATCH, -(-changes // self._campaign.tenant.concurrency)))

    async def _workers(self, changes: int, work: Callable[[], Coroutine[None, None, None]]) -> None:
        """Have so many changes made by as many workers as they can keep busy."""
        async with asyncio.TaskGroup() as workers:
            for _ in range(min(self._campaign.tenant.concurrency, changes)):
                workers.create_task(work())

    async def _next(self, queue: Queue, size: int, *, held: bool = False) -> Batch | None:
        """Claim a batch, unless nothing is to be begun."""
        if self.over or size <= 0:
            return None
        return await self._pen.claim(Line(queue, size, only_freed=held, untimed_only=self._untimed_only))

    # --- deletes -----------------------------------------------------------------------------------------------------

    async def _deletes(self, queue: Queue, lane: Lane, size: int, *, held: bool = False) -> None:
        while batch := await self._next(queue, size, held=held):
            await self._delete_all(batch, lane)

    async def _deletes_then_adds(self, queue: Queue, size: int, *, held: bool) -> None:
        while self.may_add() and (batch := await self._next(queue, size, held=held)):
            owed = await self._delete_all(batch, Lane.REMOVAL)
            if owed and self.may_add() and not self.over:
                adds = await self._pen.claim_adds(batch, owed)
                if adds:
                    await self._add(adds)

    async def _delete_all(self, batch: Batch, lane: Lane) -> Sequence[Change]:
        """Delete one after another, recording as it goes; return whom a reschedule or recall now obliges to add."""
        owed: list[Change] = []
        answers: list[Answer] = []
        recorded_at = self._world.clock.monotonic()
        for place, change in enumerate(batch.changes):
            verdict = await self._delete(change, lane)
            if verdict is None:
                owed += await self._record(batch, answers)
                await self._pen.give_back(batch, batch.changes[place:])
                return owed
            answers.append(Answer(change, verdict))
            if self._world.clock.monotonic() - recorded_at >= RECORD_EVERY:
                owed += await self._record(batch, answers)
                answers, recorded_at = [], self._world.clock.monotonic()
        return owed + await self._record(batch, answers)

    async def _delete(self, change: Change, lane: Lane) -> Verdict | None:
        """Delete one record; None where the call was not made."""
        if self.over:
            return None
        try:
            return await self._dialer.delete(change.customer, lane)
        except CallErrors as error:
            self._end(error)
            return None

    # --- adds --------------------------------------------------------------------------------------------------------

    async def _adds(self, *, held: bool) -> None:
        while self.may_add():
            size = min(self._campaign.settings.batch_size, self._room)
            self._room -= size  # reserved before waiting: the other workers look at it meanwhile
            batch = await self._next(Queue.ADDITIONS, size, held=held)
            self._room += size - (len(batch.changes) if batch else 0)
            if batch is None:
                return
            await self._add(batch)

    async def _add(self, batch: Batch) -> None:
        additions = [Addition(change.customer, change.send_at) for change in batch.changes]
        try:
            verdicts = await self._dialer.add(additions, Lane.ADDITION)
        except CallErrors as error:
            self._end(error)
            await self._pen.give_back(batch, batch.changes)
            return
        answers = [Answer(change, verdict) for change, verdict in zip(batch.changes, verdicts, strict=True)]
        await self._record(batch, [answer for answer in answers if not answer.verdict.withheld])
        if withheld := [answer.change for answer in answers if answer.verdict.withheld]:
            await self._pen.give_back(batch, withheld)
        self.added += len(verdicts)
        if any(verdict.reason is Reason.SCHEDULE_LIMIT for verdict in verdicts):
            self._untimed_only = True

    # --- what became of it -------------------------------------------------------------------------------------------

    async def _record(self, batch: Batch, answers: Sequence[Answer]) -> list[Change]:
        owed = await self._pen.record(batch, answers)
        first_half = batch.kind in (Kind.RESCHEDULE, Kind.RECALL)
        # one change, told by its last call
        ended = [answer for answer in answers if answer.change not in owed] if first_half else answers
        for (kind, outcome), many in Counter((each.change.kind, each.verdict.outcome) for each in ended).items():
            self.outcomes[Kind(kind), outcome] += many
        self.suppressed_out += sum(each.takes_suppressed_out for each in answers)
        self._sent += len(answers)
        self._world.progress.step("sending changes", self._sent, self._planned or None)
        return owed

    def _end(self, error: SyncdError) -> None:
        # A refused login tells more than what it made other calls say afterwards.
        if self.failure is None or isinstance(error, AuthRefused):
            self.failure = error
