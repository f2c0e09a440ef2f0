"""One pass, told from top to bottom.

``lock, preflight, protect, observe, read, plan, guard, apply, tell``: :func:`run_pass` is these steps in this order,
and :func:`rehearse_pass` the same without those that write. Observing is one step, planning another: only
:mod:`syncd.sync.observing` knows the listing, the plan knows only the ledger.
"""

import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from syncd import plan
from syncd.config import MatchOn
from syncd.dialer.api import CampaignReader, CampaignStatus, CampaignWriter
from syncd.errors import CampaignBlocked, DialerUnavailable, SyncdError, first_of
from syncd.guard import Judgement
from syncd.plan import Plan, Totals
from syncd.state import dispositions, suppressed
from syncd.state.campaigns import Ended, Result, listing_is_due
from syncd.state.desk import Desk, rehearse
from syncd.state.lock import hold
from syncd.state.pen import Pen
from syncd.sync.applying import Applier
from syncd.sync.guarding import Guarded, guard, only_on_record
from syncd.sync.observing import Observation, observe
from syncd.sync.protecting import Protector
from syncd.sync.reading import read_source
from syncd.sync.report import PassReport
from syncd.sync.stopping import PassStopped, unless_stopped
from syncd.sync.world import Campaign, NoProgress, Progress, World
from syncd.vendor import MAX_RECORDS
from syncd.words import Kind, Outcome

__all__ = ["Campaign", "NoProgress", "PassReport", "Progress", "World", "rehearse_pass", "run_pass"]

SHORT_LISTINGS = 3
"""Listings in a row that are not whole, after which the campaign is partial."""


async def run_pass(
    campaign: Campaign, world: World, *, kind: str, always_observe: bool = False, wait: bool = False
) -> PassReport:
    """Run one pass over a campaign and put it on record; return what it did.

    ``kind`` says for the record what started it. ``always_observe`` reads the listing whether it is due or not,
    ``wait`` waits for a pass that is running. What syncd knows how to explain is not raised: it stands in the report.
    """
    report = PassReport(campaign.name, world.clock.now())
    settings = campaign.settings
    way = _Way(world, report)
    with _explained(report):
        async with hold(
            world.workplaces,
            campaign.account,
            settings.id,
            campaign.name,
            world.clock,
            patience=timedelta(days=settings.park_days),
            keeping=world.keeping,
            wait_until=world.stop if wait else None,
        ) as pen:
            async with pen.alone() as connection:
                await dispositions.keep(connection, campaign.account, campaign.tenant.dispositions)
            way.reached("lock")
            with _explained(report):
                async with world.tenant.campaign(campaign.name, settings.id, may_write=pen.may_call) as dialer:
                    await _steps(pen, dialer, campaign, world, report, way, always_observe=always_observe)
            await _tell(pen, world, report, kind)
            way.reached("tell")
    report.ended = world.clock.now()
    return report


class _Way:
    """How far a pass has come, and how long each step took it."""

    def __init__(self, world: World, report: PassReport) -> None:
        self._world, self._report, self._since = world, report, world.clock.monotonic()

    def reached(self, step: str) -> None:
        """Take note of the end of a step."""
        now = self._world.clock.monotonic()
        self._report.steps[step], self._since = now - self._since, now
        self._world.reached(step)


async def _steps(
    pen: Pen,
    dialer: CampaignWriter,
    campaign: Campaign,
    world: World,
    report: PassReport,
    way: _Way,
    *,
    always_observe: bool,
) -> None:
    applier = Applier(pen, dialer, campaign, world)
    protector = Protector(pen, applier, campaign, world)
    report.outcomes = applier.outcomes

    status = await unless_stopped(world.stop, _preflight(dialer))
    way.reached("preflight")

    report.suppressed = await protector.protect()
    report.suppressed_out = applier.suppressed_out
    way.reached("protect")
    if isinstance(status, DialerUnavailable):
        raise status
    report.ends_at = status.ends_at
    if status.blocked:
        raise CampaignBlocked(campaign.name, status.blocked)
    _raise_failure(applier)
    if await pen.paused():
        report.result = Result.PAUSED
        if pen.list_error is not None:
            raise pen.list_error
        return

    async with protector.keeping_on():
        list_every = None if always_observe else campaign.settings.list_every
        if listing_is_due(pen.row, list_every, world.clock.now(), previous_died=pen.previous_died):
            report.observation = await unless_stopped(
                world.stop, _observe(pen, dialer, campaign, status, world.progress)
            )
            pen.observed = report.observation.whole
        way.reached("observe")

        report.reading = await unless_stopped(world.stop, read_source(pen, campaign, world.progress))
        report.suppressed = report.reading.suppressed
        way.reached("read")

        async with protector.quiet():
            report.plan, report.totals = await _plan(pen, campaign, observed=pen.observed)
        way.reached("plan")

        report.guarded = await guard(pen, campaign, report.reading, report.plan, report.totals, observed=pen.observed)
        await _keep_held(pen, report.guarded)
        judgement = report.guarded.judgement
        if judgement.waits_for_listing:
            pen.unforeseen = True
        if not judgement.source_looks_wrong:
            await pen.remember()
            await pen.forget_parked()
        way.reached("guard")

        await protector.send_planned(report.plan)
        if report.plan.notes:
            await pen.change_ledger(adopt=applier.may_add() and not judgement.additions_held)
        report.beyond = max(0, report.totals.listed + report.plan.of(Kind.ADD) - MAX_RECORDS)
        if report.plan.calls:
            await applier.changes(report.plan.calls, report.totals.listed, judgement)
        way.reached("apply")

    report.suppressed_out = applier.suppressed_out
    report.result = _result(applier, world, judgement)
    # Also where nobody was to be added, so that nobody asked for the list.
    if (unread := applier.list_error or pen.list_error) is not None:
        raise unread
    _raise_failure(applier)


async def _preflight(dialer: CampaignReader) -> CampaignStatus | DialerUnavailable:
    """Return the campaign's status, or why it cannot be had: the suppressed are taken out all the same."""
    try:
        return await dialer.status()
    except DialerUnavailable as error:
        return error


async def rehearse_pass(
    campaign: Campaign, world: World, *, on_planned: Callable[[Desk], Awaitable[None]] | None = None
) -> PassReport:
    """Return what a pass would do, sending nothing and writing nothing.

    It runs the code of a pass over temporary copies of the state, with a dialer whose type cannot write. ``on_planned``
    is shown the desk while the plan's customers stand on it.
    """
    report = PassReport(campaign.name, world.clock.now())
    settings = campaign.settings
    with _explained(report):
        async with (
            rehearse(world.workplaces.database, campaign.account, settings.id, world.clock) as desk,
            world.tenant.campaign(campaign.name, settings.id) as dialer,
        ):
            await _rehearse(desk, dialer, campaign, world, report)
            if on_planned is not None:
                await on_planned(desk)
    report.ended = world.clock.now()
    return report


async def _rehearse(desk: Desk, dialer: CampaignReader, campaign: Campaign, world: World, report: PassReport) -> None:
    status = await dialer.status()
    if status.blocked:
        raise CampaignBlocked(campaign.name, status.blocked)
    report.observation = await _observe(desk, dialer, campaign, status, world.progress)
    report.reading = await read_source(desk, campaign, world.progress)
    report.suppressed = report.reading.suppressed
    report.plan, report.totals = await _plan(desk, campaign, observed=report.observation.whole)
    report.guarded = await guard(
        desk, campaign, report.reading, report.plan, report.totals, observed=report.observation.whole
    )
    report.guarded = await only_on_record(desk, report.guarded)
    if report.guarded.judgement.held:
        report.result = Result.HELD
    if report.suppressed.error is not None:
        raise report.suppressed.error


async def _observe(
    desk: Desk, dialer: CampaignReader, campaign: Campaign, status: CampaignStatus, progress: Progress
) -> Observation:
    if campaign.settings.match_on is MatchOn.PHONE:
        # A record is told by its phone number, and whose that is only the source knows.
        await read_source(desk, campaign, progress)
    return await observe(desk, dialer, campaign, status, progress)


async def _plan(desk: Desk, campaign: Campaign, *, observed: bool) -> tuple[Plan, Totals]:
    async with desk.alone() as connection:
        decided = await plan.decide(connection, desk.campaign, campaign.settings, desk.clock.now(), observed=observed)
        return decided, await plan.totals(connection, desk.campaign)


async def _keep_held(pen: Pen, guarded: Guarded) -> None:
    """Put what is held on record; a good reading becomes part of the baseline."""
    if guarded.digest is not None:
        await pen.keep_held(guarded.digest, guarded.judgement.refusals, guarded.figures)
    else:
        await pen.drop_held()
    if guarded.good:
        await pen.accept(guarded.figures)


async def _tell(pen: Pen, world: World, report: PassReport, kind: str) -> None:
    seen = report.observation
    report.open_claims = await pen.open_claims()
    report.oldest_suppression = await pen.oldest_suppression() if report.plan else None
    report.longest_suppression = pen.longest_suppression
    if report.result is Result.GOOD and (
        report.open_claims
        or report.came_to(Outcome.UNKNOWN)
        or report.came_to(Outcome.FAILED)
        or (report.oldest_suppression or timedelta()) > suppressed.LATE
        or (seen and not seen.whole and pen.row.short_listings + 1 >= SHORT_LISTINGS)
    ):
        report.result = Result.PARTIAL
    report.failures = pen.row.failures + 1 if report.result is Result.FAILED else 0
    report.ended = world.clock.now()
    await pen.end(
        Ended(
            id=pen.pass_id,
            kind=kind,
            began=report.began,
            ended=report.ended,
            host=socket.gethostname(),
            result=report.result,
            sentence=report.sentence(),
            observed=bool(seen and seen.whole),
            short_listing=bool(seen and not seen.whole),
            observe_due=pen.unforeseen,
            news=report.news,
            counts=report.counts(),
        )
    )


def _result(applier: Applier, world: World, judgement: Judgement) -> Result:
    if world.stop.is_set():
        return Result.STOPPED
    if applier.paused:
        return Result.PAUSED
    return Result.HELD if judgement.held else Result.GOOD


def _raise_failure(applier: Applier) -> None:
    if applier.failure is not None:
        raise applier.failure


@contextmanager
def _explained(report: PassReport) -> Iterator[None]:
    """Put what ended a pass into the report, if syncd can explain it; any other error goes on as it is."""
    try:
        yield
    except PassStopped:
        report.result = Result.STOPPED
    except SyncdError as error:
        report.fail(error)
    except BaseExceptionGroup as group:
        known, unknown = group.split(SyncdError)
        if unknown is not None or known is None:
            raise
        report.fail(first_of(known))
