"""A line to the state that outlives its failures: one connection, opened when it is needed, and anew after an error."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Final

from syncd.errors import StateUnavailable
from syncd.state.database import Connection, Database, connect, state_errors

SECONDS: Final = 15.0
"""How long whoever uses the line may take, connecting included."""


class Line:
    """For short questions, one at a time. A connection over which one failed is not used again."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._open: AsyncExitStack | None = None
        self._connection: Connection | None = None
        self._one_task = asyncio.Lock()

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """Yield the connection; what the driver raises meanwhile becomes StateUnavailable, and so does its silence."""
        async with self._one_task:
            try:
                async with asyncio.timeout(SECONDS):
                    with state_errors():
                        yield self._connection or await self._connect()
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

    async def _connect(self) -> Connection:
        opened = AsyncExitStack()
        self._connection = await opened.enter_async_context(connect(self._database))
        self._open = opened
        return self._connection

    async def _close(self) -> None:
        opened, self._open, self._connection = self._open, None, None
        if opened is not None:
            with suppress(StateUnavailable):
                await opened.aclose()
