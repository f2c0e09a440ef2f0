"""How a reading session begins on each kind of database, those without a server in these tests included."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import make_url

from syncd.source.dialects import MissingFileError, dialect_of
from syncd.source.rows import MAX_CUSTOMER, clean_customer


@pytest.mark.parametrize(
    ("backend", "statements"),
    [
        (
            "postgresql",
            [
                "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
                "SET LOCAL statement_timeout = 90000",
                "SET LOCAL datestyle = ISO",
                "SET LOCAL cursor_tuple_fraction = 1",
            ],
        ),
        (
            "mysql",
            [
                "SET SESSION max_execution_time = 90000",
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "SET SESSION TRANSACTION READ ONLY",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ],
        ),
        (
            "mariadb",
            [
                "SET SESSION max_statement_time = 90",
                "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                "SET SESSION TRANSACTION READ ONLY",
                "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
            ],
        ),
        ("sqlite", ["BEGIN"]),
        (
            "mssql",
            [
                "SET LOCK_TIMEOUT 90000",
                "IF (SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()) = 1"
                " SET TRANSACTION ISOLATION LEVEL SNAPSHOT ELSE SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
                "BEGIN TRANSACTION",
            ],
        ),
        ("oracle", ["SET TRANSACTION READ ONLY"]),
        ("firebird", []),
    ],
)
def test_a_session_begins_read_only_in_one_snapshot_with_the_limit_of_the_source(
    backend: str, statements: list[str]
) -> None:
    assert list(dialect_of(backend).begin(90.0)) == statements


@pytest.mark.parametrize(
    ("driver", "backend", "options"),
    [
        (
            "psycopg",
            "postgresql",
            {"connect_args": {"connect_timeout": 3, "application_name": "syncd", "prepare_threshold": None}},
        ),
        ("psycopg2", "postgresql", {"connect_args": {"connect_timeout": 3, "application_name": "syncd"}}),
        ("pymysql", "mysql", {"connect_args": {"connect_timeout": 3, "read_timeout": 91}}),
        ("mysqldb", "mysql", {}),
        ("pysqlite", "sqlite", {"connect_args": {"timeout": 5.0}}),
        ("mssqlpython", "mssql", {"isolation_level": "AUTOCOMMIT", "connect_args": {"timeout": 3}}),
        ("pymssql", "mssql", {"isolation_level": "AUTOCOMMIT"}),
        ("oracledb", "oracle", {"connect_args": {"tcp_connect_timeout": 2.5}}),
        ("fdb", "firebird", {}),
    ],
)
def test_a_driver_gets_the_limits_in_its_own_words(driver: str, backend: str, options: dict[str, object]) -> None:
    assert dialect_of(backend).engine_options(driver, 2.5, 90.5) == options


def test_a_locked_sqlite_file_is_told_before_the_limit_of_the_read_passes() -> None:
    assert dialect_of("sqlite").engine_options("pysqlite", 1.0, 1.0) == {"connect_args": {"timeout": 0.5}}


class LimitedConnection:
    """A driver's connection with the attributes by which Oracle's and SQL Server's drivers take the limit of a call."""

    call_timeout: int = 0
    timeout: int = 0


def test_oracle_and_sql_server_take_the_limit_on_the_connection() -> None:
    connection = LimitedConnection()
    dialect_of("oracle").prepare(connection, 90.5)
    dialect_of("mssql").prepare(connection, 90.5)
    assert (connection.call_timeout, connection.timeout) == (90_500, 91)


@pytest.mark.parametrize(
    ("written", "used"),
    [
        ("postgresql://h/d", "postgresql+psycopg://h/d"),
        ("mysql://h/d", "mysql+pymysql://h/d"),
        ("mariadb://h/d", "mariadb+pymysql://h/d"),
        ("mssql://h/d", "mssql+mssqlpython://h/d"),
        ("oracle://h/d", "oracle+oracledb://h/d"),
        ("mysql+mysqldb://h/d", "mysql+mysqldb://h/d"),
        ("firebird://h/d", "firebird://h/d"),
    ],
)
def test_a_url_without_a_driver_means_the_one_that_syncd_installs(written: str, used: str) -> None:
    url = make_url(written)
    assert str(dialect_of(url.get_backend_name()).url(url)) == used


def test_an_sqlite_file_is_opened_for_reading_whatever_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a b?c.db"
    path.touch()
    url = dialect_of("sqlite").url(make_url("sqlite://").set(database=str(path)))
    assert url.database == f"file:{tmp_path}/a%20b%3Fc.db"
    assert url.query == {"mode": "ro", "uri": "true"}


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "sqlite:////nowhere/crm.db", "sqlite:////tmp"])
def test_an_sqlite_url_must_name_a_file_that_is_there(url: str) -> None:
    with pytest.raises(MissingFileError):
        dialect_of("sqlite").url(make_url(url))


def test_an_sqlite_uri_cannot_ask_for_writing(tmp_path: Path) -> None:
    url = dialect_of("sqlite").url(make_url(f"sqlite:///file:{tmp_path}/crm.db?mode=rwc&uri=true"))
    assert url.query["mode"] == "ro"


@pytest.mark.parametrize("backend", ["mssql", "oracle", "firebird"])
def test_a_database_that_was_never_tried_is_not_asked_for_one_customer(backend: str) -> None:
    query = "SELECT 1 AS customer_id"
    assert dialect_of(backend).columns_of(query, f"SELECT * FROM ({query}) AS syncd_rows") == ""


@pytest.mark.parametrize("backend", ["mysql", "mariadb"])
def test_a_query_with_variables_of_the_session_is_not_put_into_another(backend: str) -> None:
    query = "SELECT @n := @n + 1 AS customer_id FROM calls"
    assert dialect_of(backend).columns_of(query, f"SELECT * FROM ({query}) AS syncd_rows") == ""


NUMBERS = st.integers(1, 10**7) | st.integers(1, MAX_CUSTOMER)
BLANKS = st.text(" \t\n\x0b\x0c\r\x1c\x85\xa0\u2003\u3000", max_size=3)


@given(
    NUMBERS, BLANKS, st.sampled_from(["", "+", "0", "+00", "-", "x"]), st.sampled_from(["", ".", ".0", ".5"]), BLANKS
)
def test_sqlite_leaves_out_no_row_that_is_read_as_the_customer(
    customer: int, before: str, sign: str, fraction: str, after: str
) -> None:
    text = f"{before}{sign}{customer}{fraction}{after}"
    values = [customer, float(customer), text, text.encode("latin-1", "replace")]
    condition = dialect_of("sqlite").may_be("value", None, customer)
    with closing(sqlite3.connect(":memory:")) as connection:
        for value in values:
            [(met,)] = connection.execute(f"SELECT {condition} FROM (SELECT ? AS value)", [value])
            assert met or clean_customer(value) != customer
