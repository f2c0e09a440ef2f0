"""What a pass is handed: its campaign, the outside world, and whom to tell how far it is."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from syncd.clock import Clock
from syncd.config import CampaignSettings, Config, SourceSettings, TenantSettings
from syncd.dialer.client import Tenant
from syncd.state.lock import Keeping
from syncd.state.workplace import Workplaces


@dataclass(frozen=True, slots=True)
class Campaign:
    """One campaign with the tenant and the sources that it names."""

    settings: CampaignSettings
    tenant: TenantSettings
    source: SourceSettings
    suppress_source: SourceSettings

    @classmethod
    def of(cls, config: Config, name: str) -> "Campaign":
        """Return a campaign of a configuration that was found good."""
        settings = config.campaigns[name]
        return cls(
            settings=settings,
            tenant=config.tenants[settings.tenant],
            source=config.sources[settings.source],
            suppress_source=config.sources[settings.suppress_source or settings.source],
        )

    @property
    def name(self) -> str:
        return self.settings.name

    @property
    def account(self) -> str:
        """Return the half of the campaign's identity that is the tenant's; the vendor id is the other."""
        return self.tenant.username


class Progress(Protocol):
    """Whoever wants to know how far a pass is."""

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        """Take note of a step, how many things of it are done, and of how many where that is known."""
        ...


class NoProgress:
    """Nobody wants to know."""

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        return None


@dataclass(slots=True)
class World:
    """The outside world of a pass."""

    workplaces: Workplaces
    tenant: Tenant
    clock: Clock
    progress: Progress = field(default_factory=NoProgress)
    keeping: Keeping = field(default_factory=Keeping)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    """Set to end a pass: what is in flight is awaited and recorded, nothing is begun."""
    reached: Callable[[str], None] = lambda point: None
    """Told the named point between two steps that a pass has come to; the fault tests end the process there."""
