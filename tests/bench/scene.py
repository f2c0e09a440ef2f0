"""What the parts of the benchmark stand on: one PostgreSQL, and for each scene a source, a state and a tenant in it.

The tenant and every pass run in processes of their own, so that time and memory of one are not taken for another's.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.request import Request, urlopen

import psutil
import psycopg

from syncd.state.database import Database
from syncd.state.migrate import migrate


@dataclass(frozen=True, slots=True)
class Ran:
    """One pass in a process of its own."""

    seconds: float
    cpu: float
    """Seconds of the processor that syncd took."""
    postgres_cpu: float
    """Those that PostgreSQL took meanwhile."""
    peak_mb: int
    """syncd's own memory at its peak."""
    postgres_mb: int
    """That of all processes of PostgreSQL at their peak, what they share counted once."""
    steps: dict[str, float]
    """Seconds of each step of the pass."""
    sentence: str


@dataclass(frozen=True, slots=True)
class Bare:
    """What a bare client took."""

    seconds: float
    cpu: float


@dataclass(frozen=True, slots=True)
class Scene:
    """A source, a state and a tenant."""

    source: str
    state: str
    address: str

    def run_pass(self, *, observe: bool = True, **settings: object) -> Ran:
        """Run a pass to its end. ``settings`` are those of :mod:`tests.bench.one_pass`."""
        with PostgresWatch(self.state) as postgres:
            told = json.loads(finish(self.start_pass(observe=observe, **settings)))
        return Ran(**told, postgres_cpu=postgres.cpu, postgres_mb=postgres.peak_mb)

    def start_pass(self, *, observe: bool = True, **settings: object) -> "subprocess.Popen[str]":
        """Start a pass and return its process."""
        asked = {"address": self.address, "state": self.state, "source": self.source, "observe": observe, **settings}
        return start("tests.bench.one_pass", json.dumps(asked))

    def write(self, statement: str, *values: object) -> None:
        """Change the source."""
        with psycopg.connect(self.source, autocommit=True) as connection:
            connection.execute(statement, values)  # type: ignore[arg-type]

    def want(self, low: int, high: int) -> None:
        """Have these customers need a call."""
        self.write("INSERT INTO due SELECT n, NULL, 'v' || n %% 7 FROM generate_series(%s::bigint, %s) n", low, high)
        self.write("ANALYZE due")

    def drop(self, low: int, high: int) -> None:
        """Have these customers need none."""
        self.write("DELETE FROM due WHERE customer_id BETWEEN %s AND %s", low, high)

    def ask_state(self, query: str, *values: object) -> Any:
        """Return the first column of the first row of a query to the state."""
        with psycopg.connect(self.state, autocommit=True, options="-c search_path=syncd") as connection:
            row = connection.execute(query, values).fetchone()  # type: ignore[arg-type]
        return row[0] if row else None

    def steer(self, path: str, **body: object) -> Any:
        """Tell the tenant something, or ask it, over its control surface."""
        data = json.dumps(body).encode() if body else None
        with urlopen(Request(f"{self.address}/-/{path}", data=data, method="POST" if body else "GET")) as answer:  # noqa: S310
            return json.loads(answer.read())

    def bare(self, *what: object) -> "Bare":
        """Have a bare client do what :mod:`tests.bench.bare` says."""
        return Bare(**json.loads(finish(start("tests.bench.bare", self.address, *map(str, what)))))


@dataclass(frozen=True, slots=True)
class Filled:
    """A scene whose campaign was filled with all customers, and every add confirmed by a listing."""

    scene: Scene
    first: Ran
    """What the first fill took."""


class Bench:
    """One run of the benchmark; what it leaves open is closed with ``left_open``."""

    def __init__(self, server: str, customers: int) -> None:
        """Take the URL of the PostgreSQL, of its database syncd, and how many customers the large campaign has."""
        self.server, self.customers = server, customers
        self.left_open = ExitStack()
        self._filled: Filled | None = None

    def filled(self) -> Filled:
        """Return the large campaign, filled once for all parts that look at it."""
        if self._filled is None:
            scene = self.left_open.enter_context(self.scene("large", known=self.customers))
            self._filled = fill(scene, self.customers)
        return self._filled

    @contextmanager
    def scene(self, name: str, *, known: int) -> Iterator[Scene]:
        """Make a scene whose tenant knows the customers from 1 to ``known``; taken down at exit."""
        databases = [f"{name}_source", f"{name}_state"]
        source, state = (self.server.replace("/syncd?", f"/{database}?") for database in databases)
        with psycopg.connect(self.server, autocommit=True) as connection:
            for database in databases:
                connection.execute(f"CREATE DATABASE {database}")  # type: ignore[arg-type]
        with psycopg.connect(source, autocommit=True) as connection:
            connection.execute("CREATE TABLE due (customer_id bigint, schedule_at timestamptz, version text)")
            connection.execute("CREATE TABLE do_not_call (customer_id bigint)")
        migrate(Database(state, "syncd"))
        with running("tests.bench.tenant", str(known)) as tenant:
            assert tenant.stdout is not None
            yield Scene(source, state, tenant.stdout.readline().strip())
        with psycopg.connect(self.server, autocommit=True) as connection:
            for database in databases:
                connection.execute(f"DROP DATABASE {database} WITH (FORCE)")  # type: ignore[arg-type]


def fill(scene: Scene, customers: int) -> Filled:
    """Fill a scene's campaign."""
    scene.want(1, customers)
    first = scene.run_pass()
    scene.run_pass()
    return Filled(scene, first)


class PostgresWatch:
    """Looks at the processes of a PostgreSQL while the context lasts."""

    def __init__(self, url: str) -> None:
        self.cpu = 0.0
        """Seconds of the processor; known when the context has ended."""
        self.peak_mb = 0
        self._server, self._over = server_of(url), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> "PostgresWatch":
        self.cpu = -cpu(self._server)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        time.sleep(0.3)  # until the server knows of those that have just ended
        self.cpu += cpu(self._server)
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.5):
            used = 0
            for process in (self._server, *self._server.children()):
                try:
                    used += process.memory_full_info().pss
                except psutil.Error:
                    continue  # it has ended meanwhile
            self.peak_mb = max(self.peak_mb, used // 1_000_000)


def server_of(url: str) -> psutil.Process:
    """Return the first process of the PostgreSQL behind a URL."""
    with psycopg.connect(url) as connection:
        server = psutil.Process(connection.info.backend_pid).parent()
    assert server is not None
    return server


def cpu(process: psutil.Process) -> float:
    """Return the seconds of the processor that a process and its children took, ended or not."""
    try:
        times, children = process.cpu_times(), process.children()
    except psutil.NoSuchProcess:  # it has just ended, and what it took is its parent's
        return 0.0
    ended = times.children_user + times.children_system
    return float(times.user + times.system + ended + sum(cpu(child) for child in children))


def start(module: str, *arguments: str) -> "subprocess.Popen[str]":
    """Start a module as a process that answers on its standard output."""
    return subprocess.Popen([sys.executable, "-m", module, *arguments], stdout=subprocess.PIPE, text=True)


def finish(process: "subprocess.Popen[str]") -> str:
    """Wait for a process and return its last line. Raise SystemExit where it failed."""
    said, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args} failed with {process.returncode}")
    return said.splitlines()[-1]


@contextmanager
def running(module: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """Run a module as a process while the context lasts."""
    process = start(module, *arguments)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate()


def until(holds: Any, *, within: float, every: float = 0.02) -> float:
    """Wait until something holds; return the seconds that it took. Raise SystemExit where it takes longer."""
    began = time.monotonic()
    while not holds():
        if time.monotonic() - began > within:
            raise SystemExit(f"waited for {within} s in vain")
        time.sleep(every)
    return time.monotonic() - began
