"""A line to the state that outlives its failures: one connection, opened when it is needed, and anew after an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from syncd.errors import StateUnavailable
from syncd.state.database import Connection, Database, open_connection, state_errors

SECONDS: Final = 15.0
"""How long whoever uses the line may take, connecting included."""


class Line:
    """For short questions, one at a time. A connection over which one failed is not used again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None
        self._one_task = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Yield the connection; what the driver raises meanwhile becomes StateUnavailable, and so does its silence."""
        async with self._one_task:
            try:
                async with asyncio.timeout(SECONDS):
                    with state_errors():
                        if self._connection is None:
                            self._connection = await open_connection(self._database)
                        yield self._connection
            except TimeoutError:
                await self._close()
                raise StateUnavailable(f"no answer within {SECONDS:g} s") from None
            except BaseException:
                await self._close()
                raise

    async def close(self) -> None:
        """Close the connection. The line may be used again, and opens it anew."""
        async with self._one_task:
            await self._close()

    async def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
