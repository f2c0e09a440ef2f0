"""Who is parked and why, and trying them now."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from syncd.state.database import Connection

BLOCK = 2000


@dataclass(frozen=True, slots=True)
class Parked:
    """A customer whom the vendor refuses or cannot take yet. Times are aware."""

    customer: int
    reason: str
    message: str
    """The vendor's own words."""
    since: datetime
    last_try: datetime
    attempts: int
    next_try: datetime | None
    """None: not before the source row changes, or given up."""
    given_up: bool


async def parked(connection: Connection, campaign: int, limit: int | None = None) -> AsyncIterator[Parked]:
    """Yield who is parked, by customer, in blocks: the list may be long. ``limit`` ends it after so many."""
    after, left = 0, limit
    while left is None or left > 0:
        async with connection.cursor(row_factory=class_row(Parked)) as cursor:
            await cursor.execute(
                "SELECT customer, reason, message, since, last_try, attempts, next_try, given_up FROM parked"
                " WHERE campaign = %s AND customer > %s ORDER BY customer LIMIT %s",
                (campaign, after, BLOCK if left is None else min(BLOCK, left)),
            )
            block = await cursor.fetchall()
        if not block:
            return
        for row in block:
            yield row
        after = block[-1].customer
        left = None if left is None else left - len(block)


async def by_reason(connection: Connection, campaign: int) -> dict[str, int]:
    """Return how many are parked, by reason; given up ones count as ``given-up``."""
    cursor = await connection.execute(
        "SELECT CASE WHEN given_up THEN 'given-up' ELSE reason END, count(*) FROM parked WHERE campaign = %s"
        " GROUP BY 1 ORDER BY 1",
        (campaign,),
    )
    return {str(reason): int(str(count)) for reason, count in await cursor.fetchall()}


async def among(connection: Connection, campaign: int, customers: Sequence[int]) -> frozenset[int]:
    """Return who of these customers is parked."""
    cursor = await connection.execute(
        "SELECT customer FROM parked WHERE campaign = %s AND customer = ANY (%s::bigint[])", (campaign, list(customers))
    )
    return frozenset(int(str(customer)) for (customer,) in await cursor.fetchall())


async def retry(connection: Connection, campaign: int, customers: Sequence[int] | None) -> int:
    """Have parked customers, all of them for None, tried in the next pass as if for the first time; return how many."""
    async with connection.transaction():
        cursor = await connection.execute(
            """
            WITH freed AS (
                DELETE FROM parked
                WHERE campaign = %(campaign)s AND (%(all)s OR customer = ANY (%(customers)s::bigint[]))
                RETURNING customer, reason
            ), calmed AS (
                UPDATE ledger l SET rescheduled = 0 FROM freed f
                WHERE l.campaign = %(campaign)s AND l.customer = f.customer AND f.reason = 'flickering-time'
            )
            SELECT count(*) FROM freed
            """,
            {"campaign": campaign, "all": customers is None, "customers": list(customers or ())},
        )
        row = await cursor.fetchone()
    return int(str(row[0])) if row else 0
