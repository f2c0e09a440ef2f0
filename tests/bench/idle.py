"""What the daemon costs while nothing changes: fifty campaigns, each every minute."""

import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psutil

from tests.bench.scene import Bench, cpu, running, server_of, until
from tests.bench.table import Line
from tests.bench.tenant import CAMPAIGN

CAMPAIGNS = 50
CUSTOMERS = 20
ROUNDS = 3
ASK_SECONDS = 10
"""Between two questions to the state, which would else cost more than what is measured."""

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
requests_per_second = 100
[sources.crm]
url = "sqlite:///{folder}/crm.sqlite"
[defaults]
tenant = "acme"
source = "crm"
every = "1m"
suppress = "SELECT customer_id FROM do_not_call"
"""

ONE = """
[campaigns.number{number}]
id = {number}
query = "SELECT customer_id FROM due WHERE campaign = {number}"
"""

PASSES = "SELECT coalesce(sum(passes), 0) FROM pass WHERE ended IS NOT NULL"


def run(bench: Bench) -> Iterator[Line]:
    """Let the daemon run until every campaign is filled, and then some rounds more."""
    known = CAMPAIGNS * CUSTOMERS
    with (
        tempfile.TemporaryDirectory(prefix="syncd-bench-idle-") as made,
        bench.scene("idle", known=1) as scene,
        running("tests.bench.tenant", str(known), str(CAMPAIGNS)) as tenant,
    ):
        assert tenant.stdout is not None
        folder = Path(made)
        _write(folder, scene.state, tenant.stdout.readline().strip())
        daemon = subprocess.Popen(
            [sys.executable, "-m", "syncd", "--config", str(folder / "config.toml"), "run"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            # Filled, confirmed by a listing, and once more with nothing to do.
            until(lambda: daemon.poll() is not None or scene.ask_state(PASSES) >= 3 * CAMPAIGNS, within=300)
            yield from _measure(daemon.pid, scene.state, lambda: int(scene.ask_state(PASSES)))
        finally:
            daemon.terminate()
            daemon.wait()


def _measure(pid: int, state: str, passes: Callable[[], int]) -> Iterator[Line]:
    process = psutil.Process(pid)
    server = server_of(state)
    began, before, own, servers = time.monotonic(), passes(), cpu(process), cpu(server)
    until(lambda: passes() >= before + ROUNDS * CAMPAIGNS, within=90 * ROUNDS, every=ASK_SECONDS)
    took, done = time.monotonic() - began, passes() - before
    own, servers = cpu(process) - own, cpu(server) - servers
    memory = process.memory_full_info()
    yield Line(
        f"daemon with {CAMPAIGNS} campaigns every minute, nothing changing",
        f"{100 * own / took:.1f} % of a core, {1000 * own / done:.0f} ms a pass",
        goal="< 2 %",
    )
    yield Line(
        "its memory", f"{memory.rss // 1_000_000} MB, {memory.uss // 1_000_000} MB of it its own", goal="< 150 MB"
    )
    yield Line(
        "PostgreSQL's share of it", f"{100 * servers / took:.1f} % of a core, {1000 * servers / done:.0f} ms a pass"
    )


def _write(folder: Path, state: str, address: str) -> None:
    with closing(sqlite3.connect(folder / "crm.sqlite")) as connection, connection:
        connection.execute("PRAGMA journal_mode = wal")
        connection.execute("CREATE TABLE due (campaign, customer_id)")
        connection.execute("CREATE TABLE do_not_call (customer_id)")
        rows = [(CAMPAIGN + n // CUSTOMERS, n + 1) for n in range(CAMPAIGNS * CUSTOMERS)]
        connection.executemany("INSERT INTO due VALUES (?, ?)", rows)
    for token in ("action", "data"):
        (folder / token).write_text(f"simulated-{token}")
        (folder / token).chmod(0o600)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    campaigns = "".join(ONE.format(number=CAMPAIGN + number) for number in range(CAMPAIGNS))
    config = CONFIG.format(state=state, address=address, folder=folder, port=port) + campaigns
    (folder / "config.toml").write_text(config)
