"""What the daemon costs while nothing changes: fifty campaigns, each every minute."""

import time
from collections.abc import Callable, Iterator

import psutil

from tests.bench.fleet import Fleet, daemon
from tests.bench.scene import Bench, cpu, server_of, until
from tests.bench.table import Line

FLEET = Fleet(campaigns=50, customers=20, every="1m", rate=100)
ROUNDS = 3
ASK_SECONDS = 10
"""Between two questions to the state, which would else cost more than what is measured."""

PASSES = "SELECT coalesce(sum(passes), 0) FROM pass WHERE ended IS NOT NULL"


def run(bench: Bench) -> Iterator[Line]:
    """Let the daemon run until every campaign is filled, and then some rounds more."""
    with daemon(bench, "idle", FLEET) as (scene, process):
        # Filled, confirmed by a listing, and once more with nothing to do.
        until(lambda: process.poll() is not None or scene.ask_state(PASSES) >= 3 * FLEET.campaigns, within=300)
        yield from _measure(process.pid, scene.state, lambda: int(scene.ask_state(PASSES)))


def _measure(pid: int, state: str, passes: Callable[[], int]) -> Iterator[Line]:
    process = psutil.Process(pid)
    server = server_of(state)
    began, before, own, servers = time.monotonic(), passes(), cpu(process), cpu(server)
    until(lambda: passes() >= before + ROUNDS * FLEET.campaigns, within=90 * ROUNDS, every=ASK_SECONDS)
    took, done = time.monotonic() - began, passes() - before
    own, servers = cpu(process) - own, cpu(server) - servers
    memory = process.memory_full_info()
    yield Line(
        f"daemon with {FLEET.campaigns} campaigns every minute, nothing changing",
        f"{100 * own / took:.1f} % of a core, {1000 * own / done:.0f} ms a pass",
        goal="< 2 %",
    )
    yield Line(
        "its memory", f"{memory.rss // 1_000_000} MB, {memory.uss // 1_000_000} MB of it its own", goal="< 150 MB"
    )
    yield Line(
        "PostgreSQL's share of it", f"{100 * servers / took:.1f} % of a core, {1000 * servers / done:.0f} ms a pass"
    )
