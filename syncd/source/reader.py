"""Reading a source, blocking: one connection, one result at a time, in a thread of its own."""

import os
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import URL, Connection, CursorResult, Engine, NullPool, create_engine, event, make_url
from sqlalchemy import Result as Rows

from syncd.source.dialects import Dialect, dialect_of
from syncd.source.faults import Faults, secrets_of
from syncd.source.narrowing import rows_of
from syncd.source.rows import COLUMNS, Batch, Cleaner
from syncd.source.settings import SourceSettings

BATCH_ROWS: Final = 5000
SAMPLES: Final = 5


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of one query, as they come."""

    columns: frozenset[str]
    """Which of the columns that matter it has."""
    _rows: Rows[Any]
    _cleaner: Cleaner
    _only: int | None
    _faults: Faults
    _stopped: threading.Event

    def fetch(self) -> Batch | None:
        """Return the next rows, or None at the end. Raise SourceError."""
        if self._stopped.is_set():
            raise self._faults.closed()
        with self._faults.explained(reading=True):
            raw = self._rows.fetchmany(BATCH_ROWS)
        batch = self._cleaner.clean(raw, SAMPLES) if raw else None
        return batch.of(self._only) if batch is not None and self._only is not None else batch


class Reader:
    """One connection to a source, in a read-only transaction.

    Every method belongs to the thread that made the reader, but for :func:`stop` and :func:`cut`.
    """

    def __init__(
        self,
        dialect: Dialect,
        engine: Engine,
        connection: Connection,
        faults: Faults,
        zone: ZoneInfo,
        server_id: object,
    ) -> None:
        self._dialect, self._engine, self._connection = dialect, engine, connection
        self._faults, self._zone, self._server_id = faults, zone, server_id
        self._raw: Any = connection.connection.dbapi_connection
        descriptor = dialect.socket(self._raw)
        # A descriptor of our own: that of the driver may be closed, and its number given away, while we cut it.
        self._line = socket.socket(fileno=os.dup(descriptor)) if descriptor is not None else None
        self._cursor: Any = None
        self._stopped = threading.Event()

    def execute(self, query: str, cleaner: type[Cleaner] = Cleaner, only: int | None = None) -> Result:
        """Run a query as it stands. Raise SourceError, also where its columns are not usable.

        ``only`` leaves the rows of one customer. The database is asked for them where it can be trusted with that.
        """
        self._go_on()
        rows: Rows[Any] | None = None
        if only is not None:
            rows = rows_of(only, query, self._dialect, self._connection, self._run)
            self._go_on()
        with self._faults.explained(reading=True):
            rows = self._run(query) if rows is None else rows
            names = [str(name).lower() for name in tuple(rows.keys())]
        for column in COLUMNS:
            if names.count(column) > 1:
                raise self._faults.twice(column)
        if "customer_id" not in names:
            raise self._faults.columns(tuple(names), "customer_id")
        positions: dict[str, int] = {name: names.index(name) for name in COLUMNS if name in names}
        return Result(frozenset(positions), rows, cleaner(positions, self._zone), only, self._faults, self._stopped)

    def _run(self, statement: str) -> CursorResult[Any]:
        # Without parameters the driver leaves the colons and percent signs of a query alone.
        options = {"stream_results": True, "max_row_buffer": BATCH_ROWS, "no_parameters": True}
        rows = self._connection.exec_driver_sql(statement, execution_options=options)
        self._cursor = rows.cursor
        return rows

    def _go_on(self) -> None:
        """Return unless the reader was stopped. Raise SourceError."""
        if self._stopped.is_set():
            raise self._faults.closed()

    def stop(self, idle: threading.Event) -> None:
        """Have the database stop the running query. Blocks: call it from a thread of its own.

        ``idle`` is set while the reader's thread does nothing. Asked again until then, because a query that is just
        being sent cannot be stopped yet.
        """
        self._stopped.set()
        for _ in range(10):
            with suppress(Exception):
                self._dialect.cancel(self._engine, self._raw, self._server_id)
            if idle.wait(0.2):
                return

    def cut(self) -> None:
        """Cut the line to the database, which wakes a driver that waits for it. Does not block."""
        self._stopped.set()
        if self._line is not None:
            with suppress(OSError):
                self._line.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close the connection, whatever it is in the middle of."""
        self._dialect.forsake(self._raw)
        closers = [self._connection.invalidate, self._connection.close, self._engine.dispose]
        if self._cursor is not None:
            # Last: before that its driver would talk to the database, which may be gone.
            closers.append(self._cursor.close)
        for close in closers:
            with suppress(Exception):
                close()
        if self._line is not None:
            self._line.close()


def connect(settings: SourceSettings, connect_limit: float) -> Reader:
    """Connect and begin a read-only transaction, one snapshot where the database has such a thing.

    Raise SourceError.
    """
    limit = settings.timeout.total_seconds()
    faults = Faults(settings.name, limit)
    with faults.explained(reading=False):
        url = _with_password(make_url(settings.url), settings)
        faults = replace(faults, url=url, secrets=secrets_of(url))
    with faults.explained(reading=False):
        dialect = dialect_of(url.get_backend_name())
        engine = _engine(dialect, dialect.url(url), connect_limit, limit)
        if engine.dialect.is_async:
            raise faults.asynchronous(engine.dialect.driver)
        connection = engine.connect()
        try:
            dialect = dialect_of("mariadb" if getattr(engine.dialect, "is_mariadb", False) else engine.dialect.name)
            for statement in dialect.begin(limit):
                connection.exec_driver_sql(statement)
            query = dialect.server_id_query
            server_id = connection.exec_driver_sql(query).scalar() if query else None
            return Reader(dialect, engine, connection, faults, settings.timezone, server_id)
        except BaseException:
            connection.invalidate()
            connection.close()
            raise


def _engine(dialect: Dialect, url: URL, connect_limit: float, limit: float) -> Engine:
    options = dialect.engine_options(url.get_driver_name(), connect_limit, limit)
    engine = create_engine(url, poolclass=NullPool, hide_parameters=True, **options)
    event.listen(engine, "connect", lambda raw, _: dialect.prepare(raw, limit), insert=True)
    return engine


def _with_password(url: URL, settings: SourceSettings) -> URL:
    return url if settings.password is None else url.set(password=settings.password.reveal())
