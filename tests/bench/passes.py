"""Whole passes over a large campaign: the first fill, and passes in which nothing changed, against the floor."""

from collections.abc import Iterator

from tests.bench import floor
from tests.bench.scene import Bench, Filled, Scene, fill
from tests.bench.table import Line, seconds, size

SMALLER = 100_000


def run(bench: Bench) -> Iterator[Line]:
    """Measure at 100,000 customers and at as many as are wanted."""
    if bench.customers > SMALLER:
        with bench.scene("smaller", known=SMALLER) as scene:
            yield from _first_fill(fill(scene, SMALLER), SMALLER)
            yield from nothing_changed(scene, SMALLER)
    filled = bench.filled()
    yield from _first_fill(filled, bench.customers)
    yield from nothing_changed(filled.scene, bench.customers)


def _first_fill(filled: Filled, customers: int) -> Iterator[Line]:
    first = filled.first
    yield Line(
        f"first fill of {customers:,}",
        f"{seconds(first.seconds)}, {seconds(first.steps['apply'])} of it adding",
        f"{seconds(first.cpu)} of syncd's processor",
    )
    yield Line("memory of syncd in it", f"{first.peak_mb} MB", goal="< 300 MB")
    yield Line("memory of PostgreSQL in it", f"{first.postgres_mb} MB")


def nothing_changed(scene: Scene, customers: int) -> Iterator[Line]:
    """Run passes that have nothing to do."""
    least = floor.measure(scene.state, scene.source)
    fetching = scene.bare("list", customers)
    rows, log = rows_written(scene), log_written(scene)
    observing = scene.run_pass()
    rows, log = rows_written(scene) - rows, log_written(scene) - log
    quiet = scene.run_pass(observe=False)
    parts = ", ".join(f"{name} {seconds(took)}" for name, took in least.parts.items())
    yield Line(f"floor at {customers:,}", seconds(least.observing), parts)
    yield Line("the listing fetched by a bare client", seconds(fetching.seconds), "8 pages at a time, thrown away")
    yield Line(
        f"no-op pass over {customers:,}",
        f"{seconds(observing.seconds)}, {seconds(observing.steps['observe'])} of it observing",
        f"floor and bare listing {seconds(least.observing + fetching.seconds)}",
        observing.seconds / (least.observing + fetching.seconds),
        "<= 2",
    )
    spent = observing.cpu + observing.postgres_cpu
    yield Line(
        "the same in seconds of the processor",
        f"syncd {seconds(observing.cpu)}, PostgreSQL {seconds(observing.postgres_cpu)}",
        f"floor {seconds(least.cpu)}, bare listing {seconds(fetching.cpu)}",
        spent / (least.cpu + fetching.cpu),
        "<= 2",
    )
    yield Line(
        "no-op pass that does not observe",
        f"{seconds(quiet.seconds)}, {seconds(quiet.cpu)} of syncd's processor",
        f"floor without the listing {seconds(least.reading)}",
        quiet.seconds / least.reading,
        "<= 2",
    )
    yield Line(
        "it against the one that observes, the wire not counted",
        seconds(quiet.seconds),
        f"{seconds(observing.seconds)} less {seconds(fetching.seconds)}",
        quiet.seconds / (observing.seconds - fetching.seconds),
        "< 0.5",
    )
    yield Line("ledger rows written by a no-op pass", f"{rows:,}", goal="0")
    yield Line("write-ahead log of it", size(log))
    yield Line("memory of syncd in it", f"{observing.peak_mb} MB", goal="< 300 MB")
    yield Line("memory of PostgreSQL in it", f"{observing.postgres_mb} MB")


def rows_written(scene: Scene) -> int:
    """Return how many rows of the ledger were ever written. A backend that has ended has told its statistics."""
    return int(
        scene.ask_state(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0) FROM pg_stat_user_tables"
            " WHERE relname LIKE 'ledger%%'"
        )
    )


def log_written(scene: Scene) -> int:
    """Return the bytes of write-ahead log."""
    return int(scene.ask_state("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn"))
