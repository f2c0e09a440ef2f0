"""Notices: how a campaign is, as far as people are told of it, and what each of them was told last.

Everything that is told is derived from the state: what could not be delivered is due again with the next look, on any
host and over restarts.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, LiteralString

from syncd.errors import StateUnavailable
from syncd.state import held
from syncd.state.database import Connection, state_errors
from syncd.state.held import HeldPlan
from syncd.words import Condition

REMEMBERED: Final = timedelta(days=1)
"""How long a list that suppresses many stays worth telling, while nobody can be reached."""


class Subject(StrEnum):
    """What a notice is about. A campaign has each of them at most once."""

    LATE_SUPPRESSION = "late-suppression"
    """A suppressed customer is not out of the campaign for too long."""
    MANY_SUPPRESSIONS = "many-suppressions"
    """The suppression list named more customers of the campaign at once than removals are allowed."""
    TROUBLE = "trouble"
    """The campaign's condition is none that it should be in."""
    END = "end"
    """The campaign's end-time is near."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a receiver was told of a subject that is not over."""

    what: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Situation:
    """How a campaign is. Times are aware."""

    campaign: int
    condition: Condition
    since: datetime
    trouble_since: datetime | None
    """The end of the first pass that was not good since the last good or paused one; None: the last one was."""
    sentence: str
    """What the last pass that was not good says of itself."""
    held: HeldPlan | None
    """What waits for a person."""
    late: int
    """Suppressed customers who are not known to be out for longer than they may be."""
    late_since: datetime | None
    many: int
    """Customers of the campaign whom one reading of the suppression list named; 0: none named many within a day."""
    many_at: datetime | None


SITUATION: LiteralString = """
SELECT c.id, c.condition, c.since, began.ended, coalesce(last.sentence, ''), late.customers, late.since,
       coalesce(many.customers, 0), many.shown_at
FROM campaign c
CROSS JOIN LATERAL (
    SELECT coalesce(max(id), 0) AS id FROM pass WHERE campaign = c.id AND result IN ('good', 'paused')) fine
LEFT JOIN LATERAL (
    SELECT ended FROM pass
    WHERE campaign = c.id AND id > fine.id AND result IN ('partial', 'held', 'blocked', 'failed')
    ORDER BY id LIMIT 1) began ON true
LEFT JOIN LATERAL (
    SELECT sentence FROM pass
    WHERE campaign = c.id AND id > fine.id AND result IN ('partial', 'held', 'blocked', 'failed')
    ORDER BY id DESC LIMIT 1) last ON true
CROSS JOIN LATERAL (
    SELECT count(*) AS customers, min(shown_at) AS since FROM suppressed_record
    WHERE campaign = c.id AND removed_at IS NULL AND left_at IS NULL AND shown_at < %(late)s) late
-- Whom one reading names has one time.
LEFT JOIN LATERAL (
    SELECT shown_at, count(*) AS customers FROM suppressed_record
    WHERE campaign = c.id AND shown_at > %(remembered)s AND %(many)s > 0
    GROUP BY shown_at HAVING count(*) > %(many)s ORDER BY shown_at DESC LIMIT 1) many ON true
WHERE c.account = %(account)s AND c.vendor_id = %(vendor_id)s
"""


async def situation(
    connection: Connection, account: str, vendor_id: int, now: datetime, *, late: timedelta, many: int
) -> Situation | None:
    """Return how a campaign is; None where no pass has run over it. Raise StateUnavailable.

    A suppression is late after ``late``; a list that names more than ``many`` customers names many, 0: none does.
    """
    values = {
        "account": account,
        "vendor_id": vendor_id,
        "late": now - late,
        "many": many,
        "remembered": now - REMEMBERED,
    }
    with state_errors():
        row = await (await connection.execute(SITUATION, values)).fetchone()
        if row is None:
            return None
        number, condition, since, trouble_since, sentence, *suppressions = row
        plan = await held.find(connection, int(str(number)))
    return Situation(number, Condition(str(condition)), since, trouble_since, sentence, plan, *suppressions)  # type: ignore[arg-type]


@asynccontextmanager
async def turn(connection: Connection, account: str, vendor_id: int) -> AsyncIterator[bool]:
    """Yield whether it is this connection's turn to tell of a campaign: two at a time would tell everything twice."""
    key = f"syncd notices {account}\n{vendor_id}"
    with state_errors():
        cursor = await connection.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", (key,))
        ours = bool((await cursor.fetchone() or (False,))[0])
    try:
        yield ours
    finally:
        if ours:
            # A connection that is lost has given the lock back.
            with suppress(StateUnavailable), state_errors():
                await connection.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", (key,))


async def told(connection: Connection, campaign: int, receivers: int) -> Mapping[int, Mapping[Subject, Told]]:
    """Return what each receiver was told, by its place from 1; what stands of places beyond the last is forgotten."""
    found: dict[int, dict[Subject, Told]] = defaultdict(dict)
    with state_errors():
        await connection.execute("DELETE FROM notice WHERE campaign = %s AND receiver > %s", (campaign, receivers))
        cursor = await connection.execute(
            "SELECT receiver, subject, told, told_at FROM notice WHERE campaign = %s", (campaign,)
        )
        rows: list[tuple[int, str, list[str], datetime]] = await cursor.fetchall()  # type: ignore[assignment]
    for receiver, subject, what, at in rows:
        found[receiver][Subject(subject)] = Told(tuple(what), at)
    return found


async def keep(connection: Connection, campaign: int, receiver: int, subject: Subject, what: Told) -> None:
    """Note what a receiver was told last of a subject. Raise StateUnavailable."""
    with state_errors():
        await connection.execute(
            """
            INSERT INTO notice (campaign, receiver, subject, told, told_at) VALUES (%s, %s, %s, %s, %s)
            ON CONFLICT (campaign, receiver, subject) DO UPDATE SET told = excluded.told, told_at = excluded.told_at
            """,
            (campaign, receiver, subject.value, list(what.what), what.at),
        )


async def forget(connection: Connection, campaign: int, receiver: int, subject: Subject) -> None:
    """Note that a receiver knows that a subject is over. Raise StateUnavailable."""
    with state_errors():
        await connection.execute(
            "DELETE FROM notice WHERE campaign = %s AND receiver = %s AND subject = %s",
            (campaign, receiver, subject.value),
        )
