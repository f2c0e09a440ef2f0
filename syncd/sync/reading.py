"""Read: the desired and the suppressed customers, as one consistent snapshot of the source, into the staged tables."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from syncd.errors import SourceError
from syncd.source import QueryRows, SourceRows, SourceSession, open_source
from syncd.state import staging
from syncd.state.database import Connection
from syncd.state.desk import Desk
from syncd.sync.world import Campaign, Progress


@dataclass(frozen=True, slots=True)
class Suppressed:
    """What became of reading the suppression list."""

    rows: int
    invalid: int
    samples: tuple[str, ...]
    in_force: int
    """Customers on the list in force: the query's, ``syncd suppress``'s and the tenant's dispositions'."""
    error: SourceError | None
    """Why the query could not be read whole; the list in force is then the one before it."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of the source."""

    rows: int
    """Rows of the desired query, usable or not."""
    customers: int
    """Different customers who need a call."""
    invalid: int
    samples: tuple[str, ...]
    doubles: int
    """Rows beyond the first of their customer."""
    columns: frozenset[str]
    suppressed: Suppressed


async def read_suppressed(desk: Desk, campaign: Campaign, progress: Progress, *, only: int | None = None) -> Suppressed:
    """Read the suppression list in a session of its own and put it into force; what failed stands in the answer."""
    if campaign.settings.suppress is None:
        return await _put_in_force(desk, None)
    try:
        async with open_source(campaign.suppress_source) as session:
            return await _suppressed(desk, session, campaign, progress, only)
    except SourceError as error:
        return await _keep_in_force(desk, error)


async def read_source(desk: Desk, campaign: Campaign, progress: Progress, *, only: int | None = None) -> Reading:
    """Read both queries, in one snapshot where they have one source; ``only`` stages no customer but this one.

    The suppression list is read first: a source that fails in it does not keep the desired rows from being read, for
    removals go on. Raise SourceError where the desired rows cannot be read whole.
    """
    one_source = campaign.source == campaign.suppress_source and campaign.settings.suppress is not None
    if not one_source:
        suppressed = await read_suppressed(desk, campaign, progress, only=only)
        async with open_source(campaign.source) as session:
            return await _desired(desk, session, campaign, progress, suppressed, only)
    async with open_source(campaign.source) as session:
        try:
            suppressed = await _suppressed(desk, session, campaign, progress, only)
        except SourceError as error:
            suppressed = await _keep_in_force(desk, error)
        else:
            return await _desired(desk, session, campaign, progress, suppressed, only)
    # A failed statement has spoilt the session.
    async with open_source(campaign.source) as session:
        return await _desired(desk, session, campaign, progress, suppressed, only)


async def _suppressed(
    desk: Desk, session: SourceSession, campaign: Campaign, progress: Progress, only: int | None
) -> Suppressed:
    async with desk.one_list:
        async with desk.alone() as connection:
            await staging.begin_suppressed(connection)
        rows = session.read(campaign.settings.suppress or "", only=_asked(desk, only))
        await _stage(desk, rows, staging.stage_suppressed, progress, "reading the suppression list", only)
        return await _put_in_force(desk, rows)


async def _desired(
    desk: Desk,
    session: SourceSession,
    campaign: Campaign,
    progress: Progress,
    suppressed: Suppressed,
    only: int | None,
) -> Reading:
    async with desk.alone() as connection:
        await staging.begin_desired(connection)
    rows = session.read(campaign.settings.query, only=_asked(desk, only))
    staged = await _stage(desk, rows, staging.stage_desired, progress, "reading who needs a call", only)
    async with desk.alone() as connection:
        doubles = await staging.end_desired(connection, staged, rising=rows.rising)
    return Reading(
        rows=rows.rows,
        customers=rows.rows - rows.invalid - doubles,
        invalid=rows.invalid,
        samples=rows.invalid_samples,
        doubles=doubles,
        columns=rows.columns,
        suppressed=suppressed,
    )


def _asked(desk: Desk, only: int | None) -> int | None:
    """Return whom the source may be asked for alone.

    Where the last pass failed, nobody: what keeps a query from being read whole may be in the rows of others.
    """
    return None if desk.row.failures else only


async def _stage(
    desk: Desk,
    rows: QueryRows,
    stage: Callable[[Connection, SourceRows], Awaitable[None]],
    progress: Progress,
    step: str,
    only: int | None,
) -> int:
    """Stage the rows of a query and return how many, those of nobody else where it is about one customer."""
    staged = 0
    progress.step(step)
    async for batch in rows:
        if only is not None:
            batch = batch.of(only)
        if batch:
            async with desk.alone() as connection:
                await stage(connection, batch)
        staged += len(batch)
        progress.step(step, rows.rows)
    return staged


async def _put_in_force(desk: Desk, rows: QueryRows | None) -> Suppressed:
    async with desk.alone() as connection:
        in_force = await staging.end_suppressed(connection, desk.account)
    desk.list_error, desk.lists = None, desk.lists + 1
    return Suppressed(
        rows=rows.rows if rows else 0,
        invalid=rows.invalid if rows else 0,
        samples=rows.invalid_samples if rows else (),
        in_force=in_force,
        error=None,
    )


async def _keep_in_force(desk: Desk, error: SourceError) -> Suppressed:
    async with desk.one_list, desk.alone() as connection:
        await staging.begin_suppressed(connection)
        in_force = await staging.keep_suppressed(connection, desk.account, desk.campaign)
        desk.list_error, desk.lists = error, desk.lists + 1
    return Suppressed(rows=0, invalid=0, samples=(), in_force=in_force, error=error)
