"""What differs from database to database: reading only, one snapshot, time limits, and stopping a read from outside.

| database | reads in | snapshot | its own time limit |
| --- | --- | --- | --- |
| PostgreSQL | repeatable read, read only | yes | statement_timeout, on each portion fetched |
| MySQL | read-only transaction | yes (InnoDB) | max_execution_time |
| MariaDB | read-only transaction | yes (InnoDB) | max_statement_time |
| SQLite | file opened with mode=ro | yes; without WAL it keeps writers waiting while a session is open | none |
| SQL Server | plain transaction: it has none that only reads | if allowed, see below | query and lock timeout |
| Oracle | read-only transaction | yes | call_timeout, on each portion fetched |

On SQL Server a read is a snapshot where the database allows SNAPSHOT isolation, else READ COMMITTED; let the login be
one that may only read. Any other SQLAlchemy dialect is read in a plain transaction, with
nothing but the session's own limit.
"""

import math
import os
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar, Final
from urllib.parse import quote

from sqlalchemy import URL, Engine

BUSY_WAIT: Final = 5.0
"""Seconds that SQLite waits for a writer at most, before it says that the file is locked."""


class MissingFileError(Exception):
    """The file of an SQLite source is not there; reading must not create it."""


class Dialect:
    """One kind of database. What is not known to be supported is left to the limits of the session."""

    driver: ClassVar[str] = ""
    """The driver that a URL without one means: the one that syncd's extra installs."""
    extra: ClassVar[str] = ""
    """The extra of the syncd package that brings the driver."""

    def url(self, url: URL) -> URL:
        """Return the URL to connect with."""
        if self.driver and "+" not in url.drivername:
            return url.set(drivername=f"{url.drivername}+{self.driver}")
        return url

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        """Return options of the engine, the driver's own connect arguments among them. Seconds."""
        return {}

    def prepare(self, raw: Any, limit: float) -> None:
        """Set up a driver's connection that has just been made."""

    def begin(self, limit: float) -> tuple[str, ...]:
        """Return the statements that begin a reading session."""
        return ()

    def cancel(self, engine: Engine, raw: Any, server_id: object) -> None:
        """Ask the database to stop what the connection does. Called from another thread; may fail."""
        if hasattr(raw, "cancel"):
            raw.cancel()

    server_id_query: ClassVar[str] = ""
    """Asks for what :func:`cancel` needs to name the connection to the server."""

    def socket(self, raw: Any) -> int | None:
        """Return the descriptor of the connection's socket, where the driver lets it be known."""
        return None

    def forsake(self, raw: Any) -> None:
        """Make ready to close a connection in the middle of a result."""

    def columns_of(self, query: str, wrapped: str) -> str:
        """Return a statement that has the columns of a query and does not run through it; nothing: there is none.

        ``wrapped`` selects everything from the query.
        """
        return ""

    def may_be(self, column: str, kind: object, customer: int) -> str:
        """Return a condition that every row of a customer meets, others' rows now and then; nothing: there is none.

        ``column`` is the quoted name of the column of customers, ``kind`` what the driver calls its type.
        """
        return ""


class PostgreSQL(Dialect):
    driver = "psycopg"
    extra = "postgresql"

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        arguments: dict[str, Any] = {"connect_timeout": math.ceil(connect_limit), "application_name": "syncd"}
        if driver == "psycopg":
            # Nothing is run twice, and a pooler in between would mix prepared statements up.
            arguments["prepare_threshold"] = None
        return {"connect_args": arguments}

    def prepare(self, raw: Any, limit: float) -> None:
        if not hasattr(raw, "adapters"):
            return
        from psycopg.adapt import Loader

        class Moment(Loader):
            """Times that Python cannot hold (infinity, the year 10000) come as text, not as the end of the read."""

            kind: type[date] = datetime

            def load(self, data: Any) -> date | str:
                text = bytes(data).decode()
                try:
                    return self.kind.fromisoformat(text)
                except ValueError:
                    return text

        class Day(Moment):
            kind = date

        raw.adapters.register_loader("timestamp", Moment)
        raw.adapters.register_loader("timestamptz", Moment)
        raw.adapters.register_loader("date", Day)

    def begin(self, limit: float) -> tuple[str, ...]:
        return (
            "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY",
            f"SET LOCAL statement_timeout = {_milliseconds(limit)}",
            "SET LOCAL datestyle = ISO",
            # All rows are wanted: not a plan that is quick for the first tenth of them.
            "SET LOCAL cursor_tuple_fraction = 1",
        )

    def cancel(self, engine: Engine, raw: Any, server_id: object) -> None:
        # psycopg2 has only cancel(), which has no limit of its own; whoever calls here does not wait for ever.
        raw.cancel_safe() if hasattr(raw, "cancel_safe") else raw.cancel()

    def socket(self, raw: Any) -> int | None:
        return int(raw.fileno())

    def columns_of(self, query: str, wrapped: str) -> str:
        return query

    def may_be(self, column: str, kind: object, customer: int) -> str:
        if kind in _POSTGRESQL_NUMBERS:
            return f"{column} = {customer}"
        # A cast would fail on a text that is no number. Blanks are not named, for Python knows more of them.
        return f"{column} ~ '^[^0-9]*0*{customer}([.]0+)?[^0-9]*$'" if kind in _POSTGRESQL_TEXTS else ""


class MySQL(Dialect):
    driver = "pymysql"
    extra = "mysql"
    server_id_query = "SELECT CONNECTION_ID()"

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        if driver != "pymysql":
            return {}
        return {"connect_args": {"connect_timeout": math.ceil(connect_limit), "read_timeout": math.ceil(limit)}}

    def begin(self, limit: float) -> tuple[str, ...]:
        return (
            self._time_limit(limit),
            "SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ",
            # Also for any transaction after this one: DDL would end ours.
            "SET SESSION TRANSACTION READ ONLY",
            "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY",
        )

    def _time_limit(self, limit: float) -> str:
        return f"SET SESSION max_execution_time = {_milliseconds(limit)}"

    def cancel(self, engine: Engine, raw: Any, server_id: object) -> None:
        with engine.connect() as other:
            other.exec_driver_sql(f"KILL QUERY {server_id}")

    def socket(self, raw: Any) -> int | None:
        return raw._sock.fileno() if getattr(raw, "_sock", None) is not None else None

    def forsake(self, raw: Any) -> None:
        # PyMySQL would read the rest of a result before it lets go of it, and fail aloud where the line is dead.
        result = getattr(raw, "_result", None)
        if result is not None:
            result.unbuffered_active = False

    def columns_of(self, query: str, wrapped: str) -> str:
        # The rows of a query that has begun would all have to be taken from the line. A variable may be of another type
        # in a query that stands in another one.
        return f"{wrapped} WHERE 1 = 0" if "@" not in query else ""

    def may_be(self, column: str, kind: object, customer: int) -> str:
        if kind in _MYSQL_NUMBERS:
            return f"{column} = {customer}"
        # A text that does not begin with a number, blanks aside that MySQL knows, is 0; the word of an ENUM, by itself,
        # its place.
        return f"CAST(concat({column}, '') AS SIGNED) IN (0, {customer})" if kind in _MYSQL_TEXTS else ""


class MariaDB(MySQL):
    def _time_limit(self, limit: float) -> str:
        return f"SET SESSION max_statement_time = {limit:g}"


class SQLite(Dialect):
    def url(self, url: URL) -> URL:
        """Return a URL that opens the file for reading alone. Raise MissingFileError where there is none."""
        name = url.database or ""
        if name in ("", ":memory:"):
            raise MissingFileError("the URL names no file")
        if not name.startswith("file:"):
            if not Path(name).is_file():
                raise MissingFileError(f"there is no file {name}")
            name = f"file:{quote(os.path.abspath(name))}"
        return url.set(database=name).update_query_dict({"uri": "true", "mode": "ro"})

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        return {"connect_args": {"timeout": min(BUSY_WAIT, limit / 2)}}

    def begin(self, limit: float) -> tuple[str, ...]:
        return ("BEGIN",)

    def cancel(self, engine: Engine, raw: Any, server_id: object) -> None:
        raw.interrupt()

    def columns_of(self, query: str, wrapped: str) -> str:
        return query

    def may_be(self, column: str, kind: object, customer: int) -> str:
        # Each value has a type of its own. A text that does not begin with a number, blanks aside that SQLite knows,
        # is 0; what bytes would be depends on the encoding of the file.
        return f"(typeof({column}) = 'blob' OR CAST({column} AS INTEGER) IN (0, {customer}))"


class SQLServer(Dialect):
    driver = "mssqlpython"
    extra = "mssql"

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        # The isolation level can only be chosen outside of a transaction, and the driver would open one by itself.
        options: dict[str, Any] = {"isolation_level": "AUTOCOMMIT"}
        if driver in ("mssqlpython", "pyodbc"):
            options["connect_args"] = {"timeout": math.ceil(connect_limit)}
        return options

    def prepare(self, raw: Any, limit: float) -> None:
        if hasattr(raw, "timeout"):
            raw.timeout = math.ceil(limit)

    def begin(self, limit: float) -> tuple[str, ...]:
        return (
            f"SET LOCK_TIMEOUT {_milliseconds(limit)}",
            "IF (SELECT snapshot_isolation_state FROM sys.databases WHERE database_id = DB_ID()) = 1"
            " SET TRANSACTION ISOLATION LEVEL SNAPSHOT ELSE SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
            "BEGIN TRANSACTION",
        )


class Oracle(Dialect):
    driver = "oracledb"
    extra = "oracle"

    def engine_options(self, driver: str, connect_limit: float, limit: float) -> dict[str, Any]:
        return {"connect_args": {"tcp_connect_timeout": connect_limit}} if driver == "oracledb" else {}

    def prepare(self, raw: Any, limit: float) -> None:
        raw.call_timeout = _milliseconds(limit)

    def begin(self, limit: float) -> tuple[str, ...]:
        return ("SET TRANSACTION READ ONLY",)


# Types of columns by the numbers that PostgreSQL and MySQL give them. Of fractions of the machine's own, which are not
# written as they are compared, and of anything else nothing is known.

_POSTGRESQL_NUMBERS: Final = frozenset({20, 21, 23, 1700})
"""bigint, smallint, integer, numeric."""
_POSTGRESQL_TEXTS: Final = frozenset({25, 1042, 1043})
"""text, character, character varying."""
_MYSQL_NUMBERS: Final = frozenset({0, 1, 2, 3, 8, 9, 246})
"""Decimals and whole numbers of every length."""
_MYSQL_TEXTS: Final = frozenset({15, 252, 253, 254})
"""CHAR, VARCHAR and TEXT, and the same of bytes."""

_DIALECTS: Final = {
    "postgresql": PostgreSQL(),
    "mysql": MySQL(),
    "mariadb": MariaDB(),
    "sqlite": SQLite(),
    "mssql": SQLServer(),
    "oracle": Oracle(),
}


def dialect_of(backend: str) -> Dialect:
    """Return the dialect of a backend by SQLAlchemy's name for it."""
    return _DIALECTS.get(backend, Dialect())


def _milliseconds(seconds: float) -> int:
    return max(1, round(seconds * 1000))
