"""The campaigns of the configuration as the state knows them."""

from syncd.config import Config
from syncd.state import campaigns
from syncd.state.campaigns import CampaignRow
from syncd.state.database import Connection


async def row_of(connection: Connection, config: Config, name: str) -> CampaignRow:
    """Return the row of a campaign of the configuration, NEVER_RUN where it has none. Raise StateUnavailable."""
    settings = config.campaigns[name]
    return await campaigns.find(connection, config.tenants[settings.tenant].username, settings.id)
