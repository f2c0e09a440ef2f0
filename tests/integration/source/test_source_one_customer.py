"""One customer's rows are the same whether a query is read through for them or the database is asked for them alone."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from source_databases import Database, sqlite_database

from syncd.errors import SourceError
from syncd.source import SourceRow, open_source
from syncd.source.numbers import numbers_of

CUSTOMER = 7

SPELLINGS = (
    *("7", "007", "+7", "+007", " 7", "7 ", "\t7\n", "7.0", " +007.00 ", "\u00a07", "7\u2003", "\x1c7", "\u2028 7.0"),
    *("", " ", "x7", "7x", "77", "17", "7.5", "7.", "7e0", "7 7", "-7", "++7", "0", "0x7", "7,0", "\uff17", "\u0667"),
    *("7d444840-9dc0-11d1-b245-5ffdce74fad2", "a7", "07 0", "1", "9223372036854775807", "70", "700.0"),
)
"""Texts that are the customer, and texts that nearly are."""


async def compare(source: Database, query: str, customer: int = CUSTOMER) -> tuple[list[SourceRow], int]:
    """Return one customer's rows, which both ways have to find, and how many rows were read for them at the second."""
    async with open_source(source.settings()) as session:
        result = session.read(query)
        through = [row async for batch in result for row in batch if row.customer == customer]
        asked = session.read(query, only=customer)
        alone = [row async for batch in asked for row in batch]
    assert sorted(alone, key=repr) == sorted(through, key=repr)
    assert asked.complete
    assert asked.columns == result.columns
    return alone, asked.rows


def insert_texts(source: Database, *texts: str) -> None:
    """Fill the notes with texts; their customers are numbers from 1 on."""
    written = ", ".join(f"({number}, '{text}')" for number, text in enumerate(texts, 1))
    source.write(f"INSERT INTO calls VALUES {written}")


async def test_every_spelling_of_a_customer_is_found(source: Database) -> None:
    insert_texts(source, *SPELLINGS)
    rows, read = await compare(source, "SELECT note AS customer_id, customer AS version FROM calls")
    assert [SPELLINGS[int(row.version or 0) - 1] for row in rows] == list(SPELLINGS[:13])
    assert len(rows) < read < len(SPELLINGS)


@pytest.mark.parametrize("customer", [1, 7, 2**31, 2**53 + 1, 2**63 - 1])
async def test_numbers_of_every_size_are_found_and_nothing_else_is_read(source: Database, customer: int) -> None:
    source.write(f"INSERT INTO calls VALUES (2, 'other'), (-{customer}, 'minus'), ({customer}, 'here')")
    assert await compare(source, "SELECT customer AS customer_id, note AS version FROM calls", customer) == (
        [SourceRow(customer, None, "here", None, None)],
        1,
    )
    rows, read = await compare(source, "SELECT customer * 1.00 AS customer_id FROM calls WHERE customer > 0", customer)
    assert rows or customer > 2**53, "fractions of SQLite have no room for more"
    assert read <= 2


SHAPES = {
    "a semicolon": "SELECT customer AS customer_id, note AS version FROM calls;\n  \n",
    "a comment": "SELECT customer AS customer_id, note AS version FROM calls -- all; of them",
    "a comment before a semicolon": "SELECT customer AS customer_id /* id */, note AS version FROM calls /* all */ ;",
    "the name in capitals": "SELECT customer AS CUSTOMER_ID, note AS Version FROM calls",
    "a table's own columns": "SELECT c.*, c.customer AS customer_id, note AS version FROM calls c",
    "percent and colon": "SELECT customer AS customer_id, ':z %s %(a)s %' AS version FROM calls WHERE note LIKE '%o%'",
    "with": "WITH due AS (SELECT * FROM calls) SELECT customer AS customer_id, note AS version FROM due",
    "an order": "SELECT customer AS customer_id, note AS version FROM calls ORDER BY note DESC",
    "a limit that leaves the customer in": "SELECT customer AS customer_id FROM calls ORDER BY customer LIMIT 7",
    "a limit that leaves the customer out": "SELECT customer AS customer_id FROM calls ORDER BY customer LIMIT 6",
    "an offset": "SELECT customer AS customer_id FROM calls ORDER BY customer LIMIT 100 OFFSET 7",
    "places": "SELECT customer AS customer_id, row_number() OVER (ORDER BY note, customer) AS version FROM calls",
    "the last of each": (
        "SELECT customer AS customer_id, place AS version FROM ("
        "SELECT customer, row_number() OVER (PARTITION BY note ORDER BY customer) AS place FROM calls) p"
    ),
    "totals": "SELECT customer AS customer_id, sum(customer) OVER () AS version FROM calls",
    "groups": "SELECT customer % 9 AS customer_id, count(*) AS version, max(note) AS schedule_at FROM calls GROUP BY 1",
    "groups with a condition": "SELECT max(customer) AS customer_id FROM calls HAVING count(*) > 3",
    "two of a kind": "SELECT customer AS customer_id FROM calls UNION ALL SELECT 7 FROM calls WHERE customer < 3",
    "all of a kind": "SELECT DISTINCT customer % 9 AS customer_id, note AS phone FROM calls",
    "a join": "SELECT a.customer AS customer_id, b.note AS version FROM calls a JOIN calls b USING (customer)",
    "a condition of its own": "SELECT customer AS customer_id FROM calls WHERE customer = 7 OR note = 'note 8'",
    "nobody": "SELECT customer AS customer_id FROM calls WHERE 1 = 0",
}

NOBODY = {"an offset", "a limit that leaves the customer out", "groups with a condition", "nobody"}
"""Shapes that have no row of the customer."""


@pytest.mark.parametrize("shape", SHAPES)
async def test_a_query_of_any_shape_finds_the_customer_alone(source: Database, shape: str) -> None:
    insert_texts(source, *(f"note {number % 20}" for number in range(1, 41)))
    rows, read = await compare(source, SHAPES[shape])
    assert bool(rows) != (shape in NOBODY)
    assert read < 10, "the rest of it was left in the database"


async def test_what_cannot_be_asked_is_read_through(source: Database) -> None:
    insert_texts(source, *(f"note {number}" for number in range(1, 41)))
    last = {"sqlite": "-- ; -- once more", "postgresql": "; -- the end", "mariadb": "; -- the end"}[source.kind]
    rows, read = await compare(source, f"SELECT customer AS customer_id FROM calls {last}")
    assert ([row.customer for row in rows], read) in (([7], 40), ([7], 1))
    query = "SELECT 'nobody' AS customer_id, customer AS version FROM calls"
    assert await compare(source, query) == ([], 40 if source.kind != "postgresql" else 0)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("SELECT customer AS customer_id, 1 AS version, 2 AS version FROM calls", "more than one column version"),
        ("SELECT customer AS customer_id, 7 AS customer_id FROM calls", "more than one column customer_id"),
        ("SELECT customer FROM calls", "no column customer_id, only: customer; write"),
        ("SELECT customer AS customer_id FROM gone", "the query failed: .*gone.*; check the name of the table"),
        ("SELECT customer AS customer_id FROM calls WHERE", "the query failed: "),
        ("DELETE FROM calls", "the query failed: "),
        ("SELECT 7 AS customer_id) AS x; DELETE FROM calls; SELECT * FROM (SELECT 1 AS n", "the query failed: "),
    ],
)
async def test_what_is_wrong_with_a_query_is_told_as_ever(source: Database, query: str, sentence: str) -> None:
    source.write("INSERT INTO calls VALUES (7, 'a')")
    told = []
    for only in (None, CUSTOMER):
        async with open_source(source.settings()) as session:
            result = session.read(query, only=only)
            with pytest.raises(SourceError, match=sentence) as raised:
                await anext(result)
        told.append(str(raised.value))
    assert told[0] == told[1]
    assert source.write("SELECT customer FROM calls") == [(7,)]


async def test_a_session_goes_on_in_its_snapshot_after_a_query_that_could_not_be_asked(source: Database) -> None:
    source.write("INSERT INTO calls VALUES (7, 'a'), (8, 'b')")
    async with open_source(source.settings()) as session:
        found = []
        for query in (
            "SELECT customer AS customer_id, note AS version FROM calls; -- not a part of another query",
            "SELECT customer AS customer_id, note AS version FROM calls",
        ):
            result = session.read(query, only=CUSTOMER)
            found.append([(row.customer, row.version) async for batch in result for row in batch])
            source.write("UPDATE calls SET note = 'later'")
    assert found == [[(7, "a")], [(7, "a")]]


async def test_a_source_that_is_too_slow_is_given_up_for_one_customer_too(source: Database) -> None:
    async with open_source(source.settings(timeout=0.5)) as session:
        result = session.read(source.slow, only=CUSTOMER)
        with pytest.raises(SourceError, match=r"not read to its end within 0\.5 s"):
            await anext(result)


async def test_the_numbers_of_a_customer_are_each_told_once(source: Database) -> None:
    insert_texts(source, "020 7946 0958", "+44 20 7946 0123", "020 7946 0958", "other")
    query = "SELECT CASE WHEN customer < 4 THEN 7 ELSE 8 END AS customer_id, note AS phone FROM calls"
    assert await numbers_of(source.settings(), query, CUSTOMER) == ("+44 20 7946 0123", "020 7946 0958")


@pytest.mark.parametrize(
    ("column", "read"),
    [
        ("smallint", 1),
        ("integer", 1),
        ("numeric(20, 3)", 1),
        ("text", 3),
        ("char(12)", 3),
        ("real", 4),
        ("double precision", 4),
    ],
)
async def test_postgresql_is_asked_by_what_a_column_is(postgresql: Database, column: str, read: int) -> None:
    values = "(7), (70), (NULL), (8)" if read != 3 else "('7'), (' 07.0'), ('+7'), ('70')"
    query = f"SELECT CAST(x AS {column}) AS customer_id FROM (VALUES {values}) AS v (x)"
    rows, asked = await compare(postgresql, query)
    assert (len(rows), asked) == (3 if read == 3 else 1, read)


async def test_postgresql_takes_the_name_of_the_column_as_it_is_written(postgresql: Database) -> None:
    rows, read = await compare(postgresql, 'SELECT n AS "Customer_ID" FROM generate_series(1, 100) n')
    assert ([row.customer for row in rows], read) == ([7], 1)


async def test_postgresql_reads_through_what_cannot_be_told(postgresql: Database) -> None:
    for expression in ("('x' || n)::bytea", "n::text::bytea", "md5(n::text)::uuid", "n = 7", "('n' || n)::name"):
        _, read = await compare(postgresql, f"SELECT {expression} AS customer_id FROM generate_series(1, 100) n")
        assert read == 100, expression


async def test_a_row_of_somebody_else_that_fails_with_the_condition_alone_is_no_fault(postgresql: Database) -> None:
    postgresql.write(
        "CREATE TABLE mixed AS SELECT n, CASE WHEN n > 50 THEN 'x' END AS no FROM generate_series(1, 99) n"
    )
    try:
        query = "SELECT coalesce(no, n::text)::int AS customer_id FROM mixed WHERE n < 10"
        rows, _ = await compare(postgresql, query)
    finally:
        postgresql.write("DROP TABLE mixed")
    assert [row.customer for row in rows] == [7]


@pytest.mark.parametrize(
    ("column", "read"),
    [
        ("tinyint", 1),
        ("bigint unsigned", 1),
        ("int(9) zerofill", 1),
        ("decimal(20, 3)", 1),
        ("varbinary(20)", 2),
        ("varchar(20) CHARACTER SET utf16", 2),
        ("tinytext", 2),
        ("enum('7', '70', '8')", 2),
        ("float", 3),
        ("double", 3),
        ("year", 3),
    ],
)
async def test_mariadb_is_asked_by_what_a_column_is(mariadb: Database, column: str, read: int) -> None:
    mariadb.write(f"CREATE TABLE kinds (x {column})", "INSERT INTO kinds VALUES ('7'), ('70'), ('8')")
    try:
        rows, asked = await compare(mariadb, "SELECT x AS customer_id FROM kinds")
    finally:
        mariadb.write("DROP TABLE kinds")
    assert len(rows) == (0 if column == "year" else 1)
    assert asked in (1, read)


async def test_mariadb_numbers_rows_before_it_looks_for_the_customer(mariadb: Database) -> None:
    numbers = mariadb.many.format(rows=40)
    for query in (
        f"SELECT n AS customer_id, @place := @place + 1 AS version FROM (SELECT @place := 0) AS zero, {numbers}",
        f"SELECT n AS customer_id FROM {numbers} WHERE ROWNUM() < 7",
        f"SELECT n AS customer_id, ROWNUM() AS version FROM {numbers}",
    ):
        await compare(mariadb, query)


@pytest.mark.parametrize("encoding", ["UTF-8", "UTF-16le", "UTF-16be"])
async def test_a_column_of_sqlite_may_hold_anything(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "crm.db"
    values: list[object] = [*SPELLINGS, *(text.encode("latin-1", "replace") for text in SPELLINGS)]
    values += [7, 7.0, 7.5, 70, -7, None, 0, 2**53 * 1.0, float("inf"), b"\xff7", b"7\0"]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"PRAGMA encoding = '{encoding}'")
        connection.execute("CREATE TABLE loose (x, t TEXT, n NUMERIC)")
        connection.executemany("INSERT INTO loose VALUES (?1, ?1, ?1)", [(value,) for value in values])
    database = sqlite_database(path)
    for column in ("x", "t", "n"):
        rows, read = await compare(database, f"SELECT {column} AS customer_id, rowid AS version FROM loose")
        assert len(rows) > 20
        assert read < len(values)
    rows, _ = await compare(database, "SELECT x AS customer_id FROM loose", 2**53)
    assert len(rows) == 1


async def test_a_column_that_sqlite_would_rename_in_another_query_is_not_taken_for_it(sqlite: Database) -> None:
    sqlite.write("CREATE TABLE calls (customer, note)", "INSERT INTO calls VALUES (7, 'a'), (8, 'b')")
    query = "SELECT customer AS customer_id, calls.note AS version, note COLLATE nocase FROM calls"
    assert (await compare(sqlite, query))[1] == 2
    sqlite.write("ALTER TABLE calls RENAME COLUMN note TO version")
    rows, _ = await compare(sqlite, "SELECT customer AS customer_id, version COLLATE nocase FROM calls")
    assert [row.version for row in rows] == [None]


async def test_more_rows_than_one_customer_has_are_read_in_portions(sqlite: Database) -> None:
    sqlite.write(
        "CREATE TABLE calls (customer, note)",
        f"INSERT INTO calls SELECT CASE n WHEN 2000 THEN '7' ELSE 'nobody' END, n FROM {sqlite.many.format(rows=5000)}",
    )
    rows, read = await compare(sqlite, "SELECT customer AS customer_id, note AS version FROM calls")
    assert ([row.version for row in rows], read) == (["2000"], 5000)
