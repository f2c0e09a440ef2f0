"""What the state keeps of each campaign as a whole: its identity, its schedule, its condition, its passes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from psycopg import sql
from psycopg.rows import class_row

from syncd.state.database import Connection, state_errors
from syncd.words import Condition

UNREGISTERED = 0
"""The number of a campaign that no pass has run over: its ledger is empty."""


class Result(StrEnum):
    """How a pass ended."""

    GOOD = "good"
    PARTIAL = "partial"
    HELD = "held"
    BLOCKED = "blocked"
    FAILED = "failed"
    PAUSED = "paused"
    STOPPED = "stopped"
    """Told to stop; what was in flight is recorded, the rest is the next pass's."""
    DIED = "died"

    def condition(self) -> Condition | None:
        """Return the condition that a campaign has after such a pass; None leaves the one it had."""
        return _CONDITIONS.get(self)


_CONDITIONS = {
    Result.GOOD: Condition.OK,
    Result.PARTIAL: Condition.PARTIAL,
    Result.HELD: Condition.HELD,
    Result.BLOCKED: Condition.BLOCKED,
    Result.FAILED: Condition.FAILING,
    Result.PAUSED: Condition.PAUSED,
}


@dataclass(frozen=True, slots=True)
class CampaignRow:
    """A campaign as the state knows it. Times are aware."""

    id: int
    name: str
    has_ledger: bool
    """Its part of the ledger has been made."""
    condition: str
    since: datetime | None
    due_at: datetime | None
    listed_at: datetime | None
    list_tried_at: datetime | None
    observe_due: bool
    short_listings: int
    failures: int
    """Failed passes in a row."""
    running: int | None
    paused_at: datetime | None
    paused_by: str | None
    pause_reason: str | None


NEVER_RUN = CampaignRow(
    UNREGISTERED, "", False, Condition.NEW.value, None, None, None, None, False, 0, 0, None, None, None, None
)

FIND = """
SELECT id, name, to_regclass('ledger_' || id) IS NOT NULL AS has_ledger, condition, since, due_at, listed_at,
       list_tried_at, observe_due, short_listings, failures, running, paused_at, paused_by, pause_reason
FROM campaign WHERE account = %s AND vendor_id = %s
"""

BEGIN = """
WITH before AS (
    SELECT running, running_since, running_host FROM campaign WHERE id = %(campaign)s FOR UPDATE
), died AS (
    INSERT INTO pass (id, campaign, kind, began, host, observed, result, sentence, counts)
    SELECT running, %(campaign)s, 'unknown', running_since, running_host, false, 'died', 'The pass did not end.', '{}'
    FROM before WHERE running IS NOT NULL
)
UPDATE campaign SET running = nextval('pass_id'), running_since = %(now)s, running_host = %(host)s
FROM before WHERE id = %(campaign)s
RETURNING campaign.running, before.running IS NOT NULL
"""

END = """
WITH stands AS (
    UPDATE campaign SET
        running = NULL, running_since = NULL, running_host = NULL,
        failures = CASE WHEN %(failed)s THEN least(failures + 1, 1000) ELSE 0 END,
        since = CASE WHEN condition IS DISTINCT FROM coalesce(%(condition)s, condition) THEN %(ended)s ELSE since END,
        condition = coalesce(%(condition)s, condition),
        listed_at = CASE WHEN %(observed)s THEN %(began)s ELSE listed_at END,
        list_tried_at = CASE WHEN %(observed)s OR %(short)s THEN %(began)s ELSE list_tried_at END,
        observe_due = %(observe_due)s OR (observe_due AND NOT %(observed)s),
        short_listings = CASE WHEN %(observed)s THEN 0
                              WHEN %(short)s THEN least(short_listings + 1, 1000)
                              ELSE short_listings END
    WHERE id = %(campaign)s
), extended AS (    -- a pass without news needs no row of its own after another without
    UPDATE pass SET ended = %(ended)s, passes = passes + 1, host = %(host)s, kind = %(kind)s,
        observed = observed OR %(observed)s, sentence = %(sentence)s, counts = %(counts)s
    WHERE NOT %(news)s AND id = (SELECT max(id) FROM pass WHERE campaign = %(campaign)s)
        AND result = %(result)s AND NOT (counts ->> 'news')::boolean
    RETURNING id
)
INSERT INTO pass (id, campaign, kind, began, ended, host, observed, result, sentence, counts)
SELECT %(id)s, %(campaign)s, %(kind)s, %(began)s, %(ended)s, %(host)s, %(observed)s, %(result)s, %(sentence)s,
       %(counts)s
WHERE NOT EXISTS (SELECT FROM extended)
"""


@dataclass(frozen=True, slots=True)
class Begun:
    """A pass under way: its number, and whether the one before it died."""

    id: int
    previous_died: bool


@dataclass(frozen=True, slots=True)
class Ended:
    """How a pass ended, for the record."""

    id: int
    kind: str
    began: datetime
    ended: datetime
    host: str
    result: Result
    sentence: str
    observed: bool
    """A whole listing was absorbed."""
    short_listing: bool
    """The listing was read and was not whole."""
    observe_due: bool
    news: bool
    """Something was changed, refused or went wrong; else the pass extends the last row without news."""
    counts: Mapping[str, object]


async def find(connection: Connection, account: str, vendor_id: int) -> CampaignRow:
    """Return the campaign's row, or NEVER_RUN. Raise StateUnavailable."""
    with state_errors():
        async with connection.cursor(row_factory=class_row(CampaignRow)) as cursor:
            await cursor.execute(FIND, (account, vendor_id))
            return await cursor.fetchone() or NEVER_RUN


async def register(connection: Connection, account: str, vendor_id: int, name: str) -> CampaignRow:
    """Return the campaign's row, made with its part of the ledger where it is new; the section's name is kept up."""
    row = await find(connection, account, vendor_id)
    with state_errors():
        if row is NEVER_RUN:
            await connection.execute(
                "INSERT INTO campaign (account, vendor_id, name) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
                (account, vendor_id, name),
            )
            row = await find(connection, account, vendor_id)
        if not row.has_ledger:
            # HOT updates need room on the page: most rows change a few times in their life.
            await connection.execute(
                sql.SQL(
                    "CREATE TABLE IF NOT EXISTS {part} PARTITION OF ledger FOR VALUES IN ({id}) WITH (fillfactor = 85)"
                ).format(part=sql.Identifier(f"ledger_{row.id}"), id=sql.Literal(row.id))
            )
        if row.name != name:
            await connection.execute("UPDATE campaign SET name = %s WHERE id = %s", (name, row.id))
    return row


async def begin_pass(connection: Connection, campaign: int, now: datetime, host: str) -> Begun:
    """Take a number for a pass. A pass that never ended is put on record as died."""
    with state_errors():
        cursor = await connection.execute(BEGIN, {"campaign": campaign, "now": now, "host": host})
        number, previous_died = await cursor.fetchone() or (0, False)
    return Begun(id=int(str(number)), previous_died=bool(previous_died))


async def end_pass(connection: Connection, campaign: int, ended: Ended) -> None:
    """Put a pass on record, and the campaign's condition with it."""
    condition = ended.result.condition()
    values = {
        "campaign": campaign,
        "id": ended.id,
        "kind": ended.kind,
        "began": ended.began,
        "ended": ended.ended,
        "host": ended.host,
        "observed": ended.observed,
        "result": ended.result.value,
        "sentence": ended.sentence,
        "counts": json.dumps(ended.counts),
        "news": ended.news,
        "condition": condition.value if condition else None,
        "short": ended.short_listing,
        "observe_due": ended.observe_due,
        "failed": ended.result is Result.FAILED,
    }
    with state_errors():
        await connection.execute(END, values)


async def crashed(connection: Connection, account: str, vendor_id: int, now: datetime) -> int:
    """Put on record that a pass ended in a way that is a bug; return how many have failed in a row.

    The pass itself is put on record as died by the one after it. Raise StateUnavailable.
    """
    with state_errors():
        cursor = await connection.execute(
            """
            UPDATE campaign SET failures = least(failures + 1, 1000), condition = 'failing',
                since = CASE WHEN condition = 'failing' THEN since ELSE %s END
            WHERE account = %s AND vendor_id = %s RETURNING failures
            """,
            (now, account, vendor_id),
        )
        return int(str((await cursor.fetchone() or (1,))[0]))


def listing_is_due(row: CampaignRow, list_every: timedelta | None, now: datetime, *, previous_died: bool) -> bool:
    """Return whether a pass has to observe.

    Always without ``list_every``; at once after a pass that died; else every ``list_every``, and at most four times in
    that time after an answer that the ledger did not foresee or a listing that was not whole.
    """
    if list_every is None or row.list_tried_at is None or previous_died:
        return True
    if now - row.list_tried_at < list_every / 4:
        return False
    return row.observe_due or row.listed_at is None or now - row.listed_at >= list_every
