"""A company's whole world for processes that come to grief in it: its file, CRM, tenant and state, and what is true."""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import psycopg

from syncd.config import load_config
from syncd.simulator import SimulatedTenant
from syncd.state.opening import open_migrated_state
from syncd.state.workplace import Workplaces
from syncd.sync import PassReport, run_pass
from syncd.sync.worlds import Worlds
from syncd.vendor import RecordStatus
from tests.faults import doomed
from tests.integration.cli.command_line import answering, new_tenant
from tests.stage import CAMPAIGN, Crm

OPEN: Final = (RecordStatus.NEW, RecordStatus.QUEUED, RecordStatus.SCHEDULED)
TOKENS: Final = {"ACTION_TOKEN": "action-1", "DATA_TOKEN": "data-1"}

CONFIG: Final = """
[state]
{state}

[service]
listen = "{listen}"

[tenants.acme]
base_url = "{tenant}"
username = "acmecorp01"
action_token = "env:ACTION_TOKEN"
data_token = "env:DATA_TOKEN"
requests_per_second = 1000
concurrency = 3
timeout = "2s"

[sources.crm]
{source}
timeout = "{source_timeout}"

[campaigns.renewals]
id = 125
tenant = "acme"
source = "crm"
query = "SELECT * FROM due"
suppress = "SELECT customer_id FROM do_not_call"
every = "{every}"
batch_size = 4
max_adds_per_week = 1000

[campaigns.renewals.guard]
min_rows = 0
max_invalid_percent = 0
max_shrink_percent = 0
max_removal_percent = 0
max_removals_per_day = 0
max_growth_percent = 0
max_vanished_percent = 0
max_suppress_shrink_percent = 0
"""
"""Without the guard, which is not what is tried here, and with batches so small that a pass makes several calls."""


LOCKS: Final = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""Of the passes that run."""


@dataclass
class Company:
    """The world, and the processes that work in it."""

    directory: Path
    tenant: SimulatedTenant
    crm: Crm
    tenant_url: str
    state_url: str
    """Of the state, for the tests' own eyes."""
    state: str = ""
    """The lines of the [state] section; by default those that name ``state_url``."""
    source: str = ""
    source_timeout: str = "5s"
    listen: str = ""
    every: str = "1s"
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ | TOKENS)
    due: dict[int, datetime | None] = field(default_factory=dict)
    """Who needs a call, and when."""
    suppressed: dict[int, int] = field(default_factory=dict)
    """Who must not be called, and how many requests the tenant had seen before that was so."""
    rung: set[int] = field(default_factory=set)
    """Whose call was completed."""
    foreign: set[int] = field(default_factory=set)
    """Whom others put into the campaign."""

    # --- what happens in the world -----------------------------------------------------------------------------------

    def want(self, *customers: int, at: datetime | None = None) -> None:
        """The CRM wants these called, at this time or as soon as possible."""
        self.crm.drop(*customers)
        self.crm.want(*customers, at=at)
        self.due |= dict.fromkeys(customers, at)

    def drop(self, *customers: int) -> None:
        """The CRM wants these called no more."""
        self.crm.drop(*customers)
        for customer in customers:
            self.due.pop(customer, None)

    def suppress(self, *customers: int) -> None:
        """These must not be called from now on."""
        self.crm.suppress(*customers)
        self.suppressed |= dict.fromkeys(customers, self.tenant.log.total)

    def complete(self, *customers: int) -> None:
        """The calls of these come to their end, where there is a record."""
        for customer in customers:
            if self.tenant.campaigns[CAMPAIGN].record(customer) is not None:
                self.tenant.set_record(CAMPAIGN, customer, status=RecordStatus.COMPLETED)
                self.rung.add(customer)

    def upload(self, *customers: int) -> None:
        """Somebody else puts these in."""
        self.tenant.add_records(CAMPAIGN, customers)
        self.foreign |= set(customers)

    # --- what is there -----------------------------------------------------------------------------------------------

    @property
    def records(self) -> dict[int, Any]:
        """The records of the campaign, by customer."""
        return {record.customer: record for record in self.tenant.campaigns[CAMPAIGN]}

    @property
    def ringing(self) -> set[int]:
        """Customers whom the dialer will call."""
        return {customer for customer, record in self.records.items() if record.status in OPEN}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Ask the state."""
        with psycopg.connect(self.state_url, options="-c search_path=syncd", autocommit=True) as connection:
            cursor = connection.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    # --- syncd -------------------------------------------------------------------------------------------------------

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def write_config(self) -> None:
        """Write the file as the company has it now."""
        self.config.write_text(
            CONFIG.format(
                state=self.state or f'url = "{self.state_url}"',
                tenant=self.tenant_url,
                source=self.source or f'url = "sqlite:///{self.crm.path}"',
                source_timeout=self.source_timeout,
                every=self.every,
                listen=self.listen,
            )
        )

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a command of syncd."""
        return self._start(self.arguments(*command))

    def arguments(self, *command: str) -> list[str]:
        """Return the arguments with which Python runs a command of syncd."""
        return ["-m", "syncd", "--config", str(self.config), *command]

    def start_doomed(self, point: str) -> subprocess.Popen[str]:
        """Start a pass that ends itself at a point."""
        return self._start([doomed.__file__, str(self.config), "renewals", point])

    def _start(self, arguments: Sequence[str]) -> subprocess.Popen[str]:
        self.write_config()
        return subprocess.Popen(
            [sys.executable, "-X", "faulthandler", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environ,
        )

    def passes(self, count: int) -> list[PassReport]:
        """Run so many passes that observe, in this process."""
        self.write_config()
        return asyncio.run(self._passes(count))

    async def _passes(self, count: int) -> list[PassReport]:
        config = load_config(self.config, environ=self.environ)
        async with open_migrated_state(config.state) as database:
            worlds = Worlds(config, Workplaces(database))
            campaign, world = worlds.campaign("renewals"), worlds.world("renewals")
            return [await run_pass(campaign, world, kind="once", always_observe=True, wait=True) for _ in range(count)]

    def wait_for_the_lock(self) -> None:
        """Wait until the server has noticed that whoever had the campaign's lock is gone."""
        until(lambda: self.ask(LOCKS) == [(0,)])


def until(true: Callable[[], object], process: subprocess.Popen[str] | None = None, limit: float = 60) -> None:
    """Wait until something is true, and as long as the process lives that is to bring it about."""
    end = time.monotonic() + limit
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < end, f"not within {limit} s"
        time.sleep(0.01)


@contextmanager
def open_company(directory: Path, state_url: str) -> Iterator[Company]:
    """Open a company whose tenant, served from a thread meanwhile, knows the customers 1 to 99,999."""
    tenant = new_tenant()
    with answering(tenant) as url:
        yield Company(directory, tenant, Crm(directory / "crm.sqlite"), url, state_url)
