"""Recording: what came of changes, in the ledger, the journal, the claims and the approvals, inside one transaction."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from syncd.state import claims, held, journal, ledger, suppressed
from syncd.state.database import Connection
from syncd.state.ledger import Rows
from syncd.state.outcomes import Effect, Presence, Subject, effect_of
from syncd.state.planned import DELETES, Answer, Batch, Scribe
from syncd.words import Kind, Outcome, Reason


@dataclass(frozen=True, slots=True)
class Told:
    """The answers to some changes of a batch, by what they make of the ledger."""

    batch: Batch
    effects: Mapping[Effect, Sequence[Answer]]

    @property
    def answers(self) -> Sequence[Answer]:
        return [answer for group in self.effects.values() for answer in group]

    @property
    def owed(self) -> Sequence[Answer]:
        """Return those of whom the first half of a reschedule or recall is done, so that the add is owed."""
        return [a for effect, group in self.effects.items() if effect.presence is Presence.OWED for a in group]

    @property
    def unforeseen(self) -> bool:
        """Return whether the ledger did not expect one of the answers."""
        return any(effect.unforeseen for effect in self.effects)


def told(batch: Batch, answers: Sequence[Answer], now: datetime, *, observed: bool) -> Told:
    """Given the answers to a batch, return what they make of the ledger.

    ``observed`` says that the pass has read the listing whole.
    """
    effects: dict[Effect, list[Answer]] = defaultdict(list)
    for alike in _alike(answers):
        effects[_effect(batch.kind, alike[0], now, observed=observed)] += alike
    return Told(batch, effects)


def _alike(answers: Sequence[Answer]) -> Collection[Sequence[Answer]]:
    """Return the answers in groups that make the same of the ledger. Those to a batch are mostly one."""
    groups: dict[tuple[object, ...], list[Answer]] = defaultdict(list)
    for answer in answers:
        change, verdict = answer
        said = verdict.outcome, verdict.reason, verdict.resent, verdict.retry_at
        known = change.kind, change.presence, change.stand, change.called, change.unlisted
        groups[said + known].append(answer)
    return groups.values()


def _effect(kind: Kind, answer: Answer, now: datetime, *, observed: bool) -> Effect:
    change, verdict = answer
    presence = Presence(change.presence) if change.presence else None
    if kind is Kind.ADD and change.kind in (Kind.RESCHEDULE, Kind.RECALL):
        presence = Presence.OWED  # its delete was answered in this pass
    subject = Subject(
        presence=presence,
        stand=change.stand,
        called=change.called,
        unlisted=change.unlisted,
        observed=observed,
    )
    outcome = verdict.outcome
    if outcome is Outcome.ALREADY and verdict.resent:
        # The duplicate is our own first try, whose answer was lost, and so is it that took an open record out.
        ours = kind is Kind.ADD or (verdict.reason is Reason.NOT_FOUND and change.stand == "open")
        outcome = Outcome.DONE if ours else outcome
    # A time that has passed names no next try.
    time_named = verdict.retry_at is not None and verdict.retry_at > now
    return effect_of(kind, outcome, verdict.reason, subject, time_named=time_named)


def apart(told: Sequence[Told]) -> Sequence[Sequence[Told]]:
    """Return what can be written together: one after another where two batches have a customer in common."""
    customers = [answer.change.customer for each in told for answer in each.answers]
    return [told] if len(set(customers)) == len(customers) else [[each] for each in told]


async def write(
    connection: Connection, by: Scribe, kind: Kind, told: Sequence[Told], patience: timedelta, *, older_claims: bool
) -> Mapping[int, timedelta]:
    """Write what came of batches of one kind; return how long each suppressed customer took who is out now.

    ``patience`` is how long a customer's refusals go on before it is given up, ``older_claims`` whether there may be
    claims that an answer settles besides its own.
    """
    groups: dict[Effect, list[Answer]] = defaultdict(list)
    for each in told:
        for effect, group in each.effects.items():
            groups[effect] += group
    for effect, group in groups.items():
        await ledger.carry_out(connection, by.campaign, by.pass_id, effect, _rows(group), by.now, patience)
    answers = [answer for group in groups.values() for answer in group]
    out = [answer.change.customer for answer in answers if answer.takes_suppressed_out]
    delays = await suppressed.remove(connection, by.campaign, out, by.now) if out else {}
    await journal.write(connection, by.campaign, by.pass_id, kind, by.now, _entries(answers, delays))
    for each in told:
        await _settle(connection, by, each, older_claims=older_claims)
    await _use_approval(connection, by, answers)
    return delays


async def write_unasked(
    connection: Connection, by: Scribe, kind: Kind, effect: Effect, answers: Sequence[Answer], patience: timedelta
) -> None:
    """Write changes that called nobody, so that there is no claim of them."""
    await ledger.carry_out(connection, by.campaign, by.pass_id, effect, _rows(answers), by.now, patience)
    await journal.write(connection, by.campaign, by.pass_id, kind, by.now, _entries(answers, {}))
    await _use_approval(connection, by, answers)


async def _settle(connection: Connection, by: Scribe, told: Told, *, older_claims: bool) -> None:
    batch, effects = told.batch, told.effects
    settled = [a.change.customer for effect, group in effects.items() if effect.settled for a in group]
    if settled:
        await claims.answered(connection, by.campaign, batch.claim, settled)
    if batch.kind in DELETES and older_claims:
        answered = [a.change.customer for effect, group in effects.items() if effect.settles_older for a in group]
        await claims.replaced(connection, by.campaign, answered, DELETES, by.now, but=batch.claim)
        deleted = [a.change.customer for a in told.answers if a.verdict.outcome is Outcome.DONE]
        await claims.replaced(connection, by.campaign, deleted, (Kind.ADD,), by.now)


async def _use_approval(connection: Connection, by: Scribe, answers: Sequence[Answer]) -> None:
    sent = (Outcome.DONE, Outcome.ALREADY, Outcome.UNKNOWN)
    freed = [a.change for a in answers if a.change.freed and a.verdict.outcome in sent]
    for kind in {change.kind for change in freed}:
        customers = [change.customer for change in freed if change.kind == kind]
        await held.use(connection, by.campaign, kind, customers, by.now)


def _rows(group: Sequence[Answer]) -> Rows:
    return Rows(
        customers=[a.change.customer for a in group],
        times=[a.change.wanted_at for a in group],
        versions=[a.change.version for a in group],
        hashes=[a.change.row_hash for a in group],
        messages=[a.verdict.message for a in group],
        untils=[a.verdict.retry_at for a in group],
    )


def _entries(answers: Sequence[Answer], delays: Mapping[int, timedelta]) -> journal.Entries:
    return journal.Entries(
        customers=[a.change.customer for a in answers],
        http=[a.verdict.http_status for a in answers],
        rules=[a.change.rule for a in answers],
        outcomes=[a.verdict.outcome.value for a in answers],
        reasons=[a.verdict.reason.value if a.verdict.reason else None for a in answers],
        messages=[a.verdict.message for a in answers],
        approved=[a.change.freed for a in answers],
        delays=[delays.get(a.change.customer) for a in answers],
    )
