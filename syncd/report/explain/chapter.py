"""What was looked up of one customer in one campaign."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from syncd.config import CampaignSettings
from syncd.errors import SourceError
from syncd.state.overview import Overview
from syncd.state.story import Story
from syncd.state.suppressions import Suppression
from syncd.sync.explaining import Look


@dataclass(frozen=True, slots=True)
class Numbers:
    """The customer's phone numbers as the source has them, for those who asked for them."""

    found: tuple[str, ...] = ()
    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Chapter:
    """A customer in one campaign. Times are aware."""

    overview: Overview
    story: Story
    settings: CampaignSettings | None = None
    """None: the configuration has the campaign no more; nothing but the state knows it then."""
    look: Look | None = None
    suppressions: tuple[Suppression, ...] = ()
    """Why the state has the customer suppressed for this campaign."""
    dispositions: Mapping[int, str] = field(default_factory=dict)
    """The tenant's own words."""
    numbers: Numbers | None = None

    @property
    def known(self) -> bool:
        """Return whether this campaign's source, its listing or the state know the customer."""
        return not self.story.empty or bool(self.suppressions) or (self.look is not None and self.look.known)

    @property
    def troubled(self) -> bool:
        """Return whether source or tenant could not be asked: they may know the customer all the same."""
        return self.look is not None and any((self.look.source_error, self.look.list_error, self.look.dialer_error))

    @property
    def listed_at(self) -> datetime | None:
        """Return when the listing was last read whole."""
        return self.overview.listed_at
