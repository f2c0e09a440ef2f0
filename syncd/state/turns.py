"""Turns: when each campaign is due stands in the state, so that any number of hosts share the work.

Whoever finds a campaign due takes the turn, which puts the next one into the state: the others then find it not due.
A pass that runs, on whichever host, has the campaign's lock, and a campaign whose lock is held is not due. A pass that
began, has not ended and has no lock died; it is made up for at once, by one host, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

from syncd.state.database import Connection
from syncd.state.lock import HELD_KEYS, lock_key

WANTED: LiteralString = (
    """
WITH wanted AS (
    SELECT * FROM unnest(%(accounts)s::text[], %(ids)s::bigint[], %(keys)s::text[], %(ends)s::timestamptz[])
        WITH ORDINALITY AS w (account, vendor_id, key, no_later_than, place)),
locks AS MATERIALIZED ("""
    + HELD_KEYS
    + """),
due AS (
    SELECT w.place, w.account, w.vendor_id, c.id, c.due_at, c.running, c.taken_over
    FROM wanted w LEFT JOIN campaign c ON c.account = w.account AND c.vendor_id = w.vendor_id
    WHERE hashtextextended(w.key, 0) NOT IN (SELECT key FROM locks)
      AND (c.id IS NULL OR c.due_at IS NULL OR c.due_at <= %(now)s
           -- Beyond anything that is planned: from a clock that was wrong.
           OR c.due_at > w.no_later_than
           OR c.running IS NOT NULL AND c.running IS DISTINCT FROM c.taken_over))
"""
)

LOOK: LiteralString = (
    WANTED
    + """
SELECT place, due_at, coalesce(running IS NOT NULL AND running IS DISTINCT FROM taken_over, false) FROM due
ORDER BY place
"""
)

TAKE: LiteralString = (
    WANTED
    + """,
taken AS (
    UPDATE campaign c SET due_at = %(next)s, taken_over = c.running FROM due d
    -- Looked at again by whoever had to wait for another's turn.
    WHERE c.id = d.id AND c.due_at IS NOT DISTINCT FROM d.due_at AND c.running IS NOT DISTINCT FROM d.running
    RETURNING c.id),
made AS (
    -- The first of them, where several ask at once.
    INSERT INTO campaign (account, vendor_id, name, due_at)
    SELECT account, vendor_id, %(name)s, %(next)s FROM due WHERE id IS NULL
    ON CONFLICT DO NOTHING RETURNING id)
SELECT (SELECT count(*) FROM taken) + (SELECT count(*) FROM made) > 0
"""
)

PLAN: LiteralString = """
UPDATE campaign SET due_at = %(at)s, taken_over = running WHERE account = %(account)s AND vendor_id = %(vendor_id)s
"""

PLAN_ANEW: LiteralString = """
UPDATE campaign SET due_at = %(at)s WHERE account = %(account)s AND vendor_id = %(vendor_id)s AND due_at > %(now)s
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A campaign that is to run, and the latest time for which a pass of it is ever planned."""

    name: str
    account: str
    vendor_id: int
    no_later_than: datetime


@dataclass(frozen=True, slots=True)
class Due:
    """A campaign that is due."""

    wanted: Wanted
    at: datetime | None
    """Since when; None: nothing was ever planned."""
    died: bool
    """Its last pass died, and nobody has made up for it."""


async def due(connection: Connection, wanted: Sequence[Wanted], now: datetime) -> list[Due]:
    """Return which campaigns are due now. Raise StateUnavailable."""
    cursor = await connection.execute(LOOK, _values(wanted, now))
    rows: list[tuple[Any, ...]] = await cursor.fetchall()
    return [Due(wanted[place - 1], at, died) for place, at, died in rows]


async def take(connection: Connection, wanted: Wanted, now: datetime, *, following: datetime) -> bool:
    """Take the turn of a campaign if it is due, and plan the following one; return whether it was.

    Of several that ask at once one is told so. A campaign that the state did not know is known from now on. Raise
    StateUnavailable.
    """
    cursor = await connection.execute(TAKE, _values([wanted], now) | {"name": wanted.name, "next": following})
    return bool((await cursor.fetchone() or (False,))[0])


async def plan(connection: Connection, wanted: Wanted, at: datetime) -> None:
    """Plan the next turn for a time, whatever was planned; a pass that died is not made up for before."""
    await connection.execute(PLAN, {"account": wanted.account, "vendor_id": wanted.vendor_id, "at": at})


async def plan_anew(connection: Connection, wanted: Wanted, at: datetime, now: datetime) -> None:
    """Plan the next turn for a time, unless it has come: who is due stays due."""
    values = {"account": wanted.account, "vendor_id": wanted.vendor_id, "at": at, "now": now}
    await connection.execute(PLAN_ANEW, values)


def _values(wanted: Sequence[Wanted], now: datetime) -> dict[str, Any]:
    return {
        "accounts": [one.account for one in wanted],
        "ids": [one.vendor_id for one in wanted],
        "keys": [lock_key(one.account, one.vendor_id) for one in wanted],
        "ends": [one.no_later_than for one in wanted],
        "now": now,
    }
