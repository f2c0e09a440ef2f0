"""The journal: every change with its outcome, partitioned by week so that old ones are dropped, not deleted."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString

from psycopg import sql
from psycopg.rows import class_row

from syncd.state.arrays import array
from syncd.state.database import Connection, state_errors
from syncd.words import Kind

WRITE: LiteralString = """
INSERT INTO change (at, pass, customer, campaign, http_status, kind, rule, outcome, reason, message, approved,
                    delay)
SELECT %(at)s, %(pass)s, e.customer, %(campaign)s, e.http_status, %(kind)s, e.rule, e.outcome, e.reason, e.message,
       e.approved, e.delay
FROM unnest(%(customers)s::bigint[], %(http)s::smallint[], %(rules)s::text[], %(outcomes)s::text[], %(reasons)s::text[],
            %(messages)s::text[], %(approved)s::boolean[], %(delays)s::interval[])
     AS e (customer, http_status, rule, outcome, reason, message, approved, delay)
"""

READ: LiteralString = """
SELECT j.at, j.pass AS pass_id, j.campaign, c.name, j.customer, j.kind, j.rule, j.outcome, j.reason, j.http_status,
       j.message, j.approved, j.delay
FROM change j JOIN campaign c ON c.id = j.campaign
WHERE j.at >= %(since)s AND (%(pass)s::bigint IS NULL OR j.pass = %(pass)s)
  AND (%(campaigns)s::smallint[] IS NULL OR j.campaign = ANY (%(campaigns)s))
ORDER BY j.at, j.pass, j.customer
"""

PARTS: LiteralString = """
-- A look into the catalogue, since to_regclass() may remember for a while that there was no such table.
SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%s)
"""

BLOCK: Final = 2000


@dataclass(frozen=True, slots=True)
class Entries:
    """Changes of one kind and their outcomes; all of one length."""

    customers: Sequence[int]
    http: Sequence[int | None]
    rules: Sequence[str]
    outcomes: Sequence[str]
    reasons: Sequence[str | None]
    messages: Sequence[str]
    approved: Sequence[bool]
    delays: Sequence[timedelta | None]
    """Of a suppressed customer's removal: from the read that first showed it to the answer."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One change, as the journal has it. Times are aware."""

    at: datetime
    pass_id: int
    campaign: int
    name: str
    """The campaign's section when it last ran."""
    customer: int
    kind: str
    rule: str
    outcome: str
    reason: str | None
    http_status: int | None
    message: str
    """The vendor's own words."""
    approved: bool
    """Let through by a person."""
    delay: timedelta | None
    """Of a suppressed customer's removal: from the read that first showed it to the answer."""


async def write(
    connection: Connection, campaign: int, pass_id: int, kind: Kind, at: datetime, entries: Entries
) -> None:
    """Add entries, inside the caller's transaction."""
    await connection.execute(
        WRITE,
        {
            "at": at,
            "pass": pass_id,
            "campaign": campaign,
            "kind": kind.value,
            "customers": array(entries.customers),
            "http": array(entries.http),
            "rules": array(entries.rules),
            "outcomes": array(entries.outcomes),
            "reasons": array(entries.reasons),
            "messages": array(entries.messages),
            "approved": array(entries.approved),
            "delays": array(entries.delays),
        },
    )


async def read(
    connection: Connection, since: datetime, *, pass_id: int | None = None, campaigns: Sequence[int] | None = None
) -> AsyncGenerator[Entry]:
    """Yield the changes since a time, the oldest first; of one pass or of some campaigns alone where they are given.

    The rows wait in the server, outside of any transaction: whoever reads may take as long as they like, and neither
    they nor the server keep all of them in memory. Raise StateUnavailable.
    """
    values = {"since": since, "pass": pass_id, "campaigns": None if campaigns is None else list(campaigns)}
    with state_errors():
        async with connection.cursor("journal", row_factory=class_row(Entry), withhold=True) as cursor:
            cursor.itersize = BLOCK
            await cursor.execute(READ, values)
            async for entry in cursor:
                yield entry


def _week(moment: datetime) -> datetime:
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


async def prepare(connection: Connection, now: datetime) -> bool:
    """Make the partitions of this week and the next, where they are missing; return whether any was."""
    with state_errors():
        if not await _missing(connection, now):
            return False
        async with connection.transaction():
            # All campaigns come here at once when a week begins, and a table that is being made does not exist yet.
            await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('syncd journal', 0))")
            missing = await _missing(connection, now)
            for table, start in missing:
                await connection.execute(
                    sql.SQL("CREATE TABLE {part} PARTITION OF {table} FOR VALUES FROM ({low}) TO ({high})").format(
                        part=sql.Identifier(_part(table, start)),
                        table=sql.Identifier(table),
                        low=sql.Literal(start),
                        high=sql.Literal(start + timedelta(days=7)),
                    )
                )
    return bool(missing)


async def _missing(connection: Connection, now: datetime) -> list[tuple[str, datetime]]:
    """Return which tables have no partition for which weeks."""
    wanted = [(table, _week(now) + timedelta(days=7 * n)) for n in (0, 1) for table in ("change", "sighting")]
    cursor = await connection.execute(PARTS, ([_part(table, start) for table, start in wanted],))
    made = {part for (part,) in await cursor.fetchall()}
    return [(table, start) for table, start in wanted if _part(table, start) not in made]


def _part(table: str, start: datetime) -> str:
    year, week, _ = start.isocalendar()
    return f"{table}_{year}w{week:02}"


async def forget(connection: Connection, before: datetime) -> None:
    """Drop the partitions that end before a time, and the passes that ended before it."""
    with state_errors():
        cursor = await connection.execute(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
            " JOIN pg_class parent ON parent.oid = i.inhparent"
            " WHERE parent.oid IN ('change'::regclass, 'sighting'::regclass)"
        )
        for (part,) in await cursor.fetchall():
            start = datetime.strptime(str(part).rpartition("_")[2] + "-1", "%Yw%V-%u".replace("%Y", "%G")).replace(
                tzinfo=UTC
            )
            if start + timedelta(days=7) <= before:
                await connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(str(part))))
        await connection.execute("DELETE FROM pass WHERE ended < %s", (before,))
