"""One connection for each module, with everything that the comparison reads, empty."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import psycopg
import pytest_asyncio

from syncd.state import staging
from syncd.state.database import Connection, Database, connect
from syncd.state.migrate import migrate


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def connection(postgres_url: str) -> AsyncIterator[Connection]:
    name = f"plan_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        state = Database(postgres_url.replace("/syncd?", f"/{name}?"), "syncd")
        await asyncio.to_thread(migrate, state)
        async with connect(state) as opened:
            await opened.execute("CREATE TABLE ledger_1 PARTITION OF ledger FOR VALUES IN (1)")
            await staging.create(opened)
            yield opened
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
