"""Additions: against a bare client that sends the same batches."""

from collections.abc import Iterator

from tests.bench.removals import expect
from tests.bench.scene import Bench
from tests.bench.table import Line, seconds

CUSTOMERS = 100_000
BATCH = 200


def run(bench: Bench) -> Iterator[Line]:
    """Add a hundred thousand customers."""
    with bench.scene("additions", known=2 * CUSTOMERS) as scene:
        scene.want(1, CUSTOMERS)
        ran = scene.run_pass()
        expect(ran.sentence, f"{CUSTOMERS:,} added")
        bare = scene.bare("add", CUSTOMERS + 1, 2 * CUSTOMERS, BATCH)
        yield Line(
            f"{CUSTOMERS:,} additions at 0 ms, {BATCH} a call",
            f"{seconds(ran.steps['apply'])}, {CUSTOMERS / ran.steps['apply']:,.0f} a second",
            f"a bare client {seconds(bare.seconds)}",
            ran.steps["apply"] / bare.seconds,
            "<= 1.5",
        )
