"""Looking at the state's server before anything depends on it: is the schema there, may syncd do what it does."""

import secrets
from dataclasses import dataclass
from enum import Enum, auto
from typing import LiteralString

from alembic.script import ScriptDirectory

from syncd.state.database import Connection, Database, connect, state_errors
from syncd.state.migrate import migrations


class Schema(Enum):
    """How the schema compares with what this syncd needs."""

    CURRENT = auto()
    MISSING = auto()
    OLD = auto()
    UNKNOWN = auto()
    """Of a revision that this syncd does not know: made by a newer one."""


@dataclass(frozen=True, slots=True)
class Rights:
    """What the user may do in the state's database."""

    create_schema: bool
    temporary_tables: bool


async def schema_of(database: Database) -> Schema:
    """Return how the schema is. Raise StateUnavailable."""
    scripts = ScriptDirectory(str(migrations()))
    async with connect(database) as connection:
        with state_errors():
            cursor = await connection.execute("SELECT to_regclass('schema_version') IS NOT NULL")
            if (await cursor.fetchone() or (False,))[0] is not True:
                return Schema.MISSING
            cursor = await connection.execute("SELECT version_num FROM schema_version")
            row = await cursor.fetchone()
    if row is None:
        return Schema.MISSING
    if row[0] == scripts.get_current_head():
        return Schema.CURRENT
    return Schema.OLD if row[0] in {script.revision for script in scripts.walk_revisions()} else Schema.UNKNOWN


async def rights_in(database: Database) -> Rights:
    """Return what the user may do. Raise StateUnavailable."""
    async with connect(database) as connection:
        with state_errors():
            cursor = await connection.execute(
                "SELECT has_database_privilege(current_database(), 'CREATE'),"
                " has_database_privilege(current_database(), 'TEMPORARY')"
            )
            create, temporary = await cursor.fetchone() or (False, False)
    return Rights(create_schema=bool(create), temporary_tables=bool(temporary))


async def keeps_sessions(database: Database) -> bool:
    """Return whether a connection stays with one session of the server, as the lock of a campaign needs it.

    A pooler that hands out its connections anew for each transaction lets another session answer, and keeps the lock
    when its holder is gone. Raise StateUnavailable.
    """
    key = secrets.randbits(62)
    async with connect(database) as holder, connect(database) as other:
        with state_errors():
            first = await _value(holder, "SELECT pg_backend_pid()")
            held = await _value(holder, "SELECT pg_try_advisory_lock(%s)", key)
            held_twice = await _value(other, "SELECT pg_try_advisory_lock(%s)", key)
            second = await _value(holder, "SELECT pg_backend_pid()")
            if held_twice:
                await other.execute("SELECT pg_advisory_unlock(%s)", (key,))
            released = await _value(holder, "SELECT pg_advisory_unlock(%s)", key)
    return first == second and bool(held) and not held_twice and bool(released)


async def _value(connection: Connection, query: LiteralString, *values: object) -> object:
    cursor = await connection.execute(query, values)
    row = await cursor.fetchone()
    return row[0] if row else None
