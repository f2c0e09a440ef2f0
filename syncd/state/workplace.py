"""Workplaces: connections with the temporary tables that a pass compares in, kept from one pass to the next.

To connect and make those tables takes PostgreSQL longer than all the rest of a pass that changes nothing, and each new
connection begins with cold caches. What is kept is emptied first: nothing of a pass, phone keys above all, outlives it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from psycopg.pq import TransactionStatus

from syncd.errors import StateUnavailable
from syncd.state import staging
from syncd.state.database import CONNECT_SECONDS, Connection, Database, open_connection, prove, state_errors

IDLE_SECONDS: Final = 300.0
"""After which a connection is not trusted to have stayed up; nor is it worth its memory in the server."""

LIFE_SECONDS: Final = 3600.0
"""After which a connection is not used again: the server may not clean up behind the oldest temporary table, and what
a backend has learned it keeps in its memory."""


@dataclass(slots=True)
class _Kept:
    connection: Connection
    made_at: float
    left_at: float


class Workplaces:
    """Lends each pass a connection of its own. To be closed in the end where it keeps any."""

    def __init__(self, database: Database, *, keep: int = 0) -> None:
        """``keep`` is how many connections may wait for the next pass; one that is alone needs none."""
        self.database = database
        self._keep = keep
        self._kept: list[_Kept] = []

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Connection]:
        """Yield a connection with its temporary tables, all empty, that holds no lock.

        What the driver raises while the context lasts becomes StateUnavailable. A connection over which anything went
        wrong is closed at exit.
        """
        place = await self._take() or await self._make()
        try:
            with state_errors():
                yield place.connection
        finally:
            kept = False
            try:
                kept = await self._leave(place)
            finally:
                # Also where a pass is cancelled while it leaves.
                if not kept:
                    await place.connection.close()

    async def close(self) -> None:
        """Close the connections that wait."""
        while self._kept:
            await self._kept.pop().connection.close()

    async def _make(self) -> _Kept:
        connection = await open_connection(self.database)
        now = asyncio.get_running_loop().time()
        try:
            with state_errors():
                await staging.create(connection)
        except BaseException:
            await connection.close()
            raise
        return _Kept(connection, made_at=now, left_at=now)

    async def _take(self) -> _Kept | None:
        """Return the connection that waited last and still answers, if there is one."""
        await self._drop_old()
        while self._kept:
            place, answers = self._kept.pop(), False
            try:
                answers = await _answers(place.connection)
            finally:
                if not answers:
                    await place.connection.close()
            if answers:
                return place
        return None

    async def _drop_old(self) -> None:
        """Close what has waited for too long: below the one that waited last it would wait for ever."""
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while old := next((place for place in self._kept if place.left_at <= oldest), None):
            self._kept.remove(old)
            await old.connection.close()

    async def _leave(self, place: _Kept) -> bool:
        """Keep a connection, emptied, if it is worth it; return whether it was."""
        connection, now = place.connection, asyncio.get_running_loop().time()
        if (
            len(self._kept) >= self._keep
            or now - place.made_at >= LIFE_SECONDS
            or connection.closed
            or connection.info.transaction_status is not TransactionStatus.IDLE
        ):
            return False
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                with state_errors():
                    await staging.clear(connection)
        except (StateUnavailable, TimeoutError):
            return False
        if len(self._kept) >= self._keep:  # others have left meanwhile
            return False
        place.left_at = now
        self._kept.append(place)
        return True


async def _answers(connection: Connection) -> bool:
    """Return whether the server is still there: it may have been started anew, or failed over."""
    try:
        await prove(connection)
    except StateUnavailable:
        return False
    return True
