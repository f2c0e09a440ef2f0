"""Standing: is a campaign good, and do its passes come when they should?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

from syncd.config import CampaignSettings
from syncd.state.database import Connection, state_errors
from syncd.state.lock import lock_key
from syncd.words import Condition

EVERY: Final = timedelta(minutes=5)
"""What stands for ``every`` of a campaign that runs by cron."""

STANDING: LiteralString = """
SELECT condition, due_at, (SELECT max(ended) FROM pass WHERE campaign = c.id),
       EXISTS (SELECT FROM pg_locks
               WHERE locktype = 'advisory' AND granted AND objsubid = 1
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
                 -- PostgreSQL shows the number of a lock in two halves.
                 AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, 0))
FROM campaign c WHERE account = %s AND vendor_id = %s
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a campaign stands. Times are aware."""

    condition: Condition
    due_at: datetime | None
    """When the next pass is due; None: nothing of syncd's has planned one."""
    ended_at: datetime | None
    """When the last pass ended."""
    running: bool
    """A pass has the lock now, on whichever host."""

    def overdue(self, settings: CampaignSettings, now: datetime) -> bool:
        """Return whether a pass should have run by now, with twice ``every`` to spare.

        While nothing has planned the next pass only ``every`` says how often one is expected: a cron does not.
        """
        every = settings.every or EVERY
        if self.running:
            return False
        if self.due_at is not None:
            return now > self.due_at + 2 * every
        return settings.cron is None and (self.ended_at is None or now > self.ended_at + 3 * every)


NEVER_RUN: Final = Standing(Condition.NEW, None, None, running=False)


async def standing(connection: Connection, account: str, vendor_id: int) -> Standing:
    """Return how a campaign stands, or NEVER_RUN. Raise StateUnavailable."""
    with state_errors():
        cursor = await connection.execute(STANDING, (lock_key(account, vendor_id), account, vendor_id))
        row = await cursor.fetchone()
    if row is None:
        return NEVER_RUN
    condition, due_at, ended_at, running = row
    return Standing(Condition(str(condition)), due_at, ended_at, running=bool(running))  # type: ignore[arg-type]
