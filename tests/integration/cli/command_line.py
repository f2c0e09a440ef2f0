"""A company's desk: a configuration file, a CRM, a simulated tenant on a thread of its own, and the commands."""

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest

from syncd.cli import main
from syncd.clock import SystemClock
from syncd.simulator import Call, Entry, Fault, FaultKind, SimulatedTenant, serve
from tests.stage import CAMPAIGN, Crm

CONFIG = """
[state]
{state}

[service]
listen = "{listen}"

[tenants.acme]
base_url = "{url}"
username = "acmecorp01"
action_token = "env:ACTION_TOKEN"
data_token = "env:DATA_TOKEN"
requests_per_second = 1000
timeout = "{tenant_timeout}"

[sources.crm]
url = "sqlite:///{crm}"
timeout = "{source_timeout}"

[campaigns.{section}]
id = 125
tenant = "acme"
source = "crm"
query = "{query}"
suppress = "SELECT customer_id FROM do_not_call"
{more}
"""

SECOND = """
[campaigns.winback]
id = 126
tenant = "acme"
source = "crm"
query = "SELECT * FROM due"
"""
"""A second campaign, for a desk that has more."""


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        return json.loads(self.out)


@dataclass
class CommandLine:
    """The desk."""

    directory: Path
    url: str
    tenant: SimulatedTenant
    crm: Crm
    capture: pytest.CaptureFixture[str]
    state: str
    query: str = "SELECT * FROM due"
    tenant_timeout: str = "10s"
    """So long that no call is given up because this machine is slow."""
    source_timeout: str = "10s"
    section: str = "renewals"
    """What the campaign is called, as TOML writes it."""
    more: str = ""
    listen: str = ""
    tokens: dict[str, str] = field(default_factory=lambda: {"ACTION_TOKEN": "action-1", "DATA_TOKEN": "data-1"})

    @property
    def config(self) -> Path:
        return self.directory / "config.toml"

    def write_config(self) -> None:
        """Write the configuration as the desk has it now."""
        self.config.write_text(
            CONFIG.format(
                state=self.state,
                url=self.url,
                crm=self.crm.path,
                tenant_timeout=self.tenant_timeout,
                source_timeout=self.source_timeout,
                query=self.query,
                section=self.section,
                more=self.more,
                listen=self.listen,
            )
        )

    def run(self, *arguments: object) -> Finished:
        """Run a command in this process."""
        self.write_config()
        return self.run_as_it_is(*arguments)

    def run_as_it_is(self, *arguments: object) -> Finished:
        """Run a command over the configuration that is there."""
        self.tenant.log.clear()
        self.capture.readouterr()
        status = main(["--config", str(self.config), *map(str, arguments)])
        out, err = self.capture.readouterr()
        return Finished(status, out, err)

    def start(self, *arguments: object, stdout: int = subprocess.PIPE) -> subprocess.Popen[str]:
        """Start a command in a process of its own."""
        self.write_config()
        self.tenant.log.clear()
        return subprocess.Popen(
            [sys.executable, "-m", "syncd", "--config", str(self.config), *map(str, arguments)],
            stdout=stdout,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | self.tokens,
        )

    def strike(self, kind: FaultKind, *calls: Call, count: int | None = None, **how: Any) -> None:
        """Arm a fault, for ever unless ``count`` says otherwise."""
        self.tenant.faults.add(Fault(kind=kind, calls=frozenset(calls) or None, count=count, **how))

    @property
    def listed(self) -> set[int]:
        return {record.customer for record in self.tenant.campaigns[CAMPAIGN]}

    @property
    def writes(self) -> list[Entry]:
        """The calls of the last command that change something."""
        return list(self.tenant.writes)


def state_of(database: str) -> str:
    """Return the [state] section for a database."""
    return f'url = "{database}"'


def query_state(database: str, query: str) -> list[tuple[Any, ...]]:
    """Ask the state."""
    with psycopg.connect(database, options="-c search_path=syncd") as connection:
        return connection.execute(query.encode()).fetchall()


def wait_until(true: Callable[[], object], process: subprocess.Popen[str] | None = None, seconds: float = 60) -> None:
    """Wait until something is true, and as long as the process runs that is to bring it about."""
    limit = time.monotonic() + seconds
    while not true():
        assert process is None or process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.02)


@contextmanager
def answering(tenant: SimulatedTenant, port: int = 0) -> Iterator[str]:
    """Serve a tenant on a thread, so that a command can have the main one; yield its address."""
    loop = asyncio.new_event_loop()
    server = serve(tenant, port=port)
    thread = threading.Thread(target=loop.run_forever, name="tenant")
    thread.start()
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result(60)
    finally:
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


def new_tenant() -> SimulatedTenant:
    """Return a tenant with campaign 125, whose CRM has the customers 1 to 99,999."""
    tenant = SimulatedTenant(clock=SystemClock(), action_token="action-1", data_token="data-1")
    tenant.add_campaign(CAMPAIGN, name="Renewals")
    tenant.add_customers(range(1, 100_000))
    return tenant
