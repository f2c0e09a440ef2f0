"""Opening the state as the configuration says: a server that a URL names, or syncd's own."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

from syncd.config import StateSettings
from syncd.state.database import Database
from syncd.state.embedded import embedded_postgres
from syncd.state.migrate import migrate


@asynccontextmanager
async def open_state(settings: StateSettings) -> AsyncIterator[Database]:
    """Yield where the state is, as it is there; syncd's own server is started for as long. Raise StateUnavailable."""
    if settings.url is None:
        async with embedded_postgres(settings.directory) as url:
            yield Database(url, settings.schema_name)
        return
    url = settings.url
    if settings.password is not None:
        # As a parameter: a URL may leave the user out, and then has no place for a password before the host.
        url += f"{'&' if '?' in url else '?'}password={quote(settings.password.reveal(), safe='')}"
    yield Database(url, settings.schema_name)


@asynccontextmanager
async def open_migrated_state(settings: StateSettings) -> AsyncIterator[Database]:
    """Yield where the state is, its schema brought up to date. Raise StateUnavailable."""
    async with open_state(settings) as database:
        await asyncio.to_thread(migrate, database)
        yield database
