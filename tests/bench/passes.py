"""Whole passes over a large campaign: the first fill, and passes in which nothing changed, against the floor."""

from collections.abc import Iterator

from tests.bench import floor
from tests.bench.scene import Bench, Filled, Ran, Scene, fill
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
    reading, listing = floor.reading(scene.state, scene.source), floor.listing(scene.state, customers)
    fetching = scene.bare("list", customers)
    rows, log = rows_written(scene), log_written(scene)
    observing = scene.run_pass()
    rows, log = rows_written(scene) - rows, log_written(scene) - log
    quiet = scene.run_pass(observe=False)
    least, least_cpu = reading.seconds + listing.seconds, reading.cpu + listing.cpu
    yield Line(f"floor of reading {customers:,}", seconds(reading.seconds), str(reading))
    yield Line(f"floor of a listing of {customers:,}", seconds(listing.seconds), str(listing))
    yield Line("the listing fetched by a bare client", seconds(fetching.seconds), "8 pages at a time, thrown away")
    yield Line(
        f"no-op pass over {customers:,}",
        f"{seconds(observing.seconds)}, {seconds(observing.steps['observe'])} of it observing",
        f"floors and bare listing {seconds(least + fetching.seconds)}",
        observing.seconds / (least + fetching.seconds),
        "<= 2",
    )
    yield _processor(
        observing, f"floors {seconds(least_cpu)}, bare listing {seconds(fetching.cpu)}", least_cpu + fetching.cpu
    )
    yield Line(
        "no-op pass that does not observe",
        seconds(quiet.seconds),
        f"floor of reading {seconds(reading.seconds)}",
        quiet.seconds / reading.seconds,
        "<= 2",
    )
    yield _processor(quiet, f"floor of reading {seconds(reading.cpu)}", reading.cpu)
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


def _processor(ran: Ran, against: str, least: float) -> Line:
    return Line(
        "the same in seconds of the processor, which other work disturbs less",
        f"syncd {seconds(ran.cpu)}, PostgreSQL {seconds(ran.postgres_cpu)}",
        against,
        (ran.cpu + ran.postgres_cpu) / least,
        "<= 2",
    )


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
