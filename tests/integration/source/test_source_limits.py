"""What a source promises when it is slow, hangs, dies, is locked or is not there: an error within its limits."""

import asyncio
import socket
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from traceback import format_exception

import pytest
from source_databases import PASSWORD, Database, Server, reading_threads, until

from syncd.errors import SourceError
from syncd.source import open_source

WRONG_PASSWORD = "hunter2:@/"
PHONE = "+44 7700 900123"


async def read(database: Database, query: str, *, timeout: float = 20.0, password: str = PASSWORD) -> int:
    """Read one query in a session of its own and return its count of rows."""
    async with open_source(database.settings(timeout=timeout, password=password)) as session:
        result = session.read(query)
        async for _ in result:
            pass
    return result.rows


async def all_is_quiet(database: Database) -> None:
    """Wait until nothing is left of syncd, neither a thread here nor a query there."""
    await until(lambda: reading_threads() == 0)
    await until(lambda: database.connections() == 0)


class Stopwatch:
    def __enter__(self) -> "Stopwatch":
        self._began = time.monotonic()
        return self

    def __exit__(self, *_: object) -> None:
        self.seconds = time.monotonic() - self._began


async def test_a_query_that_is_too_slow_is_given_up_and_stopped(source: Database) -> None:
    with Stopwatch() as watch, pytest.raises(SourceError, match="not read to its end within 1 s; make the query"):
        await read(source, source.slow, timeout=1)
    assert 0.9 < watch.seconds < 20, "the query takes 30"
    await all_is_quiet(source)


async def test_the_time_that_the_reader_takes_counts_too(source: Database) -> None:
    numbers = source.many.format(rows=100_000)
    async with open_source(source.settings(timeout=1)) as session:
        result = session.read(f"SELECT n AS customer_id FROM {numbers}")
        await anext(result)
        await asyncio.sleep(1.1)  # The reader's own work; the limit is in real time.
        for _ in range(2):
            with pytest.raises(SourceError, match="not read to its end within 1 s"):
                await anext(result)
    assert not result.complete
    await all_is_quiet(source)


async def test_cancelling_a_read_ends_it_at_once_here_and_in_the_database(source: Database) -> None:
    reading = asyncio.create_task(read(source, source.slow))
    await until(source.slowly_reading)
    with Stopwatch() as watch:
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
    assert watch.seconds < 15, "the query takes 30"
    await all_is_quiet(source)


async def test_a_server_that_dies_in_the_middle_is_an_error_and_no_short_result(
    doomed: tuple[Database, Server],
) -> None:
    database, server = doomed
    numbers = database.many.format(rows=1_000_000)
    async with open_source(database.settings()) as session:
        result = session.read(f"SELECT n AS customer_id, '{'v' * 100}' AS version FROM {numbers}")
        await anext(result)
        server.kill()
        with pytest.raises(SourceError, match="the query failed: "):
            async for _ in result:
                pass
        with pytest.raises(SourceError, match="the query failed: "):
            await anext(result)
    assert not result.complete
    assert 0 < result.rows < 1_000_000
    await until(lambda: reading_threads() == 0)


async def test_a_server_that_hangs_in_the_middle_is_left_within_the_limits(doomed: tuple[Database, Server]) -> None:
    database, server = doomed
    numbers = database.many.format(rows=1_000_000)
    with Stopwatch() as watch:
        async with open_source(database.settings(timeout=2)) as session:
            result = session.read(f"SELECT n AS customer_id FROM {numbers}")
            await anext(result)
            server.hang()
            with pytest.raises(SourceError, match="not read to its end within 2 s"):
                async for _ in result:
                    pass
    assert watch.seconds < 30
    await until(lambda: reading_threads() == 0)


@pytest.mark.parametrize("dialect", ["postgresql", "mysql"])
async def test_a_server_that_takes_the_call_but_never_speaks_is_left_soon(postgresql: Database, dialect: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        database = replace(postgresql, url=f"{dialect}://reader@127.0.0.1:{silent.getsockname()[1]}/crm")
        with Stopwatch() as watch, pytest.raises(SourceError, match="no connection"):
            await read(database, "SELECT 1 AS customer_id", timeout=1)
    assert watch.seconds < 20


async def test_a_locked_file_is_an_error_with_advice(sqlite: Database, tmp_path: Path) -> None:
    path = tmp_path / "locked.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as writer:
        writer.execute("CREATE TABLE calls (customer)")
        writer.execute("BEGIN EXCLUSIVE")
        with pytest.raises(SourceError, match="the query failed: database is locked; another program is writing"):
            await read(replace(sqlite, url=f"sqlite:///{path}"), "SELECT customer AS customer_id FROM calls", timeout=1)
        writer.execute("ROLLBACK")
        assert await read(replace(sqlite, url=f"sqlite:///{path}"), "SELECT 1 AS customer_id") == 1


async def test_a_missing_file_is_an_error_and_is_not_made(sqlite: Database, tmp_path: Path) -> None:
    path = tmp_path / "nowhere.db"
    with pytest.raises(SourceError, match=r"there is no file .*nowhere\.db; check the path"):
        await read(replace(sqlite, url=f"sqlite:///{path}"), "SELECT 1 AS customer_id")
    assert not path.exists()


@pytest.mark.parametrize("kind", ["postgresql", "mariadb"])
async def test_a_wrong_password_is_an_error_that_does_not_tell_it(kind: str, request: pytest.FixtureRequest) -> None:
    database: Database = request.getfixturevalue(kind)
    with pytest.raises(SourceError, match="check the user in the url and the password of the source") as refused:
        await read(database, "SELECT 1 AS customer_id", password=WRONG_PASSWORD)
    assert "hunter2" not in "".join(format_exception(refused.value))


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT customer AS customer_id FROM nowhere", "nowhere.*; check the name of the table"),
        ("SELECT missing_column AS customer_id FROM calls", "missing_column.*; check the column's name"),
        ("SELECT customer, note FROM calls", "no column customer_id, only: customer, note; write SELECT <your column>"),
        ("SELECT 1 AS customer_id, 2 AS Customer_ID", "more than one column customer_id"),
    ],
)
async def test_a_query_that_cannot_work_is_an_error_with_advice(source: Database, query: str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence) as refused:
        await read(source, query)
    assert "\n" not in refused.value.sentence()
    await all_is_quiet(source)


async def test_a_phone_number_that_an_error_quotes_is_hidden(postgresql: Database) -> None:
    with pytest.raises(SourceError, match=r'invalid input syntax for type bigint: "\+## #### ######"') as refused:
        await read(postgresql, f"SELECT phone::bigint AS customer_id FROM (VALUES ('{PHONE}')) AS t(phone)")
    assert "900123" not in "".join(format_exception(refused.value))
