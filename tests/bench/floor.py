"""The floor: the least that any program must do that compares a source and a listing with what it keeps of them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

from tests.bench.scene import PostgresWatch

ROWS = 2000

JOIN = """
SELECT count(*) FROM {} s FULL JOIN (SELECT * FROM syncd.ledger WHERE campaign = 1) l USING (customer)
WHERE (s.at, s.version) IS DISTINCT FROM (l.wanted_at, l.version)
"""


@dataclass(slots=True)
class Floor:
    """Seconds of each part."""

    parts: dict[str, float] = field(default_factory=dict)
    cpu: float = 0.0
    """Of the processor, PostgreSQL's included, for all parts."""

    @property
    def observing(self) -> float:
        """The rows fetched, both sides copied in, each joined with the ledger."""
        return sum(self.parts.values())

    @property
    def reading(self) -> float:
        """The same without the listing."""
        return sum(seconds for part, seconds in self.parts.items() if not part.startswith("listing"))

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        self.parts[name] = time.monotonic() - began


def measure(state: str, source: str) -> Floor:
    """Measure it on a source and a filled ledger."""
    floor, spent = Floor(), time.process_time()
    with PostgresWatch(state) as postgres:
        _carry_out(floor, state, source)
    floor.cpu = time.process_time() - spent + postgres.cpu
    return floor


def _carry_out(floor: Floor, state: str, source: str) -> None:
    with floor.part("source fetched"), psycopg.connect(source) as connection, connection.cursor(name="floor") as cursor:
        cursor.itersize = ROWS
        cursor.execute("SELECT customer_id, schedule_at, version FROM due")
        rows = sum(1 for _ in cursor)
    with psycopg.connect(state, autocommit=True) as connection:
        connection.execute("SET jit TO off; SET work_mem TO '64MB'")
        for side in ("source", "listing"):
            connection.execute(f"CREATE TEMPORARY TABLE {side} (customer bigint, at timestamptz, version text)")
            with floor.part(f"{side} copied"):
                with connection.cursor() as cursor, cursor.copy(f"COPY {side} FROM STDIN") as copy:
                    for low in range(1, rows + 1, ROWS):
                        lines = (f"{n}\t\\N\tv{n % 7}" for n in range(low, min(low + ROWS, rows + 1)))
                        copy.write("\n".join(lines) + "\n")
                connection.execute(f"ANALYZE {side}")
            with floor.part(f"{side} joined"):
                connection.execute(JOIN.format(side))
