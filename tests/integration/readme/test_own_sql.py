"""What the README says of people's own SQL, held to the state: its queries are run, its columns are looked up."""

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from syncd.state.database import Database
from syncd.state.migrate import migrate

README = (Path(__file__).parents[3] / "README.md").read_text()
SECTION = README.split("### Your own SQL\n")[1].split("\n## ")[0].split("\n### ")[0]
QUERIES = re.findall(r"```sql\n(.*?)```", SECTION, re.DOTALL)
TABLES = {
    table: set(re.findall(r"`(\w+)`", columns))
    for table, columns in re.findall(r"^\| `(\w+)` \|[^|]*\|([^|]*)\|$", SECTION, re.MULTILINE)
}

CALLS = """
CREATE TABLE change_all PARTITION OF change DEFAULT;
CREATE TABLE sighting_all PARTITION OF sighting DEFAULT;
INSERT INTO campaign (account, vendor_id, name) VALUES ('acmecorp01', 125, 'renewals');
INSERT INTO disposition VALUES ('acmecorp01', 2001, 'Promise to pay');
INSERT INTO sighting (seen_at, campaign, customer, status, status_code, disposition, was_status) VALUES
    (now() - interval '2 hours', 1, 7, 3, 0, 1001, 1), (now() - interval '1 hour', 1, 7, 3, 0, 2001, 1),
    (now() - interval '1 hour', 1, 8, 3, 1, 1000, 1), (now() - interval '1 hour', 1, 9, 3, 3, NULL, NULL)
"""


@pytest.fixture
def state(database: str) -> Iterator[psycopg.Connection]:
    """A state in which customer 7 was called twice, and 8 and 9 were never reached."""
    migrate(Database(database, "syncd"))
    with psycopg.connect(database) as connection:
        connection.execute("SET search_path TO syncd")
        connection.execute(CALLS)
        connection.execute("SET search_path TO public")
        yield connection


def test_the_queries_answer_what_they_are_said_to(state: psycopg.Connection) -> None:
    conversion, attempts, never_reached = (state.execute(query.encode()).fetchall() for query in QUERIES)
    assert [sum(column) for column in zip(*(row[2:4] for row in conversion), strict=True)] == [4, 1]
    assert {type(row[0]) for row in conversion} == {date}
    assert [row[:3] for row in attempts] == [("renewals", 7, 2), ("renewals", 8, 1), ("renewals", 9, 1)]
    assert never_reached == [("renewals", 8, "max attempts reached"), ("renewals", 9, "no phone number")]


def test_the_columns_are_there_and_of_views_no_other(state: psycopg.Connection) -> None:
    assert len(TABLES) == 10
    rows = state.execute(
        "SELECT table_name, array_agg(column_name::text) FROM information_schema.columns"
        " WHERE table_schema = 'syncd' GROUP BY table_name"
    )
    there = {str(table): set(columns) for table, columns in rows.fetchall()}
    for table, columns in TABLES.items():
        assert columns <= there[table], table
    for view in ("call_outcome", "customer_status"):
        assert TABLES[view] == there[view]
