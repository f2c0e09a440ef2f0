"""``make prove KILLS=1000``: as many deaths of real processes as are asked for, and where they died.

``SEED=...`` repeats the lives of a run that found something, which it names: each company lives for some deaths and has
a seed of its own. What a seed decides is what happens and where it strikes; how far a process is at a random moment,
the machine decides.
"""

import asyncio
import contextlib
import io
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from secrets import randbelow
from typing import Final

import psycopg

from syncd.state.embedded import embedded_postgres
from tests.faults.company import open_company
from tests.faults.kills import schedule

LIFE: Final = 20
"""Deaths in one company."""


def live(postgres: str, seed: int, deaths: int, tally: Counter[str]) -> int:
    """Have so many processes of a new company die, or a few more; return how many did. Raise what a broken law does."""
    name, random, died = f"prove_{seed}", Random(seed), 0
    with tempfile.TemporaryDirectory() as directory, psycopg.connect(postgres, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        try:
            with open_company(Path(directory), postgres.replace("/syncd?", f"/{name}?")) as company:
                company.want(*random.sample(range(1, 61), 30))
                while died < deaths:
                    died += schedule(company, random, tally)
        finally:
            server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    return died


@contextlib.contextmanager
def state_directory() -> Iterator[Path]:
    """Yield a directory for the PostgreSQL of all companies, which the server's user may pass."""
    with tempfile.TemporaryDirectory(prefix="syncd-prove-") as name:
        directory = Path(name)
        directory.chmod(0o711)
        yield directory


async def prove(deaths: int, first_seed: int) -> int:
    """Have so many processes die; print where, and return the exit status."""
    began, tally, died, failed = time.monotonic(), Counter[str](), 0, 0
    with state_directory() as directory:
        async with embedded_postgres(directory) as postgres:
            seed = first_seed
            while died < deaths:
                portion = min(LIFE, deaths - died)
                said = io.StringIO()
                try:
                    with contextlib.redirect_stdout(said):
                        died += await asyncio.to_thread(live, postgres, seed, portion, tally)
                except AssertionError as broken:
                    failed += 1
                    died += portion
                    print(f"SEED={seed} KILLS={portion} breaks a law: {broken}\n{said.getvalue()}", flush=True)
                seed += 1
    kills = sum(count for death, count in tally.items() if death != "came to its end before")
    print(f"{kills:,} deaths in {time.monotonic() - began:,.0f} s, {failed or 'no'} broken laws")
    for death, count in sorted(tally.items()):
        print(f"{count:>7,}  {death}")
    return 1 if failed else 0


if __name__ == "__main__":
    given = os.environ.get
    sys.exit(asyncio.run(prove(int(given("KILLS", "20")), int(given("SEED", randbelow(10**9))))))
