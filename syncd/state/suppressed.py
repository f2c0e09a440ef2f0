"""Who was suppressed while in a campaign, since when, and when the dialer said that the record is out.

It is the proof that may be asked for, kept for ``keep_suppressions``, and it says how long a suppression took.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, LiteralString

from syncd.state.arrays import array
from syncd.state.database import Connection

LATE: Final = timedelta(hours=1)
"""How long a removal may be refused, before the campaign is done in part and people are told."""

SHOW: LiteralString = """
INSERT INTO suppressed_record (campaign, customer, shown_at)
SELECT %(campaign)s, p.customer, %(now)s FROM planned p
WHERE p.queue = 0 AND p.kind IS NOT NULL AND NOT EXISTS (
    SELECT FROM suppressed_record r
    WHERE r.campaign = %(campaign)s AND r.customer = p.customer AND r.removed_at IS NULL AND r.left_at IS NULL)
ON CONFLICT DO NOTHING
"""

WAITING: LiteralString = """
WITH waiting AS (
    SELECT r.*, EXISTS (SELECT FROM planned p
                        WHERE p.queue = 0 AND p.kind IS NOT NULL AND p.customer = r.customer) AS still
    FROM suppressed_record r WHERE campaign = %(campaign)s AND removed_at IS NULL AND left_at IS NULL
), gone AS (
    UPDATE suppressed_record r SET left_at = %(now)s
    FROM waiting w WHERE NOT w.still AND (r.campaign, r.customer, r.shown_at) = (w.campaign, w.customer, w.shown_at)
)
SELECT %(now)s - min(shown_at) FROM waiting WHERE still
"""


async def show(connection: Connection, campaign: int, now: datetime) -> None:
    """Note whom the plan found suppressed and in the campaign, from the read that first showed it."""
    await connection.execute(SHOW, {"campaign": campaign, "now": now})


async def remove(
    connection: Connection, campaign: int, customers: Sequence[int], now: datetime
) -> dict[int, timedelta]:
    """Note whose record is out; return how long it took from the read that first showed each suppressed."""
    cursor = await connection.execute(
        """
        UPDATE suppressed_record SET removed_at = %(now)s
        WHERE campaign = %(campaign)s AND customer = ANY (%(customers)s::bigint[])
          AND removed_at IS NULL AND left_at IS NULL
        RETURNING customer, shown_at
        """,
        {"campaign": campaign, "customers": array(customers), "now": now},
    )
    shown: list[tuple[int, datetime]] = await cursor.fetchall()  # type: ignore[assignment]
    return {customer: now - shown_at for customer, shown_at in shown}


async def oldest(connection: Connection, campaign: int, now: datetime) -> timedelta | None:
    """Return for how long the longest of the suppressed has been waiting to be taken out; None where nobody waits.

    Who is in the campaign no more, or cannot ring any more, without a removal of ours, waits no longer.
    """
    row = await (await connection.execute(WAITING, {"campaign": campaign, "now": now})).fetchone()
    return row[0] if row and isinstance(row[0], timedelta) else None


async def forget(connection: Connection, before: datetime) -> None:
    """Forget what ended before a time."""
    await connection.execute("DELETE FROM suppressed_record WHERE coalesce(removed_at, left_at) < %s", (before,))
