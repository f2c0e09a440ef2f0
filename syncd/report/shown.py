"""What health, metrics and status page are made of: each campaign's settings beside how it stands."""

from dataclasses import dataclass
from datetime import datetime

from syncd.config import CampaignSettings
from syncd.report import status
from syncd.report.words import moment
from syncd.state.overview import Overview
from syncd.words import Condition


@dataclass(frozen=True, slots=True)
class Shown:
    """One campaign of the configuration."""

    settings: CampaignSettings
    overview: Overview

    @property
    def name(self) -> str:
        return self.settings.name

    def overdue(self, now: datetime) -> bool:
        """Return whether a pass should have run by now; of a campaign that is disabled none is expected."""
        return status.overdue(self.overview, self.settings, now)

    def unready(self, now: datetime) -> str | None:
        """Return why the daemon is not ready because of this campaign, in one line; None: it is.

        The line has no word of source or vendor in it, and so no customer.
        """
        if not self.settings.enabled:
            return None
        stands = self.overview
        if stands.condition is Condition.FAILING:
            since = f" since {moment(stands.since)}" if stands.since else ""
            return f"campaign {self.name}: failing{since}; `syncd status` tells why"
        if self.overdue(now):
            due = f"was due at {moment(stands.due_at)}" if stands.due_at else "should have come by now"
            return f"campaign {self.name}: overdue: a pass {due}"
        return None
