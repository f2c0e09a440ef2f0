"""The lock of a campaign: one pass at a time, on any number of hosts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, LiteralString

from syncd.clock import Clock
from syncd.errors import LockHeld, StateUnavailable
from syncd.state import campaigns, journal, suppressed
from syncd.state.database import Connection, state_errors
from syncd.state.pen import Pen
from syncd.state.workplace import Workplaces

POLL_SECONDS: Final = 1.0

HELD_KEYS: LiteralString = """
    -- PostgreSQL shows the number of a lock in two halves.
    SELECT (classid::bigint << 32 | objid::bigint) AS key FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND objsubid = 1
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
"""The numbers of all locks that are held; that of a campaign is ``hashtextextended(lock_key, 0)``."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long the state keeps what."""

    passes: timedelta = timedelta(days=90)
    suppressions: timedelta = timedelta(days=6 * 365)


@asynccontextmanager
async def hold(
    workplaces: Workplaces,
    account: str,
    vendor_id: int,
    name: str,
    clock: Clock,
    *,
    patience: timedelta,
    keeping: Keeping,
    wait_until: asyncio.Event | None = None,
) -> AsyncIterator[Pen]:
    """Yield the pen of a campaign: its lock held, a pass begun; both ended with the context.

    ``patience`` is how long refusals of one customer go on before it is given up; ``wait_until`` ends the waiting for
    another pass. Raise LockHeld where another pass has the lock and is not, or no longer, waited for; StateUnavailable.
    """
    async with workplaces.one() as connection:
        while not await _try_lock(connection, account, vendor_id):
            if wait_until is None or wait_until.is_set():
                raise LockHeld(name)
            await clock.sleep(POLL_SECONDS)
        try:
            row = await campaigns.register(connection, account, vendor_id, name)
            if await journal.prepare(connection, clock.now()):
                await _forget(connection, clock, keeping)
            begun = await campaigns.begin_pass(connection, row.id, clock.now(), socket.gethostname())
            yield Pen(connection, account, row, begun.id, clock, previous_died=begun.previous_died, patience=patience)
        except asyncio.CancelledError:
            # The lock goes with it. Whoever cancels has waited already: not also for a state that may be silent.
            await connection.close()
            raise
        finally:
            await _unlock(connection, account, vendor_id)


async def _forget(connection: Connection, clock: Clock, keeping: Keeping) -> None:
    """Forget what is older than it has to be kept: whenever a new week of the journal begins."""
    await journal.forget(connection, clock.now() - keeping.passes)
    with state_errors():
        await suppressed.forget(connection, clock.now() - keeping.suppressions)


async def _try_lock(connection: Connection, account: str, vendor_id: int) -> bool:
    with state_errors():
        cursor = await connection.execute(
            "SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (lock_key(account, vendor_id),)
        )
        return bool((await cursor.fetchone() or (False,))[0])


async def _unlock(connection: Connection, account: str, vendor_id: int) -> None:
    """Give the lock back at once: the connection may be kept, and a server is slow to notice that one was closed."""
    with suppress(StateUnavailable), state_errors():
        await connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (lock_key(account, vendor_id),))


def lock_key(account: str, vendor_id: int) -> str:
    """Return the text whose hash is the number of a campaign's lock."""
    return f"syncd campaign {account}\n{vendor_id}"
