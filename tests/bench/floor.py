"""The floor: the least that any program must do that compares a source and a listing with what it keeps of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.bench.scene import PostgresWatch
from tests.bench.table import seconds

ROWS = 2000

JOIN = """
SELECT count(*) FROM side s FULL JOIN (SELECT * FROM syncd.ledger WHERE campaign = 1) l USING (customer)
WHERE (s.at, s.version) IS DISTINCT FROM (l.wanted_at, l.version)
"""


@dataclass(slots=True)
class Floor:
    """Seconds of the least that reading, or taking in the listing, can take."""

    parts: dict[str, float] = field(default_factory=dict)
    cpu: float = 0.0
    """Seconds of the processor, PostgreSQL's included."""

    @property
    def seconds(self) -> float:
        return sum(self.parts.values())

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.parts[name] = time.monotonic() - began

    def __str__(self) -> str:
        return ", ".join(f"{name} {seconds(took)}" for name, took in self.parts.items())


def reading(state: str, source: str) -> Floor:
    """Fetch the source's rows, copy them in, join them with a filled ledger."""
    with _measured(state) as floor:
        with floor.part("fetched"), psycopg.connect(source) as connection, connection.cursor(name="floor") as cursor:
            cursor.itersize = ROWS
            cursor.execute("SELECT customer_id, schedule_at, version FROM due")
            rows = sum(1 for _ in cursor)
        _take_in(floor, state, rows)
    return floor


def listing(state: str, records: int) -> Floor:
    """Copy as many records in, and join them with a filled ledger."""
    with _measured(state) as floor:
        _take_in(floor, state, records)
    return floor


@contextmanager
def _measured(state: str) -> Iterator[Floor]:
    floor, spent = Floor(), time.process_time()
    with PostgresWatch(state) as postgres:
        yield floor
    floor.cpu = time.process_time() - spent + postgres.cpu


def _take_in(floor: Floor, state: str, rows: int) -> None:
    with psycopg.connect(state, autocommit=True) as connection:
        connection.execute("SET jit TO off; SET work_mem TO '64MB'")
        connection.execute("CREATE TEMPORARY TABLE side (customer bigint, at timestamptz, version text)")
        with floor.part("copied"):
            with connection.cursor() as cursor, cursor.copy("COPY side FROM STDIN") as copy:
                for low in range(1, rows + 1, ROWS):
                    lines = (f"{n}\t\\N\tv{n % 7}" for n in range(low, min(low + ROWS, rows + 1)))
                    copy.write("\n".join(lines) + "\n")
            connection.execute("ANALYZE side")
        with floor.part("joined"):
            connection.execute(JOIN)
