"""A watch over one campaign: a stage, somebody who is told, and what is logged."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from syncd.config import Config, NotifySettings, Secret, StateSettings
from syncd.report.notify import Notifier
from syncd.simulator import Call, Fault, FaultKind
from syncd.state.database import Database
from syncd.sync import PassReport
from tests.receiving import Receiver
from tests.stage import Stage


@dataclass
class Watch:
    """A campaign, and the process that tells of it."""

    stage: Stage
    receiver: Receiver
    notifier: Notifier
    urls: tuple[str, ...]
    logged: list[dict[str, object]]
    notify: NotifySettings = field(default_factory=NotifySettings)

    @property
    def config(self) -> Config:
        settings = self.stage.campaign.settings
        return Config(
            path=Path("config.toml"),
            state=StateSettings(directory=Path()),
            notify=replace(self.notify, urls=tuple(Secret(url) for url in self.urls)),
            tenants={"acme": self.stage.campaign.tenant},
            sources={"crm": self.stage.campaign.source},
            campaigns={settings.name: settings},
        )

    def restart(self) -> None:
        """Begin a new process, which knows what the state knows."""
        self.notifier = Notifier(self.stage.clock)

    async def once(self) -> PassReport:
        """Run a pass and tell of it."""
        report = await self.stage.once()
        await self.tell_of(report)
        return report

    async def tell_of(self, report: PassReport, *, database: Database | None = None) -> None:
        await self.notifier.after_pass(self.config, self.stage.campaign, report, database or self.stage.database)

    async def pulse(self) -> None:
        await self.notifier.pulse(self.config, self.stage.database)

    def strike(self, *calls: Call) -> None:
        """Have the tenant refuse calls until further notice."""
        self.stage.tenant.faults.add(
            Fault(kind=FaultKind.ANSWER, calls=frozenset(calls) or None, count=None, status=401)
        )

    def heal(self) -> None:
        self.stage.tenant.faults.clear()

    @property
    def complaints(self) -> list[dict[str, object]]:
        """What was logged as out of the ordinary."""
        return [line for line in self.logged if line["log_level"] != "info"]

    @property
    def told(self) -> list[str]:
        """What the receiver was told since it was asked last, without what all titles have in common."""
        titles = [title.removeprefix("syncd: campaign renewals ") for title in self.receiver.titles]
        self.receiver.bodies.clear()
        return titles
