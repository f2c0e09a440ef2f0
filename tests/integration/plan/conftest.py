"""A connection with everything that the comparison reads, empty."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from syncd.state import staging
from syncd.state.database import Connection, Database, connect
from syncd.state.migrate import migrate


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    state = Database(database, "syncd")
    await asyncio.to_thread(migrate, state)
    async with connect(state) as opened:
        await opened.execute("CREATE TABLE ledger_1 PARTITION OF ledger FOR VALUES IN (1)")
        await staging.create(opened)
        yield opened
