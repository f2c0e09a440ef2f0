"""Standing: is a campaign good, and do its passes come when they should?"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from syncd.config import CampaignSettings
from syncd.words import Condition

EVERY: Final = timedelta(minutes=5)
"""What stands for ``every`` of a campaign that runs by cron."""


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
