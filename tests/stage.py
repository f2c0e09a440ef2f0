"""A whole world on loopback for tests: a simulated tenant over real HTTP, a SQLite source, a real PostgreSQL."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from syncd.clock import SystemClock
from syncd.config import CampaignSettings, Secret, SourceSettings, TenantSettings
from syncd.dialer.client import Tenant
from syncd.simulator import SimulatedTenant, serve
from syncd.state.database import Database
from syncd.state.migrate import migrate
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, PassReport, World, rehearse_pass, run_pass

CAMPAIGN = 125


class MovedClock(SystemClock):
    """The machine's clock, set forward by hand; waiting is real."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def move(self, **ahead: float) -> None:
        self.ahead += timedelta(**ahead)


class Crm:
    """The customers' database: who is due, who must not be called."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("PRAGMA journal_mode = wal")
            connection.execute("CREATE TABLE due (customer_id, schedule_at, version, phone)")
            connection.execute("CREATE TABLE do_not_call (customer_id, phone)")

    def run(self, statement: str, values: Iterable[tuple[object, ...]] = ()) -> None:
        rows = list(values)
        with closing(sqlite3.connect(self.path)) as connection, connection:
            if rows:
                connection.executemany(statement, rows)
            else:
                connection.execute(statement)

    def want(self, *customers: object, at: object = None, version: object = None) -> None:
        moment = at.isoformat() if isinstance(at, datetime) else at
        self.run("INSERT INTO due VALUES (?, ?, ?, NULL)", [(c, moment, version) for c in customers])

    def drop(self, *customers: int) -> None:
        self.run("DELETE FROM due WHERE customer_id = ?", [(c,) for c in customers])

    def update(self, customer: int, *, at: object = None, version: object = None) -> None:
        self.drop(customer)
        self.want(customer, at=at, version=version)

    def suppress(self, *customers: int) -> None:
        self.run("INSERT INTO do_not_call VALUES (?, NULL)", [(c,) for c in customers])


@dataclass(slots=True)
class Stage:
    """One campaign and everything around it."""

    crm: Crm
    tenant: SimulatedTenant
    campaign: Campaign
    world: World
    clock: MovedClock
    url: str

    def settings(self, **changes: object) -> None:
        """Change the campaign's settings."""
        self.campaign = replace(self.campaign, settings=replace(self.campaign.settings, **changes))  # type: ignore[arg-type]

    async def once(self, *, observe: bool = True) -> PassReport:
        """Run one pass."""
        self.tenant.log.clear()
        if not observe:
            self.settings(list_every=timedelta(days=1))
        return await run_pass(self.campaign, self.world, kind="once", always_observe=observe)

    async def rehearse(self) -> PassReport:
        """Ask what a pass would do."""
        return await rehearse_pass(self.campaign, self.world)

    @property
    def database(self) -> Database:
        return self.world.workplaces.database

    @property
    def listed(self) -> set[int]:
        """Customers whose record is in the campaign."""
        return {record.customer for record in self.tenant.campaigns[CAMPAIGN]}

    @property
    def writes(self) -> list[object]:
        """Writing calls that the tenant saw in the last pass."""
        return list(self.tenant.writes)

    def rows(self, query: str, *values: object) -> list[tuple[object, ...]]:
        """Ask the state."""
        with psycopg.connect(self.url, options="-c search_path=syncd") as connection:
            cursor = connection.execute(query, values)  # type: ignore[arg-type]
            return cursor.fetchall() if cursor.description else []

    def ledger(self, customer: int) -> dict[str, object]:
        """Return the ledger row of a customer."""
        with psycopg.connect(self.url, options="-c search_path=syncd", row_factory=psycopg.rows.dict_row) as connection:
            return connection.execute("SELECT * FROM ledger WHERE customer = %s", (customer,)).fetchone() or {}


@asynccontextmanager
async def open_stage(directory: Path, url: str, **settings: object) -> AsyncIterator[Stage]:
    """Open a stage: campaign 125 of a tenant that knows customers 1 to 99,999."""
    clock = MovedClock()
    simulated = SimulatedTenant(clock=clock)
    simulated.add_campaign(CAMPAIGN)
    simulated.add_customers(range(1, 100_000))
    crm = Crm(directory / "crm.sqlite")
    async with serve(simulated) as base_url:
        tenant = TenantSettings(
            name="acme",
            base_url=base_url,
            username="acmecorp01",
            action_token=Secret("simulated-action"),
            data_token=Secret("simulated-data"),
            requests_per_second=100_000,
            timeout=timedelta(seconds=5),
        )
        source = SourceSettings(name="crm", url=f"sqlite:///{crm.path}")
        given = {
            "query": "SELECT * FROM due",
            "suppress": "SELECT customer_id FROM do_not_call",
        } | settings
        campaign = Campaign(
            settings=CampaignSettings(name="renewals", id=CAMPAIGN, tenant="acme", source="crm", **given),  # type: ignore[arg-type]
            tenant=tenant,
            source=source,
            suppress_source=source,
        )
        database = Database(url, "syncd")
        await asyncio.to_thread(migrate, database)
        workplaces = Workplaces(database, keep=1)
        world = World(workplaces=workplaces, tenant=Tenant(tenant, clock=clock), clock=clock)
        yield Stage(crm, simulated, campaign, world, clock, url)
        await workplaces.close()
