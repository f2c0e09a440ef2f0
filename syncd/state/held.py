"""What the guard holds, with its customers, and what a person has approved of it.

A held plan has a digest; it stays as long as all its changes are still planned, so that what a person looked at is what
they approve, even in a campaign whose plan grows with each pass. An approval frees each of exactly those changes once.
"""

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, LiteralString

from psycopg.rows import class_row

from syncd.errors import ApprovalRefused
from syncd.guard import Refusal
from syncd.state import baseline
from syncd.state.baseline import Figures
from syncd.state.database import Connection
from syncd.words import Rule

APPROVED_FOR: Final = timedelta(hours=24)
BLOCK: Final = 2000

AFTER_LISTING: Final = (
    Rule.VANISHED,
    Rule.COMPLETED_RECALL,
    Rule.ADOPT,
    Rule.TIME_CHANGED,
    Rule.DROPPED,
    Rule.FOREIGN_DROPPED,
    Rule.DROPPED_BUSY,
)
"""Rows of the decision table whose changes only a pass that observed can plan."""

FREE: LiteralString = """
UPDATE planned p SET freed = true
FROM approved_change c JOIN approval a ON a.id = c.approval
WHERE c.campaign = %(campaign)s AND c.customer = p.customer AND c.used_at IS NULL AND a.expires_at > %(now)s
      -- What vanished is added, and what was dropped removed, by a pass that observed: until then it is approved all
      -- the same, and no reason to hold anything else.
      AND c.kind = coalesce(p.kind, CASE p.rule WHEN 'vanished' THEN 'add'
                                                WHEN 'dropped' THEN 'remove'
                                                WHEN 'foreign-dropped' THEN 'remove' END)
"""

HELD_NOW: LiteralString = """
INSERT INTO held_now
SELECT customer, kind, rule, wanted_at FROM planned
WHERE NOT freed AND rule <> 'owed' AND (
    queue = 1 AND %(removals)s OR queue = 2 AND kind = 'add' AND %(additions)s
    OR queue IN (3, 4) AND (%(removals)s OR %(additions)s) OR kind = 'adopt' AND %(additions)s)
"""

NOT_JUDGED: LiteralString = """
SELECT customer, kind, rule, wanted_at FROM held_change
WHERE campaign = %(campaign)s
  AND (NOT %(observed)s AND rule = ANY (%(after_listing)s) OR NOT %(adding)s AND kind <> 'remove')
"""

STANDING: LiteralString = (
    """
WITH held AS (SELECT * FROM held_change WHERE campaign = %(campaign)s), kept AS ("""
    + NOT_JUDGED
    + """)
SELECT coalesce(bool_or(kind IN ('remove', 'reschedule', 'recall')), false),
       coalesce((SELECT bool_or(kind IN ('add', 'adopt')) FROM held WHERE EXISTS (SELECT FROM kept)), false)
FROM kept
"""
)

KEPT_NOW: LiteralString = (
    """
INSERT INTO held_now (customer, kind, rule, wanted_at)
SELECT customer, kind, rule, wanted_at FROM ("""
    + NOT_JUDGED
    + """) k
WHERE NOT EXISTS (SELECT FROM held_now n WHERE n.customer = k.customer AND n.kind = k.kind)
"""
)

DIGEST: LiteralString = """
SELECT left(md5(concat_ws('/', %(campaign)s::text, count(*), sum(hashtextextended(customer || kind, 0)::numeric))), 12)
FROM held_now
"""

STILL_PLANNED: LiteralString = """
SELECT digest FROM held_plan h
WHERE campaign = %(campaign)s AND NOT EXISTS (
    SELECT FROM held_change c LEFT JOIN held_now n USING (customer, kind)
    WHERE c.campaign = %(campaign)s AND n.customer IS NULL)
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """What of the plan on record stays held because a pass cannot judge it anew."""

    removals: bool
    additions: bool
    sentences: Sequence[str]


@dataclass(frozen=True, slots=True)
class HeldPlan:
    """A plan that waits for a person. Times are aware."""

    campaign: int
    digest: str
    since: datetime
    sentences: Sequence[str]
    removals: int
    additions: int


@dataclass(frozen=True, slots=True)
class HeldChange:
    """One change that waits for a person. Times are aware."""

    customer: int
    kind: str
    rule: str
    wanted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Approval:
    """An approval just given."""

    changes: int
    expires_at: datetime


async def free_approved(connection: Connection, campaign: int, now: datetime) -> int:
    """Mark in ``planned`` what a person has approved; return how many changes."""
    return (await connection.execute(FREE, {"campaign": campaign, "now": now})).rowcount


async def standing(connection: Connection, campaign: int, *, observed: bool, adding: bool) -> Standing:
    """Return what of the plan on record a pass cannot judge anew: it stays held.

    A pass that did not observe plans no removals, and one that could not read the suppression list adds nobody.
    """
    cursor = await connection.execute(STANDING, _standing(campaign, observed=observed, adding=adding))
    removals, additions = await cursor.fetchone() or (False, False)
    plan = await find(connection, campaign) if removals or additions else None
    return Standing(bool(removals), bool(additions), plan.sentences if plan else ())


def _standing(campaign: int, *, observed: bool, adding: bool) -> dict[str, object]:
    return {"campaign": campaign, "observed": observed, "adding": adding, "after_listing": list(AFTER_LISTING)}


async def digest_of(
    connection: Connection, campaign: int, *, removals: bool, additions: bool, observed: bool, adding: bool
) -> str:
    """Gather what is held now in ``held_now`` and return its digest: that of the plan on record while it lasts."""
    values = {"campaign": campaign, "removals": removals, "additions": additions}
    await connection.execute(HELD_NOW, values)
    await connection.execute(KEPT_NOW, _standing(campaign, observed=observed, adding=adding))
    await connection.execute("ANALYZE held_now")
    cursor = await connection.execute(STILL_PLANNED, values)
    row = await cursor.fetchone() or await (await connection.execute(DIGEST, values)).fetchone()
    return str((row or ("",))[0])


async def keep(
    connection: Connection,
    campaign: int,
    pass_id: int,
    digest: str,
    refusals: Sequence[Refusal],
    figures: Figures,
    now: datetime,
) -> None:
    """Put what stands in ``held_now`` on record under its digest, inside the caller's transaction."""
    values = {
        "campaign": campaign,
        "pass": pass_id,
        "digest": digest,
        "now": now,
        "sentences": [refusal.sentence for refusal in refusals],
        "figures": json.dumps(
            {
                "query": figures.query,
                "customers": figures.customers,
                "columns": sorted(figures.columns),
                "suppressed_rows": figures.suppressed_rows,
            }
        ),
    }
    kept = await connection.execute(
        """
        UPDATE held_plan SET seen_at = %(now)s, sentences = %(sentences)s, figures = %(figures)s
        WHERE campaign = %(campaign)s AND digest = %(digest)s
        """,
        values,
    )
    if kept.rowcount:
        return
    await drop(connection, campaign)
    await connection.execute(
        """
        INSERT INTO held_change (campaign, customer, kind, rule, wanted_at)
        SELECT %(campaign)s, customer, kind, rule, wanted_at FROM held_now
        """,
        values,
    )
    await connection.execute(
        """
        INSERT INTO held_plan (campaign, digest, pass, since, seen_at, sentences, figures, removals, additions)
        SELECT %(campaign)s, %(digest)s, %(pass)s, %(now)s, %(now)s, %(sentences)s, %(figures)s,
               count(*) FILTER (WHERE kind IN ('remove', 'reschedule', 'recall')),
               count(*) FILTER (WHERE kind IN ('add', 'adopt', 'reschedule', 'recall'))
        FROM held_now
        """,
        values,
    )


async def drop(connection: Connection, campaign: int) -> None:
    """Forget the held plan: nothing is held any more, or something else is."""
    await connection.execute(
        """
        WITH forgotten AS (DELETE FROM held_change WHERE campaign = %(campaign)s)
        DELETE FROM held_plan WHERE campaign = %(campaign)s
        """,
        {"campaign": campaign},
    )


async def use(connection: Connection, campaign: int, kind: str, customers: Sequence[int], now: datetime) -> None:
    """Use up what was approved: each change once."""
    await connection.execute(
        """
        UPDATE approved_change SET used_at = %s
        WHERE campaign = %s AND kind = %s AND customer = ANY (%s::bigint[]) AND used_at IS NULL
        """,
        (now, campaign, kind, list(customers)),
    )


async def find(connection: Connection, campaign: int) -> HeldPlan | None:
    """Return the plan that a campaign holds, if it holds one."""
    async with connection.cursor(row_factory=class_row(HeldPlan)) as cursor:
        await cursor.execute(
            "SELECT campaign, digest, since, sentences, removals, additions FROM held_plan WHERE campaign = %s",
            (campaign,),
        )
        return await cursor.fetchone()


async def changes(connection: Connection, campaign: int) -> AsyncIterator[HeldChange]:
    """Yield what a campaign holds, by customer, in blocks: it may be long."""
    after, kind = 0, ""
    while True:
        async with connection.cursor(row_factory=class_row(HeldChange)) as cursor:
            await cursor.execute(
                "SELECT customer, kind, rule, wanted_at FROM held_change"
                " WHERE campaign = %s AND (customer, kind) > (%s, %s) ORDER BY customer, kind LIMIT %s",
                (campaign, after, kind, BLOCK),
            )
            block = await cursor.fetchall()
        if not block:
            return
        for change in block:
            yield change
        after, kind = block[-1].customer, block[-1].kind


async def count(connection: Connection, campaign: int) -> int:
    """Return how many changes a campaign holds."""
    cursor = await connection.execute("SELECT count(*) FROM held_change WHERE campaign = %s", (campaign,))
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0


async def approve(connection: Connection, campaign: int, name: str, digest: str, by: str, now: datetime) -> Approval:
    """Free what a held plan holds, each change once, for 24 h; what was read becomes the baseline.

    Raise ApprovalRefused for a digest that is wrong, used, or that of a plan that is not held any more.
    """
    async with connection.transaction():
        cursor = await connection.execute(
            "SELECT figures FROM held_plan WHERE campaign = %s AND digest = %s FOR UPDATE", (campaign, digest)
        )
        row = await cursor.fetchone()
        if row is None:
            raise ApprovalRefused(name, digest, await _why_not(connection, campaign, digest, now))
        figures = row[0] if isinstance(row[0], dict) else {}
        expires_at = now + APPROVED_FOR
        cursor = await connection.execute(
            """
            WITH given AS (
                INSERT INTO approval (campaign, digest, by, at, expires_at)
                VALUES (%(campaign)s, %(digest)s, %(by)s, %(now)s, %(expires_at)s) RETURNING id
            )
            INSERT INTO approved_change (campaign, customer, kind, approval)
            SELECT campaign, customer, kind, given.id FROM held_change, given WHERE campaign = %(campaign)s
            """,
            {"campaign": campaign, "digest": digest, "by": by, "now": now, "expires_at": expires_at},
        )
        await baseline.accept(connection, campaign, Figures(**figures), now)
        await drop(connection, campaign)
        return Approval(cursor.rowcount, expires_at)


async def _why_not(connection: Connection, campaign: int, digest: str, now: datetime) -> str:
    cursor = await connection.execute(
        "SELECT by, at, expires_at <= %s FROM approval WHERE campaign = %s AND digest = %s ORDER BY at DESC LIMIT 1",
        (now, campaign, digest),
    )
    given = await cursor.fetchone()
    if given is not None:
        by, at, expired = given
        state = "that approval has expired" if expired else "its changes are sent as the next passes come"
        return f"it was approved already, by {by} at {at:%Y-%m-%d %H:%M} UTC; {state}"
    held = await find(connection, campaign)
    if held is None:
        return "the campaign holds nothing"
    return f"the plan that is held is {held.digest}"
