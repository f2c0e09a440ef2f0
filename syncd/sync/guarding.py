"""Guard: the plan's counts against the limits, and what has to wait for a person."""

import hashlib
from dataclasses import dataclass
from typing import Final

from syncd import plan
from syncd.config import Removes
from syncd.guard import Counts, Judgement, judge
from syncd.plan import Plan, Rule, Totals
from syncd.state import held
from syncd.state.desk import Desk
from syncd.state.held import Figures
from syncd.sync.reading import Reading
from syncd.sync.world import Campaign
from syncd.words import Kind

GUARDED_COLUMNS: Final = frozenset({"schedule_at", "version", "phone"})
"""Columns whose loss would change what is planned without a word."""


@dataclass(frozen=True, slots=True)
class Guarded:
    """What the guard made of one plan."""

    judgement: Judgement
    figures: Figures
    """What of this reading becomes the baseline when the pass is good."""
    query_changed: bool | None
    """Whether the query's text differs from that of the last good pass; None: there was none."""
    digest: str | None
    """Of what is held."""


async def guard(desk: Desk, campaign: Campaign, reading: Reading, totals: Totals) -> Guarded:
    """Judge what stands in ``planned``; approved changes are marked there and left out of the counts."""
    now = desk.clock.now()
    figures = Figures(
        query=hashlib.sha256(campaign.settings.query.encode()).hexdigest()[:16],
        customers=reading.customers,
        columns=sorted(reading.columns & GUARDED_COLUMNS),
        suppressed_rows=reading.suppressed.rows if campaign.settings.suppress is not None else None,
    )
    async with desk.alone() as connection:
        await held.free_approved(connection, desk.campaign, now)
        counted = await plan.counted(connection, freed=False)
        recent = await held.recent(connection, desk.campaign, now)
        baseline, query_changed = await held.baseline(connection, desk.campaign, figures.query, now)
        judgement = judge(
            campaign.settings.guard, _counts(campaign, reading, counted, totals, figures, recent), baseline
        )
        digest = None
        if judgement.held:
            digest = await held.digest_of(
                connection,
                desk.campaign,
                removals=judgement.removals_held,
                additions=judgement.additions_held,
            )
    return Guarded(judgement, figures, query_changed, digest)


def _counts(
    campaign: Campaign, reading: Reading, counted: Plan, totals: Totals, figures: Figures, recent: held.Recent
) -> Counts:
    everyone = campaign.settings.removes is Removes.ALL
    return Counts(
        rows=reading.rows,
        invalid=reading.invalid,
        customers=reading.customers,
        columns=frozenset(figures.columns),
        suppressed_rows=figures.suppressed_rows,
        suppressed_invalid=reading.suppressed.invalid,
        removals=counted.removals,
        additions=counted.of(Kind.ADD) - counted.by_rule(Rule.OWED),
        adoptions=counted.of(Kind.ADOPT),
        reschedules=counted.of(Kind.RESCHEDULE),
        recalls=counted.of(Kind.RECALL),
        removable=totals.open_ours + (totals.open_foreign if everyone else 0),
        ours=totals.ours,
        vanished=totals.vanished,
        removals_last_hour=recent.removals_last_hour,
        additions_last_hour=recent.additions_last_hour,
        removals_last_day=recent.removals_last_day,
    )
