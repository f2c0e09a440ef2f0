"""A company with several campaigns on one simulated tenant, and the hosts on which its fleets run."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import psycopg

from syncd.clock import Clock
from syncd.config import CampaignSettings, Config, GuardSettings, Secret, SourceSettings, StateSettings, TenantSettings
from syncd.daemon.fleet import Fleet
from syncd.daemon.service import KEPT
from syncd.errors import LockHeld, StateUnavailable
from syncd.simulator import Fault, FaultKind, SimulatedTenant, serve
from syncd.state.campaigns import Result
from syncd.state.database import Database
from syncd.state.line import Line
from syncd.state.migrate import migrate
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, PassReport
from syncd.sync.worlds import Worlds
from tests.stage import Crm

DAY = timedelta(days=1)


@dataclass
class Host:
    """A process that runs passes, as far as that can be seen from outside."""

    line: Line
    workplaces: Workplaces
    worlds: Worlds
    clock: Clock
    running: asyncio.Task[None] | None = None
    passes: list[PassReport] = field(default_factory=list)
    states: list[StateUnavailable | None] = field(default_factory=list)
    """What it heard of the state, without repetitions."""

    def __post_init__(self) -> None:
        self.fleet = Fleet(self.worlds, self.line, self.clock, on_pass=self.passed, on_state=self.heard)

    def passed(self, campaign: Campaign, report: PassReport) -> None:
        if not isinstance(report.error, LockHeld):
            # A turn that found another host's pass under way was none.
            self.passes.append(report)

    def heard(self, error: StateUnavailable | None) -> None:
        if not self.states or (self.states[-1] is None) is not (error is None):
            self.states.append(error)

    def of(self, campaign: str) -> list[PassReport]:
        """Return the passes over a campaign."""
        return [report for report in self.passes if report.campaign == campaign]

    def results(self, campaign: str) -> list[Result]:
        return [report.result for report in self.of(campaign)]

    async def stop(self) -> None:
        """End as on SIGTERM."""
        self.worlds.stop.set()
        if self.running is not None:
            await self.running

    async def die(self) -> None:
        """End as on SIGKILL, as far as the state can see: passes under way end without another word."""
        self.worlds.stop.set()
        for one in list(self.fleet._under_way.values()):
            one.cancel()
        if self.running is not None:
            await self.running

    async def close(self) -> None:
        """Close the connections that it keeps."""
        await self.line.close()
        await self.workplaces.close()


@dataclass
class Company:
    """Campaigns, the tenant that has them, a CRM for each, and the state."""

    directory: Path
    url: str
    clock: Clock
    tenant: SimulatedTenant
    base_url: str
    config: Config
    crm: dict[str, Crm] = field(default_factory=dict)

    def begin(self, name: str, vendor_id: int = 125, **settings: object) -> None:
        """Set up a campaign that wants two customers; it is due once a day unless ``settings`` say otherwise."""
        if name not in self.crm:
            self.tenant.add_campaign(vendor_id, name=name)
            self.crm[name] = Crm(self.directory / f"{name}.sqlite")
            self.crm[name].want(vendor_id * 10, vendor_id * 10 + 1)
        given = {
            "name": name,
            "id": vendor_id,
            "tenant": "acme",
            "source": name,
            "query": "SELECT * FROM due",
            "suppress": "SELECT customer_id FROM do_not_call",
            "guard": GuardSettings(few=1000),
        }
        given |= settings if "cron" in settings else {"every": DAY} | settings
        source = SourceSettings(name=name, url=f"sqlite:///{self.crm[name].path}")
        self.config = replace(
            self.config,
            sources={**self.config.sources, name: source},
            campaigns={**self.config.campaigns, name: CampaignSettings(**given)},  # type: ignore[arg-type]
        )

    def end(self, name: str) -> None:
        """Take a campaign out of the configuration."""
        self.config = replace(
            self.config, campaigns={key: one for key, one in self.config.campaigns.items() if key != name}
        )

    def change_tenant(self, **changes: object) -> None:
        tenant = replace(self.config.tenants["acme"], **changes)  # type: ignore[arg-type]
        self.config = replace(self.config, tenants={**self.config.tenants, "acme": tenant})

    def strike(self, kind: FaultKind, **how: object) -> None:
        """Arm a fault, for ever unless ``count`` says otherwise."""
        self.tenant.faults.add(Fault(**{"kind": kind, "count": None, **how}))  # type: ignore[arg-type]

    def host(self) -> Host:
        """Return a host that does not run yet."""
        database = Database(self.url, "syncd")
        line = Line(database)
        workplaces = Workplaces(database, keep=KEPT)
        worlds = Worlds(self.config, workplaces, clock=self.clock, stop=asyncio.Event())
        return Host(line, workplaces, worlds, self.clock)

    def reload(self, host: Host) -> None:
        """Have a host take over the configuration as it is now."""
        before = host.fleet.worlds
        host.fleet.take_over(
            Worlds(self.config, host.workplaces, clock=self.clock, stop=host.worlds.stop, before=before)
        )

    @asynccontextmanager
    async def hosts(self, count: int = 1) -> AsyncIterator[list[Host]]:
        """Run hosts for as long as the context lasts."""
        hosts = [self.host() for _ in range(count)]
        for host in hosts:
            host.running = asyncio.create_task(host.fleet.run())
        try:
            await until(lambda: all(host.states for host in hosts))
            yield hosts
        finally:
            for host in hosts:
                await host.stop()
                await host.close()

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the state."""
        with psycopg.connect(self.url, options="-c search_path=syncd", autocommit=True) as connection:
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []

    def connections(self) -> int:
        """Return how many connections the hosts have to the state. A worker that vacuums is none."""
        [(count,)] = self.rows(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        assert isinstance(count, int)
        return count

    def due_at(self, name: str = "renewals") -> datetime:
        """Return when a campaign is due next."""
        [(due,)] = self.rows("SELECT due_at FROM campaign WHERE name = %s", name)
        assert isinstance(due, datetime)
        return due

    def listed(self, name: str = "renewals") -> set[int]:
        """Return who is in a campaign."""
        return self.listed_in(self.config.campaigns[name].id)

    def listed_in(self, vendor_id: int) -> set[int]:
        """Return who is in a campaign, whether it is in the configuration or not."""
        return {record.customer for record in self.tenant.campaigns[vendor_id]}

    @contextmanager
    def state_lost(self, how: str = "ALLOW_CONNECTIONS false") -> Iterator[None]:
        """Have the server of the state turn everybody away, or what else is done to it, and let them in again."""
        name = psycopg.conninfo.conninfo_to_dict(self.url)["dbname"]
        back = {"ALLOW_CONNECTIONS false": "ALLOW_CONNECTIONS true"}.get(how, "RESET ALL")
        with psycopg.connect(self.url.replace(f"/{name}?", "/syncd?"), autocommit=True) as connection:

            def alter(what: str) -> None:
                connection.execute(f"ALTER DATABASE {name} {what}".encode())
                connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])

            alter(how)
            try:
                yield
            finally:
                alter(back)


async def at_work(hosts: Sequence[Host]) -> Host:
    """Return the host that runs a pass, when those that came too late for the turn have seen that they did."""
    await until(lambda: sum(host.fleet.under_way for host in hosts) == 1)
    return next(host for host in hosts if host.fleet.under_way)


async def until(true: Callable[[], object], seconds: float = 60) -> None:
    """Wait until something is true. The limit is for what never will be: it tells nothing of speed."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 - what is waited for happens in a fleet
            await asyncio.sleep(0.01)


@asynccontextmanager
async def open_company(directory: Path, url: str, clock: Clock) -> AsyncIterator[Company]:
    """Open a company without campaigns."""
    tenant = SimulatedTenant(clock=clock)
    tenant.add_customers(range(1, 100_000))
    async with serve(tenant) as base_url:
        settings = TenantSettings(
            name="acme",
            base_url=base_url,
            username="acmecorp01",
            action_token=Secret("simulated-action"),
            data_token=Secret("simulated-data"),
            requests_per_second=100_000,
            timeout=timedelta(seconds=60),
        )
        await asyncio.to_thread(migrate, Database(url, "syncd"))
        config = Config(
            path=directory / "config.toml",
            state=StateSettings(url=url, directory=directory),
            tenants={"acme": settings},
        )
        yield Company(directory, url, clock, tenant, base_url, config)
