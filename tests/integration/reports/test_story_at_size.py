"""The story of one customer over a filled state: it is looked up, however many others there are."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from query_plans import explained, scans

from syncd.clock import SystemClock
from syncd.state import journal, story
from syncd.state.database import Connection, Database, connect
from syncd.state.desk import rehearse
from syncd.state.migrate import migrate

CUSTOMERS = 5000
CUSTOMER = 777

FILL = f"""
INSERT INTO campaign (account, vendor_id, name) VALUES ('acme', 1, 'renewals');
CREATE TABLE ledger_1 PARTITION OF ledger FOR VALUES IN (1);
INSERT INTO ledger (campaign, customer, presence, ours) SELECT 1, n, 'in', true FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO parked (campaign, customer, reason, since, last_try)
    SELECT 1, n, 'not-in-crm', now(), now() FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO held_plan (campaign, digest, pass, since, seen_at, sentences, figures, removals, additions)
    VALUES (1, 'digest', 1, now(), now(), '{{}}', '{{}}', 0, {CUSTOMERS});
INSERT INTO held_change (campaign, customer, kind, rule)
    SELECT 1, n, 'add', 'new' FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO approval (campaign, digest, by, at, expires_at) VALUES (1, 'digest', 'somebody', now(), now());
INSERT INTO approved_change (campaign, customer, kind, approval)
    SELECT 1, n, 'add', 1 FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)
    VALUES (1, 1, 'add', ARRAY[776, 777], ARRAY[now(), NULL], ARRAY['a', 'b'], ARRAY[true, false], now());
INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome)
    SELECT now() - w * interval '7 days', 1, n, 1, 'add', 'new', 'done'
    FROM generate_series(1, {CUSTOMERS}) n, generate_series(0, 1) w;
INSERT INTO sighting (seen_at, customer, campaign, status, status_code, disposition)
    SELECT now() - w * interval '7 days', n, 1, 3, 0, 1000
    FROM generate_series(1, {CUSTOMERS}) n, generate_series(0, 1) w;
INSERT INTO suppressed_record (campaign, customer, shown_at) SELECT 1, n, now() FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO suppression (account, customer, origin, reason, since, by)
    SELECT 'acme', n, 'disposition', 'disposition 2004', now(), 'syncd' FROM generate_series(1, {CUSTOMERS}) n;
ANALYZE
"""


@pytest.fixture
async def state(database: str) -> Database:
    there = Database(database, "syncd")
    await asyncio.to_thread(migrate, there)
    async with connect(there) as connection:
        for weeks in (1, 0):
            await journal.prepare(connection, datetime.now(UTC) - timedelta(weeks=weeks))
        await connection.execute(FILL.encode())
    return there


@pytest.fixture
async def connection(state: Database) -> AsyncIterator[Connection]:
    async with connect(state) as opened:
        yield opened


async def test_each_look_up_touches_the_rows_that_it_tells_of(connection: Connection) -> None:
    values = {"campaign": 1, "customer": CUSTOMER, "most": story.MOST}
    statements = {name: query for name, query in vars(story).items() if name.isupper() and isinstance(query, str)}
    names = statements.keys() - {"CAMPAIGNS"}
    assert len(names) == 8
    for name in names:
        touched = list(scans(await explained(connection, statements[name], values)))
        assert touched, name
        assert sum(rows for _, rows in touched) <= 6, (name, touched)


async def test_the_story_has_what_concerns_the_customer_and_nothing_else(connection: Connection) -> None:
    found = await story.story(connection, 1, CUSTOMER)
    assert found.ledger is not None
    assert found.parked is not None
    assert found.parked.customer == CUSTOMER
    assert [held.digest for held in found.held] == ["digest"]
    assert [given.by for given in found.approved] == ["somebody"]
    assert [claim.kind for claim in found.claims] == ["add"]
    assert len(found.suppressed) == 1
    for several in (found.changes, found.sightings):
        assert len(several) == 2
    assert [change.customer for change in found.changes] == [CUSTOMER] * 2
    assert found.changes[0].at < found.changes[1].at
    assert (await story.story(connection, 1, CUSTOMERS + 1)).empty


async def test_a_rehearsal_for_one_customer_copies_nobody_else(state: Database) -> None:
    async with rehearse(state, "acme", 1, SystemClock(), customer=CUSTOMER) as desk, desk.alone() as connection:
        for table in ("ledger", "parked", "suppression"):
            cursor = await connection.execute(f"SELECT customer FROM pg_temp.{table}".encode())
            assert await cursor.fetchall() == [(CUSTOMER,)], table
        cursor = await connection.execute("SELECT customers, times, versions, shown FROM pg_temp.claim")
        assert await cursor.fetchall() == [([CUSTOMER], [None], ["b"], [False])]
