"""How large the state is after three months: a campaign of which a third is new each day."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from syncd.config import GuardSettings
from tests.bench.one_pass import UNGUARDED
from tests.bench.scene import Bench
from tests.bench.table import Line, size
from tests.stage import CAMPAIGN, Stage, open_stage

DAYS = 90
NEW = 300
"""Customers who come each day, and go three days later."""
CALLED = 100
"""Of those who go, who were called."""

SIZE = "SELECT pg_database_size(current_database())"
CHANGES = "SELECT count(*) FROM change"


def run(bench: Bench) -> Iterator[Line]:
    """Let ninety days pass, two passes a day."""
    with bench.scene("upkeep", known=1) as scene, tempfile.TemporaryDirectory() as made:
        empty = int(scene.ask_state(SIZE))
        asyncio.run(_live(Path(made), scene.state, UNGUARDED))
        grown = int(scene.ask_state(SIZE)) - empty
        changes = int(scene.ask_state(CHANGES))
        sightings = int(scene.ask_state("SELECT count(*) FROM sighting"))
    yield Line(
        f"state after {DAYS} days of {NEW} new, {NEW} gone, {CALLED} of them called a day",
        f"{size(grown)} above an empty one of {size(empty)}",
        f"{changes:,} changes and {sightings:,} outcomes on record",
    )
    yield Line("of it for each change", size(grown / changes))


async def _live(folder: Path, state: str, guard: GuardSettings) -> None:
    async with open_stage(folder, state, list_every=timedelta(hours=20), guard=guard) as stage:
        for day in range(DAYS):
            stage.crm.want(*range(1 + day * NEW, 1 + (day + 1) * NEW))
            await stage.once()
            stage.clock.move(hours=12)
            gone = range(1 + (day - 2) * NEW, 1 + (day - 1) * NEW)
            if day >= 2:
                _call(stage, gone[:CALLED])
                stage.crm.drop(*gone)
            await stage.once()
            stage.clock.move(hours=12)


def _call(stage: Stage, customers: range) -> None:
    for customer in customers:
        stage.tenant.set_record(CAMPAIGN, customer, status=3, disposition=2001)
