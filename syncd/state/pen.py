"""The lock is the pen: the connection that holds a campaign's lock is the one that commits claims and outcomes.

A pass that lost its connection has lost the lock with it, cannot commit a claim, and so cannot call.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime, timedelta
from typing import Final

from syncd.clock import Clock
from syncd.dialer.api import NamedMeanwhile, Verdict
from syncd.guard import Refusal
from syncd.state import baseline, campaigns, claims, held, ledger, planned, recording, suppressed
from syncd.state.arrays import array
from syncd.state.baseline import Figures
from syncd.state.campaigns import CampaignRow, Ended
from syncd.state.database import Connection, prove
from syncd.state.desk import Desk
from syncd.state.gathering import Gathering
from syncd.state.outcomes import (
    ADOPT,
    RELEASE,
    TAKEN_FOR_CALLED,
    Again,
    Effect,
    Parking,
)
from syncd.state.planned import DELETES, Answer, Batch, Change, Line, Queue, Scribe
from syncd.state.recording import Told
from syncd.words import Kind, Outcome, Reason, Rule

LEDGER_BATCH: Final = 2000

HELD_SECONDS: Final = 5.0
"""For how long an answer of the state proves that the lock is held: a host that vanishes loses it later than that."""


class Pen(Desk):
    """A desk that holds the lock: it can claim what is planned and record what became of it."""

    def __init__(
        self,
        connection: Connection,
        account: str,
        row: CampaignRow,
        pass_id: int,
        clock: Clock,
        *,
        previous_died: bool,
        patience: timedelta,
    ) -> None:
        super().__init__(connection, account, row, pass_id, clock)
        self.previous_died = previous_died
        self.observed = False
        """This pass has read the listing whole."""
        self.unforeseen = False
        """An answer came that the ledger did not foresee."""
        self.longest_suppression = timedelta()
        """From the read that first showed a customer suppressed to the dialer's answer, the longest of this pass."""
        self.met_pause = False
        """A person's pause, on any host, was met before a batch: from then on only the suppressed are taken out."""
        self._patience = patience
        self._claims = Gathering(self.alone, self._claim_next)
        self._records = Gathering(self.alone, self._record)
        self._after: dict[Queue, int] = {}
        self._older_claims = True  # until counted
        self._lined_up_under = 0
        """Which list was in force when the additions were lined up; each batch's claim minds a newer one."""

    async def line_up(self, *queues: Queue) -> Mapping[Queue, int]:
        """Begin these lines of the plan at their first customer; return how many changes stand in each."""
        async with self.alone() as connection:
            waiting = await planned.line_up(connection)
            self._older_claims = await claims.count_open(connection, self.campaign) > 0
            if Queue.SUPPRESSIONS in queues:
                await suppressed.show(connection, self.campaign, self.clock.now())
        if Queue.ADDITIONS in queues:
            self._lined_up_under = self.lists
        for queue in queues:
            self._after[queue] = 0
        return {queue: waiting.get(queue, 0) for queue in queues}

    async def paused(self) -> bool:
        """Return whether a person has paused the campaign."""
        async with self.alone() as connection:
            return await self._paused(connection)

    async def _paused(self, connection: Connection) -> bool:
        cursor = await connection.execute("SELECT paused_at IS NOT NULL FROM campaign WHERE id = %s", (self.campaign,))
        return bool((await cursor.fetchone() or (False,))[0])

    async def may_call(self, adding: Sequence[int]) -> None:
        """Return where a call may be made still, which may have waited for minutes between its claim and this try.

        Raise NamedMeanwhile with whom of those that it adds the newest suppression list names, StateUnavailable where
        the lock may be another host's.
        """
        await self._still_held()
        if adding and self.lists > self._lined_up_under:
            async with self.alone() as connection:
                named = await _named(connection, adding)
            if named:
                raise NamedMeanwhile(named)

    async def _still_held(self) -> None:
        """Return where the lock was held a moment ago. Raise StateUnavailable where the connection is gone."""
        if self.clock.monotonic() - self.heard_at < HELD_SECONDS:
            return
        async with self.alone() as connection:
            await prove(connection)

    async def claim(self, line: Line) -> Batch | None:
        """Take the next batch of a line and commit its claim; None at the end of the line, or where a pause is met.

        Those who ask while the connection is busy have theirs claimed together. A customer whom the newest suppression
        list names is left out of what would be added.
        """
        return await self._claims.ask(line, None)

    async def _claim_next(self, connection: Connection, line: Line, asked: Sequence[None]) -> Sequence[Batch | None]:
        if line.queue is not Queue.SUPPRESSIONS and (self.met_pause or await self._paused(connection)):
            self.met_pause = True
            return [None] * len(asked)
        by, batches = self._scribe(), list[Batch]()
        while len(batches) < len(asked):
            wanted = len(asked) - len(batches)
            renews = line.queue.kind in DELETES and self._older_claims
            async with connection.transaction() if renews else nullcontext():
                taken = await planned.claim_next(connection, by, line, self._after.get(line.queue, 0), wanted)
                for batch in taken.batches if renews else ():
                    await self._renew(connection, batch, by.now)
            if taken.last is None:
                break
            self._after[line.queue] = taken.last
            batches += taken.batches
        return [*batches, *[None] * (len(asked) - len(batches))]

    async def claim_adds(self, batch: Batch, changes: Sequence[Change]) -> Batch | None:
        """Commit the claim of the adds that deletes of a batch oblige; None where nobody is left.

        A customer whom the newest suppression list names by now is owed nothing.
        """
        async with self.alone() as connection:
            customers = [change.customer for change in changes]
            taken = await planned.claim_owed(connection, self._scribe(), batch.queue, customers)
        return next(iter(taken.batches), None)

    def _scribe(self) -> Scribe:
        return Scribe(self.campaign, self.pass_id, self.clock.now())

    async def give_back(self, batch: Batch, changes: Sequence[Change]) -> None:
        """Void the claim of changes that were not sent."""
        async with self.alone() as connection, connection.transaction():
            await claims.answered(connection, self.campaign, batch.claim, [change.customer for change in changes])

    async def _renew(self, connection: Connection, batch: Batch, now: datetime) -> None:
        """Let a new claim of deletes stand in the place of the older ones.

        For whom the ledger has out the first try's claim stands: one that each pass renews would never be settled.
        """
        out = [change.customer for change in batch.changes if change.rule == Rule.SUPPRESSED_CLAIM_OPEN]
        kept = await claims.older(connection, self.campaign, out, DELETES, but=batch.claim)
        await claims.answered(connection, self.campaign, batch.claim, kept)
        renewed = [change.customer for change in batch.changes if change.customer not in kept]
        await claims.replaced(connection, self.campaign, renewed, DELETES, now, but=batch.claim)

    async def record(self, batch: Batch, answers: Sequence[Answer]) -> list[Change]:
        """Commit what became of changes, ledger, journal and claim at once; return who is owed an add now.

        What comes while the connection is busy is committed together.
        """
        if not answers:
            return []
        told = recording.told(batch, answers, self.clock.now(), observed=self.observed)
        await self._records.ask(batch.kind, told)
        self.unforeseen = self.unforeseen or told.unforeseen
        return [answer.change for answer in told.owed]

    async def _record(self, connection: Connection, kind: Kind, told: Sequence[Told]) -> Sequence[None]:
        by, older = self._scribe(), self._older_claims
        # A pipeline: none of these statements waits for the answer to the one before it.
        async with connection.transaction(), connection.pipeline():
            # Not worth a wait for the disk: an outcome that a power cut takes leaves its claim open, as if unanswered.
            await connection.execute("SET LOCAL synchronous_commit TO off")
            for together in recording.apart(told):
                delays = await recording.write(connection, by, kind, together, self._patience, older_claims=older)
                self.longest_suppression = max([self.longest_suppression, *delays.values()])
        return [None] * len(told)

    async def keep_held(self, digest: str, refusals: Sequence[Refusal], figures: Figures) -> None:
        """Put what the guard holds on record."""
        async with self.alone() as connection, connection.transaction():
            await held.keep(connection, self.campaign, self.pass_id, digest, refusals, figures, self.clock.now())

    async def drop_held(self) -> None:
        """Forget what was held: nothing is any more."""
        async with self.alone() as connection:
            await held.drop(connection, self.campaign)

    async def accept(self, figures: Figures) -> None:
        """Make this pass's reading part of the guard's baseline."""
        async with self.alone() as connection:
            await baseline.accept(connection, self.campaign, figures, self.clock.now())

    async def change_ledger(self, *, adopt: bool) -> int:
        """Carry out the changes that call nobody (adopt, release, called, park); return how many.

        ``adopt`` False leaves adoptions out: they are held with additions.
        """
        by, changed = self._scribe(), 0
        await self.line_up(Queue.LEDGER)
        while True:
            async with self.alone() as connection:
                changes = await planned.take(connection, Queue.LEDGER, self._after[Queue.LEDGER], LEDGER_BATCH)
                if not changes:
                    return changed
                self._after[Queue.LEDGER] = changes[-1].customer
                groups: dict[tuple[str, str | None, bool], list[Change]] = defaultdict(list)
                for change in changes:
                    if adopt or change.freed or change.kind != Kind.ADOPT:
                        groups[change.kind, change.park_reason, change.park_until is not None].append(change)
                async with connection.transaction():
                    for (kind, park_reason, timed), group in groups.items():
                        effect = _LEDGER_EFFECTS.get(Kind(kind)) or _parking(park_reason, timed)
                        outcome = Outcome.DEFERRED if effect.parking else Outcome.DONE
                        answers = [
                            Answer(
                                change,
                                Verdict(change.customer, outcome, _reason(park_reason), retry_at=change.park_until),
                            )
                            for change in group
                        ]
                        await recording.write_unasked(connection, by, Kind(kind), effect, answers, self._patience)
                        changed += len(group)

    async def remember(self) -> int:
        """Let the ledger remember what this reading of the source taught; return how many rows changed."""
        async with self.alone() as connection:
            return await ledger.remember(connection, self.campaign)

    async def forget_parked(self) -> None:
        """Forget who is parked and is suppressed by now, or has been dropped for a day.

        A day, so that a source that flickers does not begin the back-off anew each time.
        """
        async with self.alone() as connection:
            await connection.execute(
                """
                DELETE FROM parked p WHERE campaign = %(campaign)s AND (
                    EXISTS (SELECT FROM suppressed s WHERE s.customer = p.customer)
                    OR p.last_try < %(yesterday)s
                       AND NOT EXISTS (SELECT FROM desired d WHERE d.customer = p.customer))
                """,
                {"campaign": self.campaign, "yesterday": self.clock.now() - timedelta(days=1)},
            )

    async def oldest_suppression(self) -> timedelta | None:
        """Return for how long the longest of the suppressed has been waiting to be taken out, by the plan made last."""
        now = self.clock.now()
        async with self.alone() as connection:
            return await suppressed.oldest(connection, self.campaign, now)

    async def end(self, ended: Ended) -> None:
        """Put the pass on record."""
        async with self.alone() as connection:
            await campaigns.end_pass(connection, self.campaign, ended)

    async def open_claims(self) -> int:
        """Return how many customers wait for the listing to settle their call."""
        async with self.alone() as connection:
            return await claims.count_open(connection, self.campaign)


async def _named(connection: Connection, customers: Sequence[int]) -> frozenset[int]:
    """Return whom of these customers the suppression list in force names."""
    cursor = await connection.execute(
        "SELECT customer FROM suppressed WHERE customer = ANY (%s::bigint[])", (array(customers),)
    )
    return frozenset(int(str(customer)) for (customer,) in await cursor.fetchall())


_LEDGER_EFFECTS = {Kind.ADOPT: ADOPT, Kind.RELEASE: RELEASE, Kind.CALLED: TAKEN_FOR_CALLED}


def _parking(reason: str | None, timed: bool) -> Effect:
    return Effect(parking=Parking(_reason(reason) or Reason.INVALID_VALUE, Again.AT if timed else Again.ROW_CHANGE))


def _reason(text: str | None) -> Reason | None:
    return Reason(text) if text else None
