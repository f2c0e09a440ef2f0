"""The worlds of the passes of one configuration: campaigns of one tenant share its pace, all share the state."""

import asyncio
from collections.abc import Mapping

from syncd.clock import Clock, SystemClock
from syncd.config import Config
from syncd.dialer.client import Tenant
from syncd.state.lock import Keeping
from syncd.state.workplace import Workplaces
from syncd.sync.world import Campaign, NoProgress, Progress, World


class Worlds:
    """What passes are handed, by the name of their campaign."""

    def __init__(
        self,
        config: Config,
        workplaces: Workplaces,
        *,
        clock: Clock | None = None,
        stop: asyncio.Event | None = None,
        before: "Worlds | None" = None,
    ) -> None:
        """Take over from the worlds ``before`` the tenants whose settings have not changed, with their pace."""
        self.config = config
        self.stop = stop or asyncio.Event()
        self._workplaces, self._clock = workplaces, clock or SystemClock()
        kept: Mapping[str, Tenant] = before.tenants if before else {}
        self.tenants: Mapping[str, Tenant] = {
            name: kept[name]
            if name in kept and kept[name].settings == settings
            else Tenant(settings, clock=self._clock)
            for name, settings in config.tenants.items()
        }

    def campaign(self, name: str) -> Campaign:
        """Return a campaign with what it names."""
        return Campaign.of(self.config, name)

    def world(self, name: str, progress: Progress | None = None) -> World:
        """Return the world for a pass over a campaign."""
        state = self.config.state
        return World(
            workplaces=self._workplaces,
            tenant=self.tenants[self.config.campaigns[name].tenant],
            clock=self._clock,
            progress=progress or NoProgress(),
            keeping=Keeping(passes=state.keep, suppressions=state.keep_suppressions),
            stop=self.stop,
        )
