"""Settling unanswered calls by what a listing shows."""

from collections import defaultdict
from datetime import datetime

from syncd.state import claims, journal, ledger
from syncd.state.claims import Settlement, Unanswered, settlement
from syncd.state.database import Connection
from syncd.state.ledger import Rows
from syncd.state.outcomes import Effect, Presence, Subject, effect_of
from syncd.words import SETTLED, Kind, Outcome, Reason

OUTCOMES = {Settlement.DONE: Outcome.DONE, Settlement.ALREADY: Outcome.ALREADY, Settlement.VOID: Outcome.UNKNOWN}


async def settle(
    connection: Connection, campaign: int, pass_id: int, now: datetime, *, whole: bool, by_phone: bool
) -> int:
    """Meet the open claims with the staged ``listing``; return how many customers' calls it settled.

    ``by_phone`` says that a record is told by its number, which only the source knows.
    Runs before the ledger absorbs the listing: what is settled here is what the call did, and what the listing shows
    of the record comes on top.
    """
    waiting: list[Unanswered] = []
    settled: dict[tuple[int, Settlement, Effect], list[Unanswered]] = defaultdict(list)
    for claim in await claims.met(connection, campaign, by_phone=by_phone):
        verdict = settlement(claim, whole=whole, this_pass=pass_id)
        if verdict is Settlement.WAIT:
            waiting.append(claim)
        else:
            settled[claim.id, verdict, _effect(claim, verdict)].append(claim)
    for (number, verdict, effect), group in settled.items():
        await _carry_out(connection, campaign, pass_id, now, verdict, effect, group)
        await claims.answered(connection, campaign, number, [claim.customer for claim in group])
    if whole:
        await claims.note_shown(connection, [claim for claim in waiting if claim.pass_ != pass_id])
    return sum(len(group) for group in settled.values())


def _effect(claim: Unanswered, verdict: Settlement) -> Effect:
    kind = Kind(claim.kind)
    subject = Subject(
        presence=Presence(claim.presence) if claim.presence else None,
        stand=claim.stand,
        called=claim.called,
        unlisted=not claim.now,
        observed=True,
    )
    match verdict:
        case Settlement.DONE:
            return effect_of(kind, Outcome.DONE, None, subject)
        case Settlement.ALREADY:
            return effect_of(kind, Outcome.ALREADY, Reason.NOT_FOUND, subject)
        case _:
            # An add that nobody confirmed counts for the week all the same.
            return Effect(counted=kind is Kind.ADD)


async def _carry_out(
    connection: Connection,
    campaign: int,
    pass_id: int,
    now: datetime,
    verdict: Settlement,
    effect: Effect,
    group: list[Unanswered],
) -> None:
    customers = [claim.customer for claim in group]
    alike = len(group)
    rows = Rows(
        customers=customers,
        times=[claim.wanted_at for claim in group],
        versions=[claim.version for claim in group],
        hashes=[None] * alike,
        messages=[""] * alike,
        untils=[None] * alike,
    )
    # What the call did, it did when it was sent, in the pass that sent it.
    await ledger.carry_out(connection, campaign, group[0].pass_, effect, rows, group[0].sent_at)
    entries = journal.Entries(
        customers=customers,
        http=[None] * alike,
        rules=[SETTLED] * alike,
        outcomes=[OUTCOMES[verdict].value] * alike,
        reasons=[Reason.NO_ANSWER.value] * alike,
        messages=[""] * alike,
        approved=[False] * alike,
        delays=[None] * alike,
    )
    await journal.write(connection, campaign, pass_id, Kind(group[0].kind), now, entries)
