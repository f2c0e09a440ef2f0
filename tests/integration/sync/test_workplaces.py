"""Workplaces: what one pass leaves the next is a connection, and nothing else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from syncd.errors import StateUnavailable
from syncd.source import SourceRows
from syncd.state import staging, workplace
from syncd.state.database import Connection, Database
from syncd.state.workplace import Workplaces

FILLED = " UNION ALL ".join(f"SELECT '{name}' FROM {name}" for name in staging.NAMES)
TEMPORARY = "SELECT relname FROM pg_class WHERE relpersistence = 't' AND relkind = 'r' AND pg_table_is_visible(oid)"


@asynccontextmanager
async def workplaces(url: str, keep: int = 2) -> AsyncIterator[Workplaces]:
    places = Workplaces(Database(url, "syncd"), keep=keep)
    try:
        yield places
    finally:
        await places.close()


async def backend(connection: Connection) -> object:
    return (await (await connection.execute("SELECT pg_backend_pid()")).fetchone() or (None,))[0]


async def who_works(places: Workplaces) -> object:
    async with places.one() as connection:
        return await backend(connection)


def connections(url: str) -> int:
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(row[0]) if row else 0


async def falls_to(url: str, number: int) -> None:
    """Wait until so many connections are left: a server takes a moment to end one."""
    for _ in range(2000):
        if connections(url) == number:
            return
        await asyncio.sleep(0.01)
    assert connections(url) == number


async def test_the_next_pass_finds_the_connection_of_the_last_with_its_tables_empty_and_no_lock(database: str) -> None:
    async with workplaces(database) as places:
        async with places.one() as connection:
            first = await backend(connection)
            await staging.stage_desired(connection, SourceRows([7], [None], [None], ["441234567890"], [None]))
            await connection.execute("INSERT INTO suppressed VALUES (7)")
            await connection.execute("INSERT INTO stray VALUES (7)")
            await connection.execute("SELECT pg_advisory_lock(1)")
        async with places.one() as connection:
            assert await backend(connection) == first
            assert await (await connection.execute(FILLED)).fetchall() == []  # type: ignore[arg-type]
            held = await connection.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
            assert await held.fetchone() == (0,)


async def test_every_temporary_table_is_among_those_that_are_emptied(database: str) -> None:
    async with workplaces(database) as places, places.one() as connection:
        made = {name for (name,) in await (await connection.execute(TEMPORARY)).fetchall()}
    assert made == set(staging.NAMES)


async def test_passes_that_run_at_once_have_connections_of_their_own_and_as_many_as_are_allowed_wait(
    database: str,
) -> None:
    async with workplaces(database) as places:
        async with places.one() as one, places.one() as two, places.one() as three:
            assert len({await backend(one), await backend(two), await backend(three)}) == 3
        await falls_to(database, 2)
    await falls_to(database, 0)


async def test_no_more_than_are_allowed_wait_also_where_many_leave_at_once(database: str) -> None:
    async with workplaces(database) as places:
        together = asyncio.Barrier(6)

        async def work() -> None:
            async with places.one():
                await together.wait()

        await asyncio.gather(*(work() for _ in range(6)))
        await falls_to(database, 2)


async def test_none_waits_where_none_was_asked_to(database: str) -> None:
    async with workplaces(database, keep=0) as places:
        await who_works(places)
        await falls_to(database, 0)


async def test_a_connection_that_the_server_ended_meanwhile_is_no_trouble_to_the_next_pass(database: str) -> None:
    async with workplaces(database) as places:
        first = await who_works(places)
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("SELECT pg_terminate_backend(%s, 20000)", [first])
        assert await who_works(places) != first


async def test_only_a_connection_that_is_in_no_transaction_is_kept(database: str) -> None:
    async with workplaces(database) as places:
        first = await who_works(places)
        with pytest.raises(StateUnavailable, match="division by zero"):
            async with places.one() as connection, connection.transaction():
                await connection.execute("SELECT 1 / 0")
        assert await who_works(places) == first, "the transaction was rolled back: it is as good as new"
        async with places.one() as connection:
            await connection.execute("BEGIN")
        assert await who_works(places) != first


async def test_a_pass_that_is_cancelled_in_mid_statement_leaves_nothing_behind(database: str) -> None:
    async with workplaces(database) as places:

        async def wait() -> None:
            async with places.one() as connection:
                await connection.execute("INSERT INTO stray SELECT 7 FROM pg_sleep(60)")

        task = asyncio.create_task(wait())
        await falls_to(database, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with places.one() as connection:
            assert await (await connection.execute(FILLED)).fetchall() == []  # type: ignore[arg-type]
            await falls_to(database, 1)


async def test_a_connection_is_closed_when_it_has_waited_too_long(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workplaces(database) as places:
        first = await who_works(places)
        monkeypatch.setattr(workplace, "IDLE_SECONDS", 0.0)
        assert await who_works(places) != first


async def test_a_connection_that_no_pass_needs_any_more_does_not_wait_below_the_one_that_all_use(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workplace, "IDLE_SECONDS", 0.3)
    async with workplaces(database) as places:
        async with places.one(), places.one():
            pass
        async with asyncio.timeout(20):
            while connections(database) > 1:
                await who_works(places)


async def test_a_connection_is_closed_when_it_has_been_used_for_too_long(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workplaces(database) as places:
        first = await who_works(places)
        monkeypatch.setattr(workplace, "LIFE_SECONDS", 0.0)
        assert await who_works(places) == first
        await falls_to(database, 0)
