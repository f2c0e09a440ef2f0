"""How Postgres carries the comparison out: each big table is read once, and no row of one side seeks the other's."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from psycopg.errors import Diagnostic

from syncd.state.database import Connection
from tests.integration.plan.laying import planned
from tests.integration.plan.oracle import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUSTOMERS = 100_000
BIG = {"desired", "ledger_1", "suppressed", "parked"}

Node = dict[str, Any]

FILL = f"""
TRUNCATE desired, suppressed, planned; TRUNCATE ledger, claim, parked;
INSERT INTO desired (customer) SELECT n FROM generate_series(1, {CUSTOMERS}) n;
INSERT INTO suppressed SELECT n * 10 FROM generate_series(1, {CUSTOMERS // 10}) n;
INSERT INTO ledger (campaign, customer, presence, ours, status)
    SELECT 1, n, 'in', true, 1 FROM generate_series({CUSTOMERS // 10}, {CUSTOMERS + CUSTOMERS // 10}) n;
INSERT INTO parked (campaign, customer, reason, since, last_try)
    SELECT 1, n, 'not-in-crm', now(), now() FROM generate_series(1, {CUSTOMERS // 10}) n;
INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)
    SELECT 1, 1, 'add', array_agg(n), '{{}}', '{{}}', '{{}}', now() FROM generate_series(1, 200) n
"""


@asynccontextmanager
async def explained(connection: Connection) -> AsyncIterator[list[Node]]:
    """Yield the plans of the big statements run meanwhile, as Postgres carried them out."""
    plans: list[Node] = []

    def hear(diagnostic: Diagnostic) -> None:
        _, _, plan = (diagnostic.message_primary or "").partition("plan:\n")
        plans.append(json.loads(plan)["Plan"])

    connection.add_notice_handler(hear)
    await connection.execute(
        "LOAD 'auto_explain'; SET auto_explain.log_min_duration TO 0; SET auto_explain.log_analyze TO on;"
        " SET auto_explain.log_timing TO off; SET auto_explain.log_format TO json; SET auto_explain.log_level TO notice"
    )
    yield plans
    await connection.execute("SET auto_explain.log_min_duration TO -1")
    connection.remove_notice_handler(hear)


def nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def tables(node: Node) -> set[str]:
    return {below["Relation Name"] for below in nodes(node) if "Relation Name" in below}


def rows_read(node: Node) -> int:
    return int(node["Actual Loops"] * (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)))


async def fill(connection: Connection, *, analyzed: bool) -> None:
    if not analyzed:  # a first fill, before Postgres has looked at what was filled
        await connection.execute("TRUNCATE ledger, parked; ANALYZE ledger; ANALYZE parked")
    await connection.execute(FILL)
    # What a pass stages it analyzes itself.
    await connection.execute("ANALYZE desired; ANALYZE suppressed")
    if analyzed:
        await connection.execute("ANALYZE ledger; ANALYZE parked")


STATISTICS = pytest.mark.parametrize(
    "analyzed", [True, False], ids=["with statistics", "with those of an empty ledger"]
)


@STATISTICS
async def test_the_comparison_reads_each_big_table_once_and_seeks_no_row_of_it(
    connection: Connection, *, analyzed: bool
) -> None:
    await fill(connection, analyzed=analyzed)
    async with explained(connection) as plans:
        await planned(connection, Settings())

    [compared] = [plan for plan in plans if tables(plan) >= BIG]
    scans = Counter[str]()
    for node in nodes(compared):
        if node.get("Relation Name") in BIG:
            assert node["Node Type"] == "Seq Scan", node
            scans[node["Relation Name"]] += node["Actual Loops"]
        if node["Node Type"] == "Nested Loop":
            assert not tables(node) & BIG, node
    assert scans == dict.fromkeys(BIG, 1)


@STATISTICS
@pytest.mark.parametrize("suppressed", [100, CUSTOMERS], ids=["a short list", "a list as long as the ledger"])
async def test_the_suppression_lane_reads_no_more_of_the_ledger_than_its_list_or_the_ledger_is_long(
    connection: Connection, *, analyzed: bool, suppressed: int
) -> None:
    await fill(connection, analyzed=analyzed)
    await connection.execute(
        "TRUNCATE suppressed;"
        f" INSERT INTO suppressed SELECT n + {CUSTOMERS // 10} FROM generate_series(1, {suppressed}) n;"
        " ANALYZE suppressed"
    )
    async with explained(connection) as plans:
        await planned(connection, Settings(), suppressed_only=True)

    [compared] = [plan for plan in plans if tables(plan) >= BIG - {"desired"}]
    read = Counter[str]()
    for node in nodes(compared):
        if "Relation Name" in node:
            read[node["Relation Name"]] += rows_read(node)
    assert "desired" not in read
    assert suppressed <= read["ledger_1"] <= min(2 * suppressed, 1.1 * CUSTOMERS)
