"""Writes per effective change in a storm: much changes at once, and the tenant fails in many calls."""

import asyncio
import tempfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from syncd.simulator import Call, Fault, FaultKind
from tests.bench.one_pass import UNGUARDED
from tests.bench.scene import Bench
from tests.bench.table import Line
from tests.stage import Stage, open_stage

CUSTOMERS = 2_000
CHANGED = 400
"""Customers who come, who go and whose time is moved, in each round."""
ROUNDS = 5

WRITES = frozenset({Call.ADD, Call.DELETE})

FAULTS = (
    Fault(kind=FaultKind.RESET, calls=WRITES, deed=True, count=None, probability=0.01),
    Fault(kind=FaultKind.RESET, calls=WRITES, count=None, probability=0.01),
    Fault(kind=FaultKind.ANSWER, status=503, calls=WRITES, count=None, probability=0.01),
    Fault(kind=FaultKind.MISSING_ENTRIES, calls=WRITES, count=None, probability=0.01, share=0.02),
)


def run(bench: Bench) -> Iterator[Line]:
    """Change much in each of some rounds, while one call in twenty-five fails."""
    with bench.scene("storm", known=1) as scene, tempfile.TemporaryDirectory() as made:
        asked, done = asyncio.run(_storm(Path(made), scene.state))
    yield Line(
        f"writes in a storm of {ROUNDS} rounds, 4 % of all calls failing",
        f"{asked:,} customers in writing calls",
        f"{done:,} effective changes",
        asked / done,
        "<= 1.05",
    )


async def _storm(folder: Path, state: str) -> tuple[int, int]:
    """Return how many customers stood in writing calls, and how many of them were added or deleted by these."""
    async with open_stage(folder, state, guard=UNGUARDED, max_adds_per_week=0) as stage:
        tomorrow = stage.clock.now() + timedelta(days=1)
        stage.crm.want(*range(1, CUSTOMERS + 1), at=tomorrow)
        await stage.once()
        await stage.once()
        for fault in FAULTS:
            stage.tenant.faults.add(fault)
        asked = done = 0
        for number in range(ROUNDS):
            _change(stage, number, tomorrow)
            for _ in range(3):
                await stage.once()
                asked += sum(len(entry.asked) for entry in stage.tenant.writes)
                done += sum(len(entry.done) for entry in stage.tenant.writes)
                stage.clock.move(minutes=30)
        return asked, done


def _change(stage: Stage, number: int, tomorrow: datetime) -> None:
    first = 1 + 2 * number * CHANGED
    stage.crm.drop(*range(first, first + CHANGED))
    moved = range(first + CHANGED, first + 2 * CHANGED)
    stage.crm.drop(*moved)
    stage.crm.want(*moved, at=tomorrow + timedelta(hours=number + 1))
    new = CUSTOMERS + 1 + number * CHANGED
    stage.crm.want(*range(new, new + CHANGED), at=tomorrow)
