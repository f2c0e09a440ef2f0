"""``make bench``: what a pass over a large campaign costs, against the floor measured in the same run.

``N=100000 make bench`` takes another size. Times are of this machine and this run; ratios are what to compare.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

from syncd.state.database import Database
from syncd.state.embedded import embedded_postgres
from syncd.state.migrate import migrate

CUSTOMERS = int(os.environ.get("N", "1000000"))


def fill_source(url: str, customers: int) -> None:
    """Make a source in which so many customers need a call and a thousand others must not be called."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE due (customer_id bigint, schedule_at timestamptz, version text)")
        connection.execute("CREATE TABLE do_not_call (customer_id bigint)")
        connection.execute("INSERT INTO due SELECT n, NULL, 'v' || n %% 7 FROM generate_series(1, %s) n", [customers])
        connection.execute("INSERT INTO do_not_call SELECT %s + n FROM generate_series(1, 1000) n", [customers])
        connection.execute("ANALYZE")


class SourceWatch:
    """Adds up how long connections to the source are open, by looking every 20 ms."""

    def __init__(self, url: str) -> None:
        self._url, self._over, self.seconds = url, threading.Event(), 0.0
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "SourceWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        with psycopg.connect(self._url, autocommit=True) as connection:
            while not self._over.wait(0.02):
                row = connection.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE datname = 'source' AND pid <> pg_backend_pid()"
                ).fetchone()
                self.seconds += 0.02 if row and row[0] else 0


def floor(state: str, source: str, customers: int) -> dict[str, float]:
    """Return the seconds of the least that any program must do: fetch the rows, COPY both sides in, join them."""
    began = time.monotonic()
    with psycopg.connect(source) as connection, connection.cursor(name="floor") as cursor:
        cursor.itersize = 2000
        cursor.execute("SELECT customer_id, schedule_at, version FROM due")
        rows = sum(1 for _ in cursor)
    fetched = time.monotonic()
    with psycopg.connect(state, autocommit=True) as connection:
        connection.execute("SET jit TO off; SET work_mem TO '64MB'")
        for table in ("a", "b"):
            connection.execute(f"CREATE TEMPORARY TABLE {table} (customer bigint, at timestamptz, version text)")
            with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN") as copy:
                for low in range(1, rows + 1, 2000):
                    lines = (f"{n}\t\\N\tv{n % 7}" for n in range(low, min(low + 2000, rows + 1)))
                    copy.write("\n".join(lines) + "\n")
            connection.execute(f"ANALYZE {table}")
        copied = time.monotonic()
        for _ in range(2):  # the listing with the ledger, the source with the ledger
            connection.execute(
                "SELECT count(*) FROM a FULL JOIN b USING (customer)"
                " WHERE (a.at, a.version) IS DISTINCT FROM (b.at, b.version)"
            )
        joined = time.monotonic()
    return {
        "fetch": round(fetched - began, 2),
        "copy": round(copied - fetched, 2),
        "join": round(joined - copied, 2),
        "all": round(joined - began, 2),
    }


def measure(title: str, address: str, state: str, source: str, watch: str, how: str) -> dict[str, object]:
    with SourceWatch(watch) as opened:
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.one_pass", address, state, source, how],
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise SystemExit(f"{title}: {done.stderr[-2000:]}")
    result: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    print(f"{title}: {result['seconds']} s wall, {result['cpu']} s of syncd's processor, peak {result['peak_mb']} MB")
    print(f"    {result['sentence']}")
    print(f"    steps {result['steps']}; source open {opened.seconds:.1f} s")
    return result


def written(state: str) -> tuple[int, int]:
    """Return the rows of the ledger ever written, and the bytes of write-ahead log."""
    with psycopg.connect(state, autocommit=True, options="-c search_path=syncd") as connection:
        time.sleep(1.5)  # statistics of a backend that ended arrive within a second
        row = connection.execute(
            "SELECT coalesce(sum(n_tup_ins + n_tup_upd + n_tup_del), 0), pg_current_wal_lsn() - '0/0'::pg_lsn"
            " FROM pg_stat_user_tables WHERE relname LIKE 'ledger%'"
        ).fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


async def main(folder: Path) -> None:
    async with embedded_postgres(folder) as state:
        await asyncio.to_thread(bench, state)


def bench(state: str) -> None:
    with psycopg.connect(state, autocommit=True) as connection:
        connection.execute("CREATE DATABASE source")
    source = state.replace("/syncd?", "/source?")
    fill_source(source, CUSTOMERS)
    migrate(Database(state, "syncd"))
    tenant = subprocess.Popen(
        [sys.executable, "-m", "tests.bench.tenant", str(CUSTOMERS)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert tenant.stdout is not None
        address = tenant.stdout.readline().strip()
        print(f"{CUSTOMERS:,} customers")
        run = (address, state, source, state)
        measure("first fill", *run, "observe")
        measure("the pass after it, in which the listing confirms every add", *run, "observe")
        least = floor(state, source, CUSTOMERS)
        print(f"floor: {least}")
        before = written(state)
        noop = measure("no-op pass that observes", *run, "observe")
        rows, log = (now - then for now, then in zip(written(state), before, strict=True))
        print(f"    ledger rows written {rows:,}, write-ahead log {log / 1e6:.1f} MB")
        quiet = measure("no-op pass that does not observe", *run, "leave")
        steps = noop["steps"]
        assert isinstance(steps, dict)
        wire = float(steps["observe"])
        print(f"no-op pass / floor: {float(str(noop['seconds'])) / least['all']:.2f} with the wire (observe {wire} s)")
        print(f"without observe / floor: {float(str(quiet['seconds'])) / least['all']:.2f}")
    finally:
        tenant.terminate()
        tenant.wait()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="syncd-bench-") as made:
        Path(made).chmod(0o711)  # the user that the server runs as passes through
        asyncio.run(main(Path(made)))
