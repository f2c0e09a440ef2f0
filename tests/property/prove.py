"""``make prove N=10000``: as many random schedules as are asked for, and what they went through.

``JOBS=2`` runs them in so many processes. ``SEED=...`` repeats the schedules of a run that found something, which it
names; each process takes a portion at a time, with a seed of its own.
"""

import asyncio
import os
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from secrets import randbelow
from typing import Final

import psycopg
import structlog
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from syncd import garbage
from syncd.state.embedded import embedded_postgres
from tests.careless import let_go_of_the_disk
from tests.property.schedule import Ground, Schedule
from tests.property.wire import wired
from tests.stage import Crm

PORTION: Final = 25
"""Schedules that share a seed."""

STEPS: Final = 25

TOLD: Final = {
    "step": "steps",
    "pass": "passes, by how they ended",
    "fault": "faults that struck",
    "interruption": "interruptions in the middle of a pass",
    "happening": "happenings between passes",
}


@contextmanager
def ground_of_this_process(postgres: str) -> Iterator[Ground]:
    """Yield a ground of its own for this process, on the PostgreSQL that all of them share."""
    name = f"prove_{os.getpid()}"
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
        ground = Ground(postgres.replace("/syncd?", f"/{name}?"), Crm(Path(directory) / "crm.sqlite").path)
        try:
            yield ground
        finally:
            ground.close()
            server.execute(f"DROP DATABASE {name} WITH (FORCE)")


def try_schedules(postgres: str, number: int, schedules: int) -> tuple[Counter[str], str]:
    """Try so many schedules of a seed; return what they went through, and the shortest that breaks a law."""
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    garbage.look_rarely()  # as a process of syncd does
    with ground_of_this_process(postgres) as ground, wired(ground.wires):

        def begin() -> Schedule:
            return Schedule(ground)

        try:
            run_state_machine_as_test(
                seed(number)(begin),
                settings=settings(
                    max_examples=schedules,
                    stateful_step_count=STEPS,
                    database=None,
                    deadline=None,
                    report_multiple_bugs=False,
                    phases=[Phase.generate, Phase.shrink],
                    suppress_health_check=list(HealthCheck),
                ),
            )
        except Exception as error:
            return ground.tally, "".join(traceback.format_exception_only(error))
        return ground.tally, ""


def try_all(postgres: str, schedules: int, jobs: int, first_seed: int) -> tuple[Counter[str], int]:
    """Try the schedules in as many processes; return what they went through, and how many seeds broke a law."""
    tally, broken = Counter[str](), 0
    portions = [(first_seed + i, min(PORTION, schedules - i * PORTION)) for i in range(-(-schedules // PORTION))]
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as processes:
        running = {processes.submit(try_schedules, postgres, *portion): portion for portion in portions}
        for done in as_completed(running):
            went_through, failing = done.result()
            tally += went_through
            print(f"{tally['schedules']:,} schedules, {tally['steps']:,} steps so far", flush=True)
            if failing:
                broken += 1
                number, size = running[done]
                print(f"{failing}\nA law is broken; repeat it with: make prove SEED={number} N={size}\n", flush=True)
    return tally, broken


def tell(tally: Counter[str], broken: int, seconds: float) -> None:
    """Print what the schedules went through."""
    verdict = f"{broken:,} portions broke a law" if broken else "no law was broken"
    print(f"{tally['schedules']:,} schedules, {tally['steps']:,} steps in {seconds:,.0f} s: {verdict}")
    for group, title in TOLD.items():
        counts = {name.partition(": ")[2]: count for name, count in tally.items() if name.startswith(f"{group}: ")}
        print(f"{sum(counts.values()):,} {title}: " + ", ".join(f"{n} {c:,}" for n, c in sorted(counts.items())))


async def prove(directory: Path, schedules: int, jobs: int, first_seed: int) -> tuple[Counter[str], int]:
    """Try the schedules on a PostgreSQL of their own."""
    async with embedded_postgres(directory) as postgres:
        let_go_of_the_disk(postgres)
        return await asyncio.to_thread(try_all, postgres, schedules, jobs, first_seed)


def main() -> int:
    """Try as many schedules as the environment asks for; return the exit status."""
    given, began = os.environ.get, time.monotonic()
    first_seed = int(given("SEED") or randbelow(10**9))
    with tempfile.TemporaryDirectory(prefix="syncd-prove-") as directory:
        # The user of a server that root starts may pass it.
        Path(directory).chmod(0o711)
        trying = prove(Path(directory), int(given("N") or 100), int(given("JOBS") or 1), first_seed)
        tally, broken = asyncio.run(trying)
    tell(tally, broken, time.monotonic() - began)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
