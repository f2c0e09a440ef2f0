"""The overview and the journal over a filled state: whatever its size, they touch the rows that they tell of."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from query_plans import explained, scans

from syncd.state import journal, overview, passes
from syncd.state.database import Connection, Database, connect
from syncd.state.migrate import migrate

CAMPAIGNS = 20
PASSES = 2000
JOURNAL = 60_000
PARKED = 3000

FILL = f"""
INSERT INTO campaign (account, vendor_id, name, condition) SELECT 'acme', n, 'c' || n, 'failing'
    FROM generate_series(1, {CAMPAIGNS}) n;
-- Two good passes, and failing ones ever since.
INSERT INTO pass (id, campaign, kind, began, ended, host, observed, result, sentence, counts)
    SELECT n * 100 + c, c, 'run', now() - ({PASSES} - n) * interval '5 min', now() - ({PASSES} - n) * interval '5 min',
           'alpha', n <= 2, CASE WHEN n <= 2 THEN 'good' ELSE 'failed' END, '',
           CASE WHEN n <= 2 THEN '{{"desired": 7, "listed": 6, "ours": 5, "foreign": 1, "completed": 2, "suppressed": 3,
                                    "outcomes": {{"add": {{"done": 1}}}}}}' ELSE '{{"listed": null}}' END::jsonb
    FROM generate_series(1, {PASSES}) n, generate_series(1, {CAMPAIGNS}) c;
INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome)
    SELECT now() - n * interval '10 s', {PASSES} * 100 - n / 10, n, 1 + n % {CAMPAIGNS}, 'add', 'new', 'done'
    FROM generate_series(1, {JOURNAL}) n;
-- Removals that the last pass but the failing ones had to defer. One was done since, by the suppression lane.
INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome)
    SELECT now() - p * interval '1 hour', CASE p WHEN 0 THEN 201 ELSE 101 END, 500000 + n, 1, 'remove',
           'dropped-busy', 'deferred'
    FROM generate_series(1, 3) n, generate_series(0, 1) p;
INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome)
    VALUES (now() + interval '1 s', 301, 500003, 1, 'remove', 'suppressed-with-agent', 'done');
INSERT INTO parked (campaign, customer, reason, since, last_try, given_up)
    SELECT 1 + n % 3, n, 'not-in-crm', now(), now(), n % 30 = 0 FROM generate_series(1, {PARKED}) n;
INSERT INTO suppressed_record (campaign, customer, shown_at, removed_at)
    SELECT 1, n, now(), now() FROM generate_series(1, {JOURNAL}) n;
INSERT INTO suppressed_record (campaign, customer, shown_at) VALUES (1, 7, now() - interval '1 hour');
CREATE TABLE ledger_1 PARTITION OF ledger FOR VALUES IN (1);
INSERT INTO ledger (campaign, customer, presence, ours) SELECT 1, n, 'in', true FROM generate_series(1, {JOURNAL}) n;
ANALYZE
"""

COUNTED = {"parked"}
"""Who is parked is counted, row by row."""


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    """A connection to a filled state."""
    there = Database(database, "syncd")
    await asyncio.to_thread(migrate, there)
    async with connect(there) as connection:
        await journal.prepare(connection, datetime.now(UTC) - timedelta(weeks=1))
        await journal.prepare(connection, datetime.now(UTC))
        await connection.execute(FILL.encode())
        yield connection


async def test_every_statement_of_the_overview_touches_few_rows_of_what_grows(connection: Connection) -> None:
    values = {"campaigns": list(range(1, CAMPAIGNS + 1)), "now": datetime.now(UTC), "recent": overview.RECENT}
    statements = {name: query for name, query in vars(overview).items() if name.isupper() and isinstance(query, str)}
    names = statements.keys() - {"GIVEN_UP", "CAMPAIGNS", "HELD_KEYS"}
    assert len(names) == 9
    for name in names:
        touched = dict[str, float]()
        for table, rows in scans(await explained(connection, statements[name], values)):
            assert not table.startswith("ledger"), "nothing counts the ledger"
            touched[table] = touched.get(table, 0) + rows
        limit = CAMPAIGNS * (overview.RECENT + 1)
        assert all(rows <= limit for table, rows in touched.items() if table not in COUNTED), (name, touched)


async def test_the_overview_tells_of_each_campaign_what_its_last_passes_left(connection: Connection) -> None:
    now = datetime.now(UTC)
    wanted = {f"section {n}": ("acme", n) for n in range(1, CAMPAIGNS + 1)}
    found = await overview.overview(connection, wanted | {"unknown": ("other", 1)}, now)
    assert list(found) == [*wanted, "unknown"]
    assert found["unknown"] == overview.Overview("unknown", "other", 1)

    first = found["section 1"]
    assert first.last_pass is not None
    assert (first.last_pass.id, first.last_pass.result) == (PASSES * 100 + 1, "failed")
    assert first.last_good_at is not None
    assert first.counts == overview.Counts(7, 6, 5, 1, 2, 3, added=1, removed=0, as_of=first.last_good_at)
    assert len(first.recent) == overview.RECENT
    assert list(first.recent) == sorted(first.recent, key=lambda one: one.began)
    assert first.parked == {"given-up": 100, "not-in-crm": 900}
    assert first.given_up == 100
    assert first.suppressed_in is not None
    assert first.suppressed_in.customers == 1
    assert first.deferred is not None
    assert first.deferred.customers == 2
    assert timedelta(minutes=59) < now - first.deferred.since < timedelta(minutes=61), "from the first refusal in a row"
    assert found["section 2"].deferred is None


async def test_history_reads_no_more_passes_than_it_shows(connection: Connection) -> None:
    plan = await explained(connection, passes.HISTORY, {"campaigns": list(range(1, CAMPAIGNS + 1)), "limit": 20})
    assert sum(rows for _, rows in scans(plan)) <= CAMPAIGNS * 20
    newest = await passes.history(connection, [1, 2], 3)
    assert [one.id for one in newest] == [PASSES * 100 + 2, PASSES * 100 + 1, PASSES * 100 - 98]


async def test_the_changes_of_a_pass_are_found_by_it_and_those_of_an_hour_by_their_time(connection: Connection) -> None:
    now = datetime.now(UTC)
    of_pass = {"since": now - timedelta(days=30), "pass": PASSES * 100 - 5, "campaigns": None}
    touched = sum(
        rows for table, rows in scans(await explained(connection, journal.READ, of_pass)) if "change" in table
    )
    assert touched == 10
    assert len([entry async for entry in journal.read(connection, now - timedelta(days=30), pass_id=199_995)]) == 10

    hour = now - timedelta(hours=1)
    of_an_hour = {"since": hour, "pass": None, "campaigns": [1, 2]}
    plan = await explained(connection, journal.READ, of_an_hour)
    assert sum(rows for table, rows in scans(plan) if "change" in table) < JOURNAL / 2
    found = [entry async for entry in journal.read(connection, hour, campaigns=[1, 2])]
    assert 36 <= len(found) <= 44
    assert all(entry.at >= hour and entry.campaign in (1, 2) for entry in found)
    assert found == sorted(found, key=lambda entry: entry.at)
