"""``make mutants``: are the tests good enough to notice a small mistake? Each file is tried with one change at a time.

``make mutants ONLY=guard,syncd/sync/applying.py`` tries some parts or files, ``EVERY=20`` each twentieth mutant,
``JOBS=1`` so many at a time. A mutant that the tests let live is printed; those that change nothing stand with the
reason in SURVIVORS.md. Ends with 1 if there is another one.
"""

import asyncio
import os
import sys
import tempfile
from multiprocessing import get_context
from pathlib import Path

from syncd.state.database import Database
from syncd.state.embedded import embedded_postgres
from syncd.state.migrate import migrate
from tests.careless import let_go_of_the_disk
from tests.mutation.report import report
from tests.mutation.targets import TARGETS


async def main(folder: Path, names: list[str], every: int, jobs: int) -> bool:
    """Try the mutants of each target and print who lives; return whether all of them are known."""
    async with embedded_postgres(folder) as server:
        # Databases are copies of the template: no test has to make the schema.
        await asyncio.to_thread(migrate, Database(server.replace("/syncd?", "/template1?"), "syncd"))
        # Each test makes a database.
        await asyncio.to_thread(let_go_of_the_disk, server)
        ends = [await asyncio.to_thread(_apart, name, server, every, jobs) for name in names]
    return not any(ends)


def _apart(name: str, server: str, every: int, jobs: int) -> int:
    """Report on one target in a process without threads, which may fork; return its exit status."""
    process = get_context("spawn").Process(target=report, args=(name, server, every, jobs))
    process.start()
    process.join()
    return process.exitcode or 0


if __name__ == "__main__":
    chosen = [part for part in os.environ.get("ONLY", "").split(",") if part] or list(TARGETS)
    known = {*TARGETS, *(path for target in TARGETS.values() for path in target.paths)}
    if unknown := set(chosen) - known:
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(TARGETS)} and their files")
    with tempfile.TemporaryDirectory(prefix="syncd-mutants-") as made:
        Path(made).chmod(0o711)  # the user that the server runs as passes through
        every, jobs = int(os.environ.get("EVERY", 1)), int(os.environ.get("JOBS", os.cpu_count() or 1))
        sys.exit(not asyncio.run(main(Path(made), chosen, every, jobs)))
