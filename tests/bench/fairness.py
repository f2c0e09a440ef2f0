"""How fifty campaigns that are filled at once share one tenant's rate."""

import time
from collections.abc import Iterator
from statistics import median

from tests.bench.fleet import Fleet, daemon
from tests.bench.scene import Bench, until
from tests.bench.table import Line

FLEET = Fleet(campaigns=50, customers=20_000, every="1h", rate=60)
"""Adding them all takes 100 s at that rate, of which the starts of the passes are five."""

IN = "SELECT count(*) FROM ledger WHERE presence = 'in'"
SHARES = """
SELECT array_agg(customers) FROM (
    SELECT count(*) FILTER (WHERE presence = 'in') AS customers
    FROM campaign c LEFT JOIN ledger l ON l.campaign = c.id GROUP BY c.id) s
"""
ENDED = "SELECT count(*) FROM pass WHERE ended IS NOT NULL"
SPREAD = "SELECT extract(epoch FROM max(ended) - min(ended))::float FROM pass"


def run(bench: Bench) -> Iterator[Line]:
    """Look at the shares in the middle, and at who is done when."""
    wanted = FLEET.campaigns * FLEET.customers
    with daemon(bench, "fairness", FLEET) as (scene, process):
        began = time.monotonic()
        until(lambda: process.poll() is not None or scene.ask_state(IN) >= wanted // 2, within=300, every=3)
        middle, shares = time.monotonic() - began, sorted(scene.ask_state(SHARES))
        until(lambda: process.poll() is not None or scene.ask_state(ENDED) >= FLEET.campaigns, within=300, every=3)
        took, spread = time.monotonic() - began, scene.ask_state(SPREAD)
    yield Line(
        f"{FLEET.campaigns} campaigns of {FLEET.customers:,} filled at {FLEET.rate} requests a second, half way",
        f"after {middle:.0f} s {shares[0]:,} to {shares[-1]:,} in each",
        f"median {median(shares):,.0f}",
        shares[0] / median(shares),
    )
    yield Line("the same, all of them filled", f"after {took:.0f} s", f"the first {spread:.0f} s before the last")
