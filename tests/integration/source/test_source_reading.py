"""What every kind of source promises: whole results, one snapshot, no writing, flat memory."""

import gc
from datetime import UTC, datetime

import psutil
import pytest
from source_databases import Database, reading_threads, until

from syncd.errors import SourceError
from syncd.source import QueryRows, SourceRow, SourceSession, open_source


async def read(session: SourceSession, query: str) -> tuple[list[SourceRow], QueryRows]:
    result = session.read(query)
    return [row async for batch in result for row in batch], result


async def test_rows_come_cleaned_and_are_counted(source: Database) -> None:
    source.write("INSERT INTO calls VALUES (7, '2024-07-01 09:00'), (0, 'no customer'), (8, NULL), (9, 'soon')")
    async with open_source(source.settings()) as session:
        rows, result = await read(
            session,
            "SELECT customer AS Customer_ID, note AS schedule_at, note AS version, "
            "'+44 20 7946 0123' AS phone, 1 AS other FROM calls ORDER BY customer",
        )
    nine = datetime(2024, 7, 1, 8, tzinfo=UTC)
    assert rows == [
        SourceRow(7, nine, "2024-07-01 09:00", "079460123", None),
        SourceRow(8, None, None, "079460123", None),
        SourceRow(9, None, "soon", "079460123", "schedule_at is not a date-time"),
    ]
    assert result.columns == {"customer_id", "schedule_at", "version", "phone"}
    assert (result.rows, result.invalid, result.invalid_samples, result.complete) == (4, 1, ("0",), True)


@pytest.mark.parametrize(
    ("customer", "rising"),
    [
        ("n", True),
        ("CASE WHEN n IN (17, 5001) THEN 0 ELSE n END", True),
        ("CASE WHEN n = 18 THEN 17 ELSE n END", False),
        ("CASE WHEN n = 5001 THEN 5000 ELSE n END", False),
        ("CASE WHEN n = 5999 THEN 1 ELSE n END", False),
        ("6001 - n", False),
    ],
    ids=["each higher", "without those of nobody", "a double", "a double at two blocks", "a late one", "falling"],
)
async def test_it_is_known_whether_customers_came_in_rising_order(
    source: Database, customer: str, rising: bool
) -> None:
    async with open_source(source.settings()) as session:
        rows, result = await read(session, f"SELECT {customer} AS customer_id FROM {source.many.format(rows=6000)}")
    customers = [row.customer for row in rows]
    assert len(customers) + result.invalid == 6000
    assert result.rising == rising == (customers == sorted(set(customers)))


async def test_an_empty_result_is_whole_and_has_its_columns(source: Database) -> None:
    async with open_source(source.settings()) as session:
        rows, result = await read(session, "SELECT customer AS customer_id, note AS version FROM calls")
    assert rows == []
    assert (result.rows, result.complete, result.columns) == (0, True, {"customer_id", "version"})


async def test_colons_and_percent_signs_of_a_query_are_left_alone(source: Database) -> None:
    source.write("INSERT INTO calls VALUES (1, 'ax:yb'), (2, 'x%y'), (3, 'other')")
    query = "SELECT customer AS customer_id, ':z %s %(a)s %' AS version FROM calls WHERE note LIKE '%x:y%'"
    async with open_source(source.settings()) as session:
        rows, _ = await read(session, query)
    assert [(row.customer, row.version) for row in rows] == [(1, ":z %s %(a)s %")]


async def test_a_query_may_end_in_a_semicolon_or_a_comment(source: Database) -> None:
    async with open_source(source.settings()) as session:
        first, _ = await read(session, "-- who needs a call\nSELECT 1 AS customer_id;\n")
        second, _ = await read(session, "SELECT 2 AS customer_id -- all of them")
    assert [row.customer for row in first + second] == [1, 2]


async def test_all_reads_of_a_session_see_one_snapshot(source: Database) -> None:
    source.write("INSERT INTO calls VALUES (1, 'a'), (2, 'b')")
    query = "SELECT customer AS customer_id, note AS version FROM calls ORDER BY customer"
    async with open_source(source.settings()) as session:
        before, _ = await read(session, query)
        source.write("DELETE FROM calls WHERE customer = 1", "INSERT INTO calls VALUES (3, 'c')")
        after, _ = await read(session, query)
    async with open_source(source.settings()) as session:
        anew, _ = await read(session, query)
    assert [row.customer for row in before] == [1, 2]
    assert after == before
    assert [row.customer for row in anew] == [2, 3]


@pytest.mark.parametrize(
    "query",
    [
        "UPDATE calls SET note = 'written'",
        "DELETE FROM calls",
        "INSERT INTO calls VALUES (2, 'written') RETURNING customer AS customer_id",
        "CREATE TABLE written (customer_id int)",
        "DROP TABLE calls",
        "SELECT 1 AS customer_id; DELETE FROM calls",
    ],
)
async def test_a_query_that_writes_is_refused(source: Database, query: str) -> None:
    source.write("INSERT INTO calls VALUES (1, 'a')")
    with pytest.raises(SourceError, match="source crm: the query failed: "):
        async with open_source(source.settings()) as session:
            await read(session, query)
    assert source.write("SELECT customer, note FROM calls") == [(1, "a")]


async def test_a_large_result_streams_through_flat_memory(source: Database) -> None:
    numbers = source.many.format(rows=150_000)
    query = f"SELECT n AS customer_id, '{'v' * 180}' AS version, '2024-07-01T09:00:00Z' AS schedule_at FROM {numbers}"
    process = psutil.Process()
    async with open_source(source.settings(timeout=60)) as session:
        result = session.read(query)
        gc.collect()
        before = most = process.memory_info().rss
        async for batch in result:
            assert len(batch) <= 5000
            most = max(most, process.memory_info().rss)
    assert (result.rows, result.complete) == (150_000, True)
    # All rows at once take more than 60 MB.
    assert most - before < 25_000_000


async def test_nothing_stays_open_behind_a_session(source: Database) -> None:
    async with open_source(source.settings()) as session:
        await read(session, "SELECT 1 AS customer_id")
        assert reading_threads() == 1
        assert source.kind == "sqlite" or source.connections() == 1
    await until(lambda: reading_threads() == 0)
    await until(lambda: source.connections() == 0)


async def test_a_session_takes_one_result_at_a_time(source: Database) -> None:
    numbers = source.many.format(rows=20_000)
    async with open_source(source.settings()) as session:
        unfinished = session.read(f"SELECT n AS customer_id FROM {numbers}")
        await anext(unfinished)
        with pytest.raises(RuntimeError, match="not read to its end"):
            session.read("SELECT 1 AS customer_id")
        assert not unfinished.complete
    with pytest.raises(SourceError, match="closed before the query was read to its end"):
        await anext(unfinished)
    await until(lambda: reading_threads() == 0)
    await until(lambda: source.connections() == 0)


async def test_times_that_python_cannot_hold_are_problems_of_their_rows(postgresql: Database) -> None:
    query = (
        "SELECT 1 AS customer_id, 'infinity'::timestamptz AS schedule_at UNION ALL SELECT 2, '20000-01-01'::timestamptz"
    )
    async with open_source(postgresql.settings()) as session:
        rows, _ = await read(session, query)
    assert [(row.customer, row.call_at, row.problem) for row in rows] == [
        (1, None, "schedule_at is not a date-time"),
        (2, None, "schedule_at is not a date-time"),
    ]
