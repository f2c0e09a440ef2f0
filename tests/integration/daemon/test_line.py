"""The line to the state: one connection that outlives failures."""

import asyncio
from collections.abc import AsyncIterator

import psycopg
import pytest

from syncd.errors import StateUnavailable
from syncd.state import line as module
from syncd.state.database import Connection, Database
from syncd.state.line import Line


@pytest.fixture
async def line(database: str) -> AsyncIterator[Line]:
    line = Line(Database(database, "syncd"))
    yield line
    await line.close()


async def pid(connection: Connection) -> int:
    row = await (await connection.execute("SELECT pg_backend_pid()")).fetchone()
    assert row is not None
    return int(str(row[0]))


async def asked(line: Line) -> int:
    async with line.use() as connection:
        return await pid(connection)


async def test_one_connection_serves_all_who_ask_one_after_another(line: Line) -> None:
    assert len({await asked(line), *await asyncio.gather(*[asked(line) for _ in range(5)])}) == 1


async def test_a_connection_that_was_ended_is_told_once_and_opened_anew(line: Line, database: str) -> None:
    first = await asked(line)
    with psycopg.connect(database, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [first])
    with pytest.raises(StateUnavailable):
        await asked(line)
    assert await asked(line) != first


async def test_whoever_fails_leaves_no_half_done_connection_to_the_next(line: Line) -> None:
    async def fail() -> None:
        async with line.use() as connection:
            await connection.execute("BEGIN")
            raise ZeroDivisionError

    first = await asked(line)
    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await asked(line) != first


async def test_a_state_that_says_nothing_is_out_of_reach_when_the_time_is_over(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await asked(line)
    monkeypatch.setattr(module, "SECONDS", 0.3)
    with pytest.raises(StateUnavailable, match=r"no answer within 0\.3 s"):
        async with line.use() as connection:
            await connection.execute("SELECT pg_sleep(30)")
    monkeypatch.undo()
    assert await asked(line) != first


async def test_whoever_is_cancelled_leaves_the_line_to_the_others(line: Line) -> None:
    async def ask_for_long() -> None:
        async with line.use() as connection:
            asking.set()
            await connection.execute("SELECT pg_sleep(30)")

    asking = asyncio.Event()
    one = asyncio.create_task(ask_for_long())
    await asking.wait()
    one.cancel()
    assert await asked(line)


async def test_a_line_that_was_closed_has_no_connection_and_opens_one_when_it_is_used(
    line: Line, database: str
) -> None:
    await asked(line)
    await line.close()
    with psycopg.connect(database, autocommit=True) as other:
        query = (
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        async with asyncio.timeout(60):
            while other.execute(query).fetchone() != (0,):  # noqa: ASYNC110 - the server's end of it
                await asyncio.sleep(0.01)
    assert await asked(line)
