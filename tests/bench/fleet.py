"""A daemon with many campaigns of one tenant, in a process of its own."""

import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.bench.scene import Bench, Scene, running
from tests.bench.tenant import CAMPAIGN

CONFIG = """
[state]
url = "{state}"
[service]
listen = "127.0.0.1:{port}"
[tenants.acme]
base_url = "{address}"
username = "acmecorp01"
action_token = "file:{folder}/action"
data_token = "file:{folder}/data"
requests_per_second = {rate}
[sources.crm]
url = "sqlite:///{folder}/crm.sqlite"
[defaults]
tenant = "acme"
source = "crm"
every = "{every}"
suppress = "SELECT customer_id FROM do_not_call"
[defaults.guard]
max_new_query_additions = 0
"""

ONE = """
[campaigns.number{number}]
id = {number}
query = "SELECT customer_id FROM due WHERE campaign = {number}"
"""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Campaigns, each with customers of its own."""

    campaigns: int
    customers: int
    """Of each."""
    every: str
    rate: int
    """Requests a second that the tenant may be asked."""


@contextmanager
def daemon(bench: Bench, name: str, fleet: Fleet) -> Iterator[tuple[Scene, "subprocess.Popen[bytes]"]]:
    """Run a daemon while the context lasts; yield what it works on, and its process."""
    known = fleet.campaigns * fleet.customers
    with (
        tempfile.TemporaryDirectory(prefix="syncd-bench-fleet-") as made,
        bench.scene(name, known=1) as scene,
        running("tests.bench.tenant", str(known), str(fleet.campaigns)) as tenant,
    ):
        assert tenant.stdout is not None
        config = _write(Path(made), fleet, scene.state, tenant.stdout.readline().strip())
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "--config", str(config), "run"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            yield scene, process
        finally:
            process.terminate()
            process.wait()


def _write(folder: Path, fleet: Fleet, state: str, address: str) -> Path:
    with closing(sqlite3.connect(folder / "crm.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE due (campaign, customer_id)")
        connection.execute("CREATE TABLE do_not_call (customer_id)")
        known = fleet.campaigns * fleet.customers
        rows = ((CAMPAIGN + n // fleet.customers, n + 1) for n in range(known))
        connection.executemany("INSERT INTO due VALUES (?, ?)", rows)
        connection.execute("CREATE INDEX due_campaign ON due (campaign)")
    for token in ("action", "data"):
        (folder / token).write_text(f"simulated-{token}")
        (folder / token).chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {"state": state, "port": port, "address": address, "folder": folder}
    config = folder / "config.toml"
    config.write_text(
        CONFIG.format(**given, rate=fleet.rate, every=fleet.every)
        + "".join(ONE.format(number=CAMPAIGN + number) for number in range(fleet.campaigns))
    )
    return config
