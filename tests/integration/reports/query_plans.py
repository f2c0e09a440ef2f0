"""What a query touches, as Postgres carried it out."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, LiteralString

from syncd.state.database import Connection

Node = dict[str, Any]


async def explained(connection: Connection, query: LiteralString, values: Mapping[str, object]) -> Node:
    """Return the plan of a query as Postgres carried it out."""
    cursor = await connection.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + query, values)
    [row] = await cursor.fetchall()
    plan = row[0] if isinstance(row[0], list) else json.loads(str(row[0]))
    found: Node = plan[0]["Plan"]
    return found


def scans(node: Node) -> Iterator[tuple[str, float]]:
    """Yield each table that a plan reads, with the rows that it touches of it."""
    if "Relation Name" in node:
        removed = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
        yield node["Relation Name"], (node["Actual Rows"] + removed) * node["Actual Loops"]
    for child in node.get("Plans", ()):
        yield from scans(child)
