"""``make bench``: what syncd costs, each part against what the same run measures beside it, as a table in Markdown.

``make bench N=100000`` takes another size of the large campaign, ``make bench ONLY=removals,storm`` some parts. Times
are of this machine and this run; ratios are what to compare.
"""

import asyncio
import logging
import os
import platform
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import structlog

from syncd.state.embedded import embedded_postgres
from tests.bench import additions, fairness, idle, others, passes, removals, reports, storm, suppression, upkeep
from tests.bench.scene import Bench
from tests.bench.table import Line, table

PARTS: dict[str, Callable[[Bench], Iterator[Line]]] = {
    "passes": passes.run,
    "removals": removals.run,
    "additions": additions.run,
    "storm": storm.run,
    "upkeep": upkeep.run,
    "others": others.run,
    "idle": idle.run,
    "fairness": fairness.run,
    "reports": reports.run,
    "suppression": suppression.run,
}

CUSTOMERS = 1_000_000


async def main(folder: Path, customers: int, parts: list[str]) -> None:
    """Run the parts one after another, and print each line when it is known and the table at the end."""
    async with embedded_postgres(folder) as server:
        lines = await asyncio.to_thread(_measure, Bench(server, customers), parts)
    print(f"\n{_machine()}\n\n{table(lines)}")


def _measure(bench: Bench, parts: list[str]) -> list[Line]:
    lines = []
    with bench.left_open:
        for part in parts:
            for line in PARTS[part](bench):
                print(f"{part}: {'; '.join(cell for cell in line.cells() if cell)}", flush=True)
                lines.append(line)
    return lines


def _machine() -> str:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    return (
        f"Measured on {datetime.now(UTC):%d %B %Y} on {platform.machine()} with {os.cpu_count()} cores"
        f" (load at the end {load}), Python {platform.python_version()}."
    )


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    chosen = [part for part in os.environ.get("ONLY", "").split(",") if part] or list(PARTS)
    if unknown := set(chosen) - set(PARTS):
        raise SystemExit(f"no such part: {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as made:
        Path(made).chmod(0o711)  # the user that the server runs as passes through
        asyncio.run(main(Path(made), int(os.environ.get("N", CUSTOMERS)), chosen))
