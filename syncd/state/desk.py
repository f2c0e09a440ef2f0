"""One campaign's state as one connection sees it: what is staged, the ledger, what was decided.

A :class:`Desk` has no verb that claims a call or records one. A dry run is handed a desk whose tables are temporary
copies, in a session that Postgres keeps read-only: it cannot write. A pass is handed a
:class:`~syncd.state.pen.Pen`, which is a desk that can also claim and record.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import LiteralString

from psycopg import sql

from syncd.clock import Clock
from syncd.errors import SyncdError
from syncd.state import campaigns, staging
from syncd.state.campaigns import CampaignRow
from syncd.state.database import Connection, Database, connect, state_errors

REHEARSAL_PASS = 2**62
"""The number of a pass that is only thought: later than any real one."""

COPIES: LiteralString = """
CREATE TEMPORARY TABLE ledger AS SELECT * FROM {schema}.ledger WHERE campaign = {campaign};
ALTER TABLE pg_temp.ledger ADD PRIMARY KEY (campaign, customer);
CREATE TEMPORARY TABLE claim AS SELECT * FROM {schema}.claim WHERE campaign = {campaign};
CREATE TEMPORARY TABLE parked AS SELECT * FROM {schema}.parked WHERE campaign = {campaign};
ALTER TABLE pg_temp.parked ADD PRIMARY KEY (campaign, customer);
CREATE TEMPORARY TABLE suppression AS SELECT * FROM {schema}.suppression;
ALTER TABLE pg_temp.suppression ADD PRIMARY KEY (account, customer, origin);
CREATE TEMPORARY TABLE change (LIKE {schema}.change INCLUDING DEFAULTS);
CREATE TEMPORARY TABLE sighting (LIKE {schema}.sighting INCLUDING DEFAULTS);
ANALYZE pg_temp.ledger;
"""
"""Named as the tables they copy: a temporary table is found first, so the statements of a pass run on the copies."""

COPIES_OF_ONE: LiteralString = """
CREATE TEMPORARY TABLE ledger AS
    SELECT * FROM {schema}.ledger WHERE campaign = {campaign} AND customer = {customer};
ALTER TABLE pg_temp.ledger ADD PRIMARY KEY (campaign, customer);
CREATE TEMPORARY TABLE claim AS
    SELECT c.id, c.campaign, c.pass, c.kind, ARRAY[u.customer] AS customers, ARRAY[u.at] AS times,
           ARRAY[u.version] AS versions, ARRAY[u.shown] AS shown, c.sent_at
    FROM {schema}.claim c
    CROSS JOIN LATERAL unnest(c.customers, c.times, c.versions, c.shown) AS u (customer, at, version, shown)
    WHERE c.campaign = {campaign} AND u.customer = {customer};
CREATE TEMPORARY TABLE parked AS
    SELECT * FROM {schema}.parked WHERE campaign = {campaign} AND customer = {customer};
ALTER TABLE pg_temp.parked ADD PRIMARY KEY (campaign, customer);
CREATE TEMPORARY TABLE suppression AS
    SELECT * FROM {schema}.suppression WHERE account IN ('', {account}) AND customer = {customer};
ALTER TABLE pg_temp.suppression ADD PRIMARY KEY (account, customer, origin);
CREATE TEMPORARY TABLE change (LIKE {schema}.change INCLUDING DEFAULTS);
CREATE TEMPORARY TABLE sighting (LIKE {schema}.sighting INCLUDING DEFAULTS);
"""
"""The same, of what concerns one customer: however long the ledger is, it is there at once."""


class Desk:
    """What a pass reads, stages and learns; ``alone`` gives one task at a time its connection."""

    def __init__(self, connection: Connection, account: str, row: CampaignRow, pass_id: int, clock: Clock) -> None:
        self.account, self.row, self.pass_id, self.clock = account, row, pass_id, clock
        self.list_error: SyncdError | None = None
        """Why the newest reading of the suppression list did not come to its end: until one does, nobody is added."""
        self.lists = 0
        """How often the list in force may have grown."""
        self.one_list = asyncio.Lock()
        """Held while that list is read: two readings staged into one another would each be half of it."""
        self.heard_at = clock.monotonic()
        """When the state last did what it was asked, by the steady clock."""
        self._connection = connection
        self._one_task = asyncio.Lock()

    @property
    def campaign(self) -> int:
        """Return the campaign's number in the state."""
        return self.row.id

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[Connection]:
        """Yield the connection to one task at a time; what the driver raises becomes StateUnavailable."""
        async with self._one_task:
            with state_errors():
                yield self._connection
            self.heard_at = self.clock.monotonic()


@asynccontextmanager
async def rehearse(
    database: Database, account: str, vendor_id: int, clock: Clock, *, customer: int | None = None
) -> AsyncIterator[Desk]:
    """Yield a desk for a dry run: temporary copies under the tables' own names, and a session that can write no other.

    ``customer`` has nobody else's rows copied. It takes no lock. Raise StateUnavailable.
    """
    async with connect(database) as connection:
        row = await campaigns.find(connection, account, vendor_id)
        copies = sql.SQL(COPIES if customer is None else COPIES_OF_ONE).format(
            schema=sql.Identifier(database.schema),
            campaign=sql.Literal(row.id),
            account=sql.Literal(account),
            customer=sql.Literal(customer),
        )
        with state_errors():
            await connection.execute(copies)
            await staging.create(connection)
            # From here on Postgres itself refuses to write anything but temporary tables.
            await connection.execute("SET default_transaction_read_only TO on")
        yield Desk(connection, account, row, REHEARSAL_PASS, clock)
