"""What the guard measures a plan against: what good passes read, and what was sent lately."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

from syncd.guard import Baseline
from syncd.state.database import Connection

RECENT: LiteralString = """
SELECT count(*) FILTER (WHERE removed AND at > %(now)s - interval '1 hour'),
       count(*) FILTER (WHERE NOT removed AND at > %(now)s - interval '1 hour'),
       count(*) FILTER (WHERE removed)
FROM (
    SELECT at, kind IN ('remove', 'reschedule', 'recall') AS removed FROM change
    WHERE campaign = %(campaign)s AND at > %(now)s - interval '24 hours' AND NOT approved
          AND rule NOT LIKE 'suppressed%%' AND outcome IN ('done', 'already')
          AND kind IN ('remove', 'reschedule', 'recall', 'add', 'adopt')
    UNION ALL
    -- What nobody answered may have been done; it counts once, however often it is tried.
    SELECT sent_at, kind <> 'add' FROM claim c CROSS JOIN LATERAL unnest(customers) AS u (customer)
    WHERE campaign = %(campaign)s AND sent_at > %(now)s - interval '24 hours'
          AND NOT EXISTS (SELECT FROM suppressed s WHERE s.customer = u.customer)
) sent
"""

BASELINE: LiteralString = """
SELECT coalesce(max(largest) FILTER (WHERE day >= (%(now)s - interval '7 days')::date AND largest > 0),
                (array_agg(largest ORDER BY read_at DESC) FILTER (WHERE largest > 0))[1]),
       (array_agg(to_jsonb(columns) ORDER BY read_at DESC))[1],
       (array_agg(suppressed_rows ORDER BY read_at DESC))[1],
       coalesce(bool_or(query = %(query)s AND largest > 0), false),
       (array_agg(query ORDER BY read_at DESC))[1] <> %(query)s
FROM reading WHERE campaign = %(campaign)s
"""

ACCEPT: LiteralString = """
INSERT INTO reading AS r (campaign, day, query, largest, columns, suppressed_rows, read_at)
VALUES (%(campaign)s, %(now)s::date, %(query)s, %(customers)s, %(columns)s::text[], %(suppressed_rows)s, %(now)s)
ON CONFLICT (campaign, day, query) DO UPDATE SET
    largest = greatest(r.largest, excluded.largest), columns = excluded.columns,
    suppressed_rows = excluded.suppressed_rows, read_at = excluded.read_at
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What of a reading becomes the baseline when the pass is good or its plan approved."""

    query: str
    """A digest of the query's text."""
    customers: int
    columns: Sequence[str]
    suppressed_rows: int | None


@dataclass(frozen=True, slots=True)
class Recent:
    """What was sent lately, approved changes and suppressions left out."""

    removals_last_hour: int
    additions_last_hour: int
    removals_last_day: int


async def recent(connection: Connection, campaign: int, now: datetime) -> Recent:
    """Return what was sent in the last hour and day."""
    cursor = await connection.execute(RECENT, {"campaign": campaign, "now": now})
    row = await cursor.fetchone() or (0, 0, 0)
    return Recent(*(int(str(value)) for value in row))


async def known(connection: Connection, campaign: int, query: str, now: datetime) -> tuple[Baseline, bool | None]:
    """Return what the last good passes read, and whether the query's text has changed since the last of them.

    None in place of the latter: there was no good pass yet.
    """
    cursor = await connection.execute(BASELINE, {"campaign": campaign, "query": query, "now": now})
    largest, columns, suppressed_rows, known, changed = await cursor.fetchone() or (None, None, None, False, None)
    return (
        Baseline(
            largest=int(str(largest)) if largest is not None else None,
            columns=frozenset(str(name) for name in columns) if isinstance(columns, list) else None,
            suppressed_rows=int(str(suppressed_rows)) if suppressed_rows is not None else None,
            query_known=bool(known),
        ),
        None if changed is None else bool(changed),
    )


async def accept(connection: Connection, campaign: int, figures: Figures, now: datetime) -> None:
    """Make a reading part of the baseline."""
    await connection.execute(
        ACCEPT,
        {
            "campaign": campaign,
            "now": now,
            "query": figures.query,
            "customers": figures.customers,
            "columns": sorted(figures.columns),
            "suppressed_rows": figures.suppressed_rows,
        },
    )
