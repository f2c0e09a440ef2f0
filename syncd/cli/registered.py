"""What the configuration has, as the state knows it."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from syncd.config import Config
from syncd.state import campaigns, dispositions
from syncd.state.campaigns import CampaignRow
from syncd.state.database import Connection
from syncd.state.overview import Overview, overview


async def row_of(connection: Connection, config: Config, name: str) -> CampaignRow:
    """Return the row of a campaign of the configuration, NEVER_RUN where it has none. Raise StateUnavailable."""
    account, vendor_id = config.identities()[name]
    return await campaigns.find(connection, account, vendor_id)


async def overviews(connection: Connection, config: Config, names: Sequence[str], now: datetime) -> list[Overview]:
    """Return how campaigns of the configuration stand, in the order of their names. Raise StateUnavailable."""
    identities = config.identities()
    wanted = {name: identities[name] for name in names}
    return list((await overview(connection, wanted, now)).values())


async def numbers_of(connection: Connection, config: Config, names: Sequence[str]) -> dict[int, str]:
    """Return the names of those campaigns that the state knows, by their numbers in it. Raise StateUnavailable."""
    rows = {name: await row_of(connection, config, name) for name in names}
    return {row.id: name for name, row in rows.items() if row is not campaigns.NEVER_RUN}


async def dispositions_of(connection: Connection, config: Config, account: str) -> Mapping[int, str]:
    """Return an account's words for its dispositions: the configuration's, and what the state still has of others."""
    words = await dispositions.words_of(connection, account)
    for tenant in config.tenants.values():
        if tenant.username == account:
            words |= tenant.dispositions
    return words
