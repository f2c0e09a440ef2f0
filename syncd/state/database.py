"""Connections to the state: Postgres, in one schema, with a deadline on everything."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

import psycopg
from psycopg import AsyncConnection, sql
from psycopg.abc import RV, PQGen
from psycopg.conninfo import make_conninfo

from syncd.errors import StateUnavailable

CONNECT_SECONDS = 10
CANCEL_SECONDS = 1.0
STATEMENT_SECONDS = 600
"""The longest single statement is the comparison of five million rows."""
ANSWER_SECONDS = STATEMENT_SECONDS + 30.0
POLL_SECONDS = 0.1
"""How often the driver looks whether it is interrupted; its own figure."""


class Connection(AsyncConnection[tuple[object, ...]]):
    """A connection that is given up where the server says nothing, or cannot even be told to cancel a statement.

    The server ends what takes too long, and the kernel notices a host that is gone; neither helps against a server that
    is stopped, or something in between that takes every packet and passes none on.
    """

    async def wait(self, gen: PQGen[RV], interval: float = POLL_SECONDS, timeout: float | None = None) -> RV:
        """Wait for what a statement comes to, as the driver does for each. Raise psycopg.Error."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                return await super().wait(gen, interval, timeout)
        except TimeoutError:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {ANSWER_SECONDS:g} s") from None

    async def cancel_safe(self, *, timeout: float = CANCEL_SECONDS) -> None:
        """Cancel the statement under way, as the driver does where its task is cancelled. Raise psycopg.Error."""
        try:
            await super().cancel_safe(timeout=min(timeout, CANCEL_SECONDS))
        except psycopg.Error:
            self.pgconn.finish()  # the driver would wait on for what is not going to come
            raise


@dataclass(frozen=True, slots=True, repr=False)
class Database:
    """Where the state is. ``url`` may hold a password, so it has no repr."""

    url: str
    schema: str

    def conninfo(self) -> str:
        """Return libpq's connection string, with a deadline for connecting and for an unacknowledged send."""
        url = self.url.replace("postgresql+psycopg://", "postgresql://", 1)
        return make_conninfo(
            url,
            connect_timeout=CONNECT_SECONDS,
            application_name="syncd",
            keepalives_idle=20,
            keepalives_interval=5,
            keepalives_count=4,
            tcp_user_timeout=40_000,
        )


@contextmanager
def state_errors() -> Iterator[None]:
    """Turn what the driver raises into StateUnavailable, one line, without the values of any statement."""
    try:
        yield
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise StateUnavailable(
            first, "nothing is sent without it; check [state] in the config and the server"
        ) from error
    except psycopg.errors.UndefinedTable as error:
        raise StateUnavailable("its tables are not there", "run `syncd migrate`") from error
    except psycopg.Error as error:
        first = (error.diag.message_primary or type(error).__name__).splitlines()[0]
        raise StateUnavailable(first) from error


async def open_connection(database: Database) -> Connection:
    """Return a new connection whose statements each commit by themselves; whoever asks closes it.

    The server is told to drop it when the host behind it has been silent for 40 s: its locks are free within a
    minute. Raise StateUnavailable.
    """
    with state_errors():
        connection = await Connection.connect(database.conninfo(), autocommit=True, prepare_threshold=None)
        try:
            await connection.execute(
                sql.SQL(
                    "SET search_path TO {schema}; SET timezone TO 'UTC'; SET jit TO off; SET work_mem TO '64MB';"
                    " SET statement_timeout TO {statement}; SET lock_timeout TO '30s';"
                    " SET idle_in_transaction_session_timeout TO '60s';"
                    " SET tcp_keepalives_idle TO 20; SET tcp_keepalives_interval TO 5; SET tcp_keepalives_count TO 4;"
                    " SET tcp_user_timeout TO 40000"
                ).format(schema=sql.Identifier(database.schema), statement=sql.Literal(STATEMENT_SECONDS * 1000))
            )
        except BaseException:
            await connection.close()
            raise
        return connection


async def prove(connection: Connection) -> None:
    """Return where the server still answers over a connection. Raise StateUnavailable, after 10 s of silence too."""
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            with state_errors():
                await connection.execute("SELECT")
    except TimeoutError:
        raise StateUnavailable(f"no answer within {CONNECT_SECONDS:g} s") from None


@asynccontextmanager
async def connect(database: Database) -> AsyncIterator[Connection]:
    """Yield a connection; closed at exit. What the driver raises while the context lasts becomes StateUnavailable."""
    connection = await open_connection(database)
    try:
        with state_errors():
            yield connection
    finally:
        await connection.close()
