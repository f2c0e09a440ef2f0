"""Past passes, as the state has them on record."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from psycopg.rows import class_row

from syncd.state.database import Connection, state_errors

HISTORY: LiteralString = """
SELECT p.id, p.campaign, p.kind, p.began, p.ended, p.host, p.passes, p.observed, p.result, p.sentence, p.counts
FROM unnest(%(campaigns)s::smallint[]) AS c (id)
CROSS JOIN LATERAL (SELECT * FROM pass WHERE campaign = c.id ORDER BY id DESC LIMIT %(limit)s) p
ORDER BY p.id DESC LIMIT %(limit)s
"""


@dataclass(frozen=True, slots=True)
class PastPass:
    """One row of the passes on record. Times are aware."""

    id: int
    campaign: int
    kind: str
    """What started it; of a pass that died nobody knows."""
    began: datetime
    ended: datetime | None
    """None: it died. Of several passes without news: the end of the last."""
    host: str
    passes: int
    """How many passes without news the row stands for."""
    observed: bool
    result: str
    sentence: str
    counts: Mapping[str, Any]


async def history(connection: Connection, campaigns: Sequence[int], limit: int) -> list[PastPass]:
    """Return the newest passes over these campaigns, ``limit`` at most in all, the newest first.

    Raise StateUnavailable.
    """
    with state_errors():
        async with connection.cursor(row_factory=class_row(PastPass)) as cursor:
            await cursor.execute(HISTORY, {"campaigns": list(campaigns), "limit": limit})
            return await cursor.fetchall()
