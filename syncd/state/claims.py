"""Claims: what syncd is about to ask of the dialer, committed before it asks.

A claim is one row for a batch. The answer takes its customers out of it; what nobody answered stays until the listing
settles it, never a guess. :func:`settlement` is pure and says what a listing proves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import LiteralString

from psycopg.rows import class_row

from syncd.state.arrays import array
from syncd.state.database import Connection
from syncd.words import SETTLED, Kind, Outcome, Reason

SHRINK: LiteralString = """
UPDATE claim c SET (customers, times, versions, shown) = (
    SELECT coalesce(array_agg(u.customer ORDER BY u.place), '{}'), coalesce(array_agg(u.at ORDER BY u.place), '{}'),
           coalesce(array_agg(u.version ORDER BY u.place), '{}'), coalesce(array_agg(u.shown ORDER BY u.place), '{}')
    FROM unnest(c.customers, c.times, c.versions, c.shown) WITH ORDINALITY AS u (customer, at, version, shown, place)
    WHERE u.customer <> ALL (%(customers)s::bigint[]))
WHERE c.campaign = %(campaign)s AND c.customers && %(customers)s::bigint[]
"""

ANSWERED: LiteralString = f"""
WITH whole AS (DELETE FROM claim WHERE id = %(claim)s AND customers <@ %(customers)s::bigint[] RETURNING id)
{SHRINK} AND c.id = %(claim)s AND NOT EXISTS (SELECT FROM whole)
"""

TELL: LiteralString = f"""
INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome, reason)
SELECT %(now)s, c.pass, u.customer, c.campaign, c.kind, '{SETTLED}', '{Outcome.UNKNOWN}', '{Reason.NO_ANSWER}'
FROM claim c CROSS JOIN LATERAL unnest(c.customers) AS u (customer)
WHERE c.campaign = %(campaign)s AND c.kind = ANY (%(kinds)s) AND c.id <> %(but)s
  AND u.customer = ANY (%(customers)s::bigint[])
  -- a pass that lived to see that no answer came has told so
  AND NOT EXISTS (SELECT FROM change t WHERE t.campaign = c.campaign AND t.customer = u.customer AND t.pass = c.pass
                  AND t.kind = c.kind)
"""

MET: LiteralString = """
SELECT c.id, c.pass AS pass_, c.kind, c.sent_at, u.customer, u.wanted_at, u.version, u.shown AS before,
       s.customer IS NOT NULL AS now, coalesce(s.status = 3, false) AS now_completed, l.presence,
       -- whom the source names no more has no number that a record could be told by
       NOT %(by_phone)s OR EXISTS (SELECT FROM desired d WHERE d.customer = u.customer)
           OR EXISTS (SELECT FROM suppressed_read d WHERE d.customer = u.customer) AS recognised,
       l.confirmed_pass IS NOT NULL AS confirmed, coalesce(l.called, false) AS called,
       CASE WHEN l.status IS NULL OR l.status IN (0, 1, 4) THEN 'open' WHEN l.status = 2 THEN 'agent'
            WHEN l.status = 3 THEN 'completed' ELSE 'unknown' END AS stand
FROM claim c
CROSS JOIN LATERAL unnest(c.customers, c.times, c.versions, c.shown) WITH ORDINALITY
           AS u (customer, wanted_at, version, shown, place)
LEFT JOIN ledger l ON l.campaign = c.campaign AND l.customer = u.customer
LEFT JOIN (SELECT customer, status FROM listing WHERE customer IN (
               SELECT unnest(customers) FROM claim WHERE campaign = %(campaign)s)) s ON s.customer = u.customer
WHERE c.campaign = %(campaign)s
ORDER BY c.id, u.place
"""


@dataclass(frozen=True, slots=True)
class Unanswered:
    """One customer of an open claim, met with the listing just read."""

    id: int
    pass_: int
    kind: str
    sent_at: datetime
    customer: int
    wanted_at: datetime | None
    version: str | None
    before: bool | None
    """What the last whole listing since the call said; None: there was none."""
    now: bool
    """This listing shows the customer."""
    now_completed: bool
    """This listing shows the call made."""
    presence: str | None
    recognised: bool
    """A listing that has the customer's record would show it as theirs."""
    confirmed: bool
    """syncd's own last call on the customer speaks against what a listing shows."""
    called: bool
    stand: str


class Settlement(StrEnum):
    """What a listing makes of an unanswered call."""

    DONE = "done"
    """The add arrived."""
    ALREADY = "already"
    """The record is out."""
    VOID = "void"
    """The call was not carried out; the plan decides anew."""
    WAIT = "wait"


def settlement(claim: Unanswered, *, whole: bool, this_pass: int) -> Settlement:
    """Given an unanswered call and a listing, return what the listing proves.

    An add is proved by being shown, in any listing, and void when two whole ones do not show it; where they could not,
    it is taken for done: a record that is not there costs a delete, one that is forgotten rings. A delete is settled by
    two whole listings in a row that agree, not counting one of the same pass.
    """
    if Kind(claim.kind) is Kind.ADD:
        deleted_but_shown = claim.presence in ("removed", "owed", "gone") and claim.confirmed
        # Completed may be the record that was deleted; taking it for the new one loses a call, else one rings twice.
        if claim.now and (claim.now_completed or not deleted_but_shown):
            return Settlement.DONE
        if not whole or claim.now or claim.before is not False:
            return Settlement.WAIT
        return Settlement.VOID if claim.recognised else Settlement.DONE
    if not whole or claim.pass_ == this_pass or claim.before is not claim.now:
        return Settlement.WAIT
    return Settlement.VOID if claim.now else Settlement.ALREADY


async def answered(connection: Connection, campaign: int, claim: int, customers: Sequence[int]) -> None:
    """Take answered customers out of one claim; the claim goes with its last."""
    await connection.execute(ANSWERED, {"campaign": campaign, "claim": claim, "customers": array(customers)})


async def replaced(
    connection: Connection,
    campaign: int,
    customers: Sequence[int],
    kinds: Sequence[Kind],
    now: datetime,
    *,
    but: int = 0,
) -> None:
    """Take customers out of the older claims of these kinds: a newer call or answer stands in their place.

    What became of the older call nobody will know, and the journal says so.
    """
    values = {
        "campaign": campaign,
        "customers": array(customers),
        "kinds": [kind.value for kind in kinds],
        "now": now,
        "but": but,
    }
    await connection.execute(TELL, values)
    await connection.execute(SHRINK + " AND c.kind = ANY (%(kinds)s) AND c.id <> %(but)s", values)
    await connection.execute("DELETE FROM claim WHERE campaign = %(campaign)s AND customers = '{}'", values)


async def older(
    connection: Connection, campaign: int, customers: Sequence[int], kinds: Sequence[Kind], *, but: int
) -> list[int]:
    """Return who of these customers stands in an older claim of these kinds."""
    cursor = await connection.execute(
        """
        SELECT DISTINCT u.customer FROM claim c CROSS JOIN LATERAL unnest(c.customers) AS u (customer)
        WHERE c.campaign = %(campaign)s AND c.kind = ANY (%(kinds)s) AND c.id <> %(but)s
          AND u.customer = ANY (%(customers)s::bigint[])
        """,
        {"campaign": campaign, "customers": list(customers), "kinds": [kind.value for kind in kinds], "but": but},
    )
    return [int(str(customer)) for (customer,) in await cursor.fetchall()]


async def met(connection: Connection, campaign: int, *, by_phone: bool) -> list[Unanswered]:
    """Return every customer of the open claims, met with the staged ``listing``."""
    async with connection.cursor(row_factory=class_row(Unanswered)) as cursor:
        await cursor.execute(MET, {"campaign": campaign, "by_phone": by_phone})
        return await cursor.fetchall()


async def note_shown(connection: Connection, claims: Sequence[Unanswered]) -> None:
    """Remember what a whole listing said of the customers that still wait."""
    for number in {claim.id for claim in claims}:
        shown = {claim.customer: claim.now for claim in claims if claim.id == number}
        await connection.execute(
            """
            UPDATE claim c SET shown = (
                SELECT array_agg(coalesce(n.shown, u.shown) ORDER BY u.place)
                FROM unnest(c.customers, c.shown) WITH ORDINALITY AS u (customer, shown, place)
                LEFT JOIN unnest(%(customers)s::bigint[], %(shown)s::boolean[]) AS n (customer, shown) USING (customer))
            WHERE c.id = %(claim)s
            """,
            {"claim": number, "customers": list(shown), "shown": list(shown.values())},
        )


async def count_open(connection: Connection, campaign: int) -> int:
    """Return how many customers wait for the listing to settle their call."""
    cursor = await connection.execute(
        "SELECT coalesce(sum(cardinality(customers)), 0) FROM claim WHERE campaign = %s", (campaign,)
    )
    row = await cursor.fetchone()
    return int(str(row[0])) if row else 0
