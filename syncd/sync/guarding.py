"""Guard: the plan's counts against the limits, and what has to wait for a person."""

import hashlib
from dataclasses import dataclass, replace
from typing import Final

from syncd import plan
from syncd.config import Removes, Vanished
from syncd.guard import Baseline, Counts, Hold, Judgement, Refusal, judge
from syncd.plan import Plan, Totals
from syncd.state import baseline, held
from syncd.state.baseline import Figures, Recent
from syncd.state.desk import Desk
from syncd.sync.reading import Reading
from syncd.sync.world import Campaign
from syncd.words import Kind, Rule

GUARDED_COLUMNS: Final = frozenset({"schedule_at", "version", "phone"})
"""Columns whose loss would change what is planned without a word."""

STANDING: Final = "held before"
"""In place of a limit's name: what an earlier pass held."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard made of one plan."""

    judgement: Judgement
    figures: Figures
    """What of this reading becomes the baseline when the pass is good."""
    query_changed: bool | None
    """Whether the query's text differs from that of the last good pass; None: there was none."""
    digest: str | None
    """Of what is held; None: nothing is, or it is not on record, so that nobody can approve it yet."""
    good: bool
    """All was read and no limit tripped: the reading becomes part of the baseline."""


async def guard(
    desk: Desk, campaign: Campaign, reading: Reading, decided: Plan, totals: Totals, *, observed: bool
) -> Guarded:
    """Judge what stands in ``planned``, whose counts are ``decided``; what is approved is marked there and left out.

    ``observed`` says that this pass has a whole listing. What an earlier pass held and this one cannot judge, for want
    of a listing or of a suppression list, stays held.
    """
    now, adding = desk.clock.now(), reading.suppressed.error is None
    query = hashlib.sha256(campaign.settings.query.encode()).hexdigest()[:16]
    async with desk.alone() as connection:
        freed = await held.free_approved(connection, desk.campaign, now)
        counted = await plan.left_to_judge(connection) if freed else decided
        recent = await baseline.recent(connection, desk.campaign, now)
        known, query_changed = await baseline.known(connection, desk.campaign, query, now)
        standing = await held.standing(connection, desk.campaign, observed=observed, adding=adding)
        figures = _figures(campaign, reading, query, known)
        later = await plan.too_far_ahead(connection, desk.campaign, now) if adding and not known.query_known else 0
        counts = _counts(campaign, reading, counted, totals, figures, recent, later, observed=observed)
        judgement = _with(standing, judge(campaign.settings.guard, counts, known))
        digest = None
        if judgement.held:
            digest = await held.digest_of(
                connection,
                desk.campaign,
                removals=judgement.removals_held,
                additions=judgement.additions_held,
                observed=observed,
                adding=adding,
            )
    # A query is not known by a pass that could not see all that it would change.
    whole = adding and (observed or known.query_known)
    return Guarded(judgement, figures, query_changed, digest, good=whole and not judgement.tripped)


async def only_on_record(desk: Desk, guarded: Guarded) -> Guarded:
    """Return what a dry run may say: it stores nothing, so a digest counts only where a pass has held the very plan."""
    async with desk.alone() as connection:
        on_record = await held.find(connection, desk.campaign)
    known = on_record is not None and on_record.digest == guarded.digest
    return guarded if known else replace(guarded, digest=None)


def _with(standing: held.Standing, judgement: Judgement) -> Judgement:
    """Return the judgement with what stays held; its sentences are those of the pass that held it."""
    if not (standing.removals or standing.additions):
        return judgement
    what = Hold.EVERYTHING if standing.removals and standing.additions else Hold.REMOVALS
    if not standing.removals:
        what = Hold.ADDITIONS
    known = {refusal.sentence for refusal in judgement.tripped}
    return Judgement(
        tripped=(*judgement.tripped, *(Refusal(STANDING, what, s) for s in standing.sentences if s not in known)),
        removals_held=judgement.removals_held or standing.removals,
        additions_held=judgement.additions_held or standing.additions,
    )


def _figures(campaign: Campaign, reading: Reading, query: str, known: Baseline) -> Figures:
    if campaign.settings.suppress is None:
        suppressed_rows = None
    elif reading.suppressed.error is not None:
        suppressed_rows = known.suppressed_rows  # what could not be read says nothing of the list
    else:
        suppressed_rows = reading.suppressed.rows
    return Figures(
        query=query,
        customers=reading.customers,
        columns=sorted(reading.columns & GUARDED_COLUMNS),
        suppressed_rows=suppressed_rows,
    )


def _counts(
    campaign: Campaign,
    reading: Reading,
    counted: Plan,
    totals: Totals,
    figures: Figures,
    recent: Recent,
    later: int,
    *,
    observed: bool,
) -> Counts:
    settings = campaign.settings
    everyone = settings.removes is Removes.ALL
    # Without a suppression list nobody is added, rescheduled or recalled: nothing of it is there to be held.
    adding = reading.suppressed.error is None
    parked = counted.of_rule(Rule.VANISHED, Kind.PARK)
    return Counts(
        rows=reading.rows,
        invalid=reading.invalid,
        customers=reading.customers,
        columns=frozenset(figures.columns),
        suppressed_rows=figures.suppressed_rows,
        suppressed_invalid=reading.suppressed.invalid,
        removals=counted.removals,
        unlisted_removals=0 if observed else counted.by_rule(Rule.DROPPED) + counted.by_rule(Rule.FOREIGN_DROPPED),
        additions=counted.of(Kind.ADD) - counted.of_rule(Rule.OWED, Kind.ADD) if adding else 0,
        adoptions=counted.of(Kind.ADOPT) if adding else 0,
        reschedules=counted.of(Kind.RESCHEDULE) if adding else 0,
        recalls=counted.of(Kind.RECALL) if adding else 0,
        removable=totals.open_ours + (totals.open_foreign if everyone else 0),
        ours=totals.ours,
        # Who is not to be added again is no reason to hold others, and would be one for ever.
        vanished=counted.by_rule(Rule.VANISHED) - parked if settings.vanished is Vanished.ADD else 0,
        removals_last_hour=recent.removals_last_hour,
        additions_last_hour=recent.additions_last_hour,
        removals_last_day=recent.removals_last_day,
        later=later,
    )
