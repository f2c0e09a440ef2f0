"""The ledger and its one writer: what an outcome, and what a listing, make of it.

An outcome arrives as an :class:`~syncd.state.outcomes.Effect`; a listing as the staged table ``listing``. Both are
written only where something differs, so that a pass without news rewrites no row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import LiteralString

from syncd.state.arrays import array
from syncd.state.database import Connection
from syncd.state.outcomes import BACK_OFF_FIRST, BACK_OFF_MOST, Effect, Trust

CARRY_OUT: LiteralString = """
INSERT INTO ledger AS l (campaign, customer, presence, ours, called, status, added_at, wanted_at, version,
                         called_version, added_times, confirmed_pass, recalled_at, rescheduled, tried)
SELECT %(campaign)s, r.customer, coalesce(%(presence)s::text, 'gone'), coalesce(%(ours)s::boolean, false),
       coalesce(%(called)s::boolean, false), %(status)s::smallint,
       CASE WHEN %(added)s THEN %(at)s END,
       CASE WHEN %(taken)s THEN r.wanted_at END,
       CASE WHEN %(taken)s THEN r.version END,
       CASE WHEN %(added)s THEN r.version END,
       CASE WHEN %(counted)s THEN ARRAY[%(at)s] END,
       CASE WHEN %(confirm)s THEN %(pass)s::bigint END,
       CASE WHEN %(recalled)s THEN %(at)s END,
       0, %(tried)s
FROM unnest(%(customers)s::bigint[], %(times)s::timestamptz[], %(versions)s::text[]) AS r (customer, wanted_at, version)
ON CONFLICT (campaign, customer) DO UPDATE SET
    presence       = coalesce(%(presence)s::text, l.presence),
    ours           = coalesce(%(ours)s::boolean, l.ours),
    called         = coalesce(%(called)s::boolean, l.called),
    status         = CASE WHEN %(forget_status)s THEN NULL ELSE coalesce(%(status)s::smallint, l.status) END,
    status_code    = CASE WHEN %(forget_status)s THEN NULL ELSE l.status_code END,
    disposition    = CASE WHEN %(forget_status)s THEN NULL ELSE l.disposition END,
    reopened       = l.reopened AND NOT %(forget_status)s,
    tried          = %(tried)s OR (l.tried AND NOT %(forget_status)s),
    added_at       = CASE WHEN %(added)s THEN %(at)s ELSE l.added_at END,
    wanted_at      = CASE WHEN %(taken)s THEN excluded.wanted_at ELSE l.wanted_at END,
    version        = CASE WHEN %(taken)s THEN excluded.version ELSE l.version END,
    called_version = CASE WHEN %(added)s THEN excluded.called_version ELSE l.called_version END,
    added_times    = CASE WHEN %(counted)s THEN
                          ARRAY(SELECT t FROM unnest(l.added_times) t WHERE t > %(at)s - interval '7 days') || %(at)s
                          ELSE l.added_times END,
    -- syncd's own call speaks until a later listing does
    confirmed_pass = CASE WHEN %(confirm)s THEN %(pass)s WHEN %(end)s THEN NULL ELSE l.confirmed_pass END,
    absent         = CASE WHEN %(confirm)s THEN NULL ELSE l.absent END,
    recalled_at    = CASE WHEN %(recalled)s THEN %(at)s ELSE l.recalled_at END,
    rescheduled    = CASE WHEN %(rescheduled)s THEN l.rescheduled + 1 ELSE l.rescheduled END
"""

PARK: LiteralString = """
INSERT INTO parked AS p (campaign, customer, reason, message, since, last_try, next_try, row_hash)
SELECT %(campaign)s, r.customer, %(reason)s, r.message, %(at)s, %(at)s,
       CASE %(again)s WHEN 'back-off' THEN %(at)s + %(first)s::interval
                      WHEN 'soon'     THEN %(at)s + %(first)s::interval
                      WHEN 'at'       THEN r.until END,
       r.row_hash
FROM unnest(%(customers)s::bigint[], %(messages)s::text[], %(hashes)s::bigint[], %(untils)s::timestamptz[])
     AS r (customer, message, row_hash, until)
ON CONFLICT (campaign, customer) DO UPDATE SET
    reason   = excluded.reason,
    message  = excluded.message,
    row_hash = excluded.row_hash,
    last_try = excluded.last_try,
    -- a changed row begins anew
    since    = CASE WHEN p.row_hash IS DISTINCT FROM excluded.row_hash THEN excluded.since ELSE p.since END,
    attempts = CASE WHEN p.row_hash IS DISTINCT FROM excluded.row_hash THEN 1 ELSE p.attempts + 1 END,
    given_up = p.row_hash IS NOT DISTINCT FROM excluded.row_hash AND %(patience)s::interval > interval '0'
               AND p.since <= %(at)s - %(patience)s::interval,
    next_try = CASE
        WHEN p.row_hash IS NOT DISTINCT FROM excluded.row_hash AND %(patience)s::interval > interval '0'
             AND p.since <= %(at)s - %(patience)s::interval THEN NULL
        WHEN %(again)s = 'back-off' AND p.row_hash IS NOT DISTINCT FROM excluded.row_hash
            THEN %(at)s + least(%(first)s::interval * 2.0 ^ least(p.attempts, 20), %(most)s::interval)
        ELSE excluded.next_try END
"""

ABSORB: LiteralString = """
INSERT INTO news
WITH met AS (
    SELECT customer, l.record_id, l.confirmed_pass, l.disposition, l.status, l.status_code, l.absent, l.presence,
           l.called, l.reopened, l.tried, l.version, l.called_version,
           s.customer IS NOT NULL AS shown, l.presence IS NOT NULL AS known,
           s.record_id AS s_record_id, s.status AS s_status, s.status_code AS s_status_code,
           s.disposition AS s_disposition,
           coalesce(s.status IN (0, 1, 4), false) AS s_open,
           coalesce(l.confirmed_pass = %(pass)s, false) AS of_this_pass,
           -- the vendor calls it a duplicate though no listing shows it: its word stands until it is asked again
           EXISTS (SELECT FROM parked p WHERE p.campaign = %(campaign)s AND p.customer = l.customer
                   AND p.reason = 'not-listed' AND p.next_try > %(now)s) AS vouched
    FROM (SELECT * FROM ledger WHERE campaign = %(campaign)s) l
    FULL JOIN listing s USING (customer)
    -- Listed as before, which teaches nothing. In most listings that is nearly everyone.
    WHERE (s.customer IS NOT NULL AND l.presence = 'in' AND l.confirmed_pass IS NULL AND l.absent = 0
           AND NOT l.reopened AND (l.called OR l.status <> 3)
           AND (l.status NOT IN (0, 1, 4) OR l.called_version IS NOT DISTINCT FROM l.version)
           AND (s.record_id, s.status, s.status_code, s.disposition)
               IS NOT DISTINCT FROM (l.record_id, l.status, l.status_code, l.disposition)) IS NOT TRUE
    OFFSET 0    -- a fence: else each step's expressions are computed anew wherever the next one names them
), learned AS (
    SELECT m.*,
        CASE
        -- Shown.
        WHEN shown AND NOT known                                                        THEN 'in'
        --   the call was made before the delete that was to move it: nothing is owed
        WHEN shown AND presence = 'owed' AND s_status = 3                               THEN 'in'
        --   a record that syncd's last call took out: the listing may be older than the call
        WHEN shown AND presence <> 'in' AND confirmed_pass IS NOT NULL                  THEN presence
        WHEN shown                                                                      THEN 'in'
        -- Not shown: proof only in a whole listing, and not against syncd's last call.
        WHEN NOT %(whole)s                                                              THEN presence
        WHEN presence = 'in' AND (confirmed_pass IS NOT NULL OR vouched)                THEN 'in'
        WHEN presence = 'in'                                                            THEN 'gone'
        --   owed, and gone after having been with an agent: the plan takes the customer for called
        WHEN presence = 'owed' AND status NOT IN (0, 1, 3, 4)                           THEN 'gone'
        ELSE                                                                                 presence
        END AS new_presence,
        CASE WHEN NOT shown THEN status
             -- completed, yet shown open again: believed at the second listing
             WHEN known AND status = 3 AND s_open AND NOT reopened THEN 3
             ELSE s_status END AS new_status,
        coalesce(shown AND known AND status = 3 AND s_open AND NOT reopened, false) AS new_reopened,
        CASE WHEN shown                                THEN 0::smallint
             WHEN NOT %(whole)s OR of_this_pass        THEN absent
             ELSE least(coalesce(absent, 0) + 1, 2)::smallint END AS new_absent,
        CASE WHEN of_this_pass                         THEN confirmed_pass
             WHEN %(whole)s OR shown AND presence = 'in' THEN NULL
             ELSE confirmed_pass END AS new_confirmed_pass,
        coalesce(called, false) OR coalesce(s_status = 3, false) AS new_called,
        coalesce(tried, false) AND NOT (shown AND (s_status, s_disposition) IS DISTINCT FROM (status, disposition))
            AS new_tried
    FROM met m
    OFFSET 0
), compared AS (
    SELECT l.*,
        CASE WHEN shown THEN s_record_id ELSE record_id END AS new_record_id,
        CASE WHEN shown THEN s_status_code ELSE status_code END AS new_status_code,
        CASE WHEN shown THEN s_disposition ELSE disposition END AS new_disposition,
        -- the version read before a listing that still shows the record open
        CASE WHEN shown AND known AND new_presence = 'in' AND new_status IN (0, 1, 4) THEN version
             ELSE called_version END AS new_called_version,
        -- whether it may have been called again while it was open: who is to be tried again may, a lagging listing not
        CASE WHEN reopened AND NOT s_open AND disposition IN (1001, 1002) THEN NULL ELSE status END AS was_status,
        shown AND CASE WHEN reopened
                       -- it was shown open the last time, whatever the ledger says
                       THEN NOT s_open OR (s_status_code, s_disposition) IS DISTINCT FROM (status_code, disposition)
                       WHEN known AND status IS NOT NULL
                       THEN (s_status, s_status_code, s_disposition) IS DISTINCT FROM (status, status_code, disposition)
                       -- a record first seen as everyone begins is no news to anybody
                       ELSE NOT (s_status IN (0, 1, 4) AND coalesce(s_status_code, 0) = 0
                                 AND coalesce(s_disposition, 1000) IN (0, 1000)) END AS sighted
    FROM learned l
    OFFSET 0
)
SELECT customer, new_record_id, new_confirmed_pass, new_disposition, new_status, new_status_code, new_absent,
       new_presence, new_called, new_reopened, new_tried, new_called_version, known, coalesce(sighted, true), s_status,
       was_status, disposition
FROM compared
WHERE (new_record_id, new_confirmed_pass, new_disposition, new_status, new_status_code, new_absent, new_presence,
       new_called, new_reopened, new_tried, new_called_version)
   IS DISTINCT FROM
      (record_id, confirmed_pass, disposition, status, status_code, absent, presence,
       called, reopened, tried, called_version)
"""

UPDATE_KNOWN: LiteralString = """
UPDATE ledger l SET
    record_id = n.record_id, confirmed_pass = n.confirmed_pass, disposition = n.disposition, status = n.status,
    status_code = n.status_code, absent = n.absent, presence = n.presence, called = n.called, reopened = n.reopened,
    tried = n.tried, called_version = n.called_version
FROM news n
WHERE l.campaign = %(campaign)s AND l.customer = n.customer AND n.known
"""

INSERT_FOREIGN: LiteralString = """
INSERT INTO ledger (campaign, customer, record_id, disposition, status, status_code, absent, presence, ours, called)
SELECT %(campaign)s, customer, record_id, disposition, status, status_code, absent, presence, false, called
FROM news WHERE NOT known
"""

SIGHT: LiteralString = """
INSERT INTO sighting (campaign, customer, seen_at, status, status_code, disposition, was_status, was_disposition)
SELECT %(campaign)s, customer, %(now)s, shown_status, status_code, disposition, was_status, was_disposition
FROM news WHERE sighted
"""

SIGHT_ANSWER: LiteralString = """
INSERT INTO sighting (campaign, customer, seen_at, status, status_code, disposition, was_status, was_disposition)
SELECT %(campaign)s, customer, %(at)s, %(status)s, l.status_code, l.disposition, l.status, l.disposition
FROM unnest(%(customers)s::bigint[]) AS r (customer)
LEFT JOIN (SELECT * FROM ledger WHERE campaign = %(campaign)s) l USING (customer)
WHERE l.status IS DISTINCT FROM %(status)s
"""

LISTED_AFTER_ALL: LiteralString = """
DELETE FROM parked p USING listing s
WHERE p.campaign = %(campaign)s AND p.reason = 'not-listed' AND p.customer = s.customer
"""

HEED_DISPOSITIONS: LiteralString = """
INSERT INTO suppression (account, customer, origin, reason, since, by)
SELECT %(account)s, customer, 'disposition', 'disposition ' || disposition, %(now)s, 'syncd'
FROM (SELECT customer, disposition FROM ledger WHERE campaign = %(campaign)s UNION ALL TABLE folded) seen
WHERE disposition = ANY (%(do_not_call)s)
ON CONFLICT DO NOTHING
"""

REMEMBER: LiteralString = """
UPDATE ledger l SET
    version        = CASE WHEN l.presence = 'in' AND l.status IS DISTINCT FROM 3 AND p.desired
                          THEN p.version ELSE l.version END,
    called_version = CASE WHEN l.called THEN coalesce(l.called_version, p.version) ELSE l.called_version END,
    rescheduled    = CASE WHEN p.rule = 'in-step' THEN 0 ELSE l.rescheduled END,
    presence       = CASE WHEN l.presence = 'owed' AND p.rule <> 'owed' AND NOT p.desired THEN 'removed'
                          ELSE l.presence END
FROM (SELECT p.*, d.customer IS NOT NULL AND p.queue <> 0 AS desired
      FROM planned p LEFT JOIN desired d USING (customer) WHERE p.note) p
WHERE l.campaign = %(campaign)s AND l.customer = p.customer
"""

KNOWS_AN_ADD: LiteralString = """
SELECT EXISTS (SELECT FROM listing UNION ALL SELECT FROM stray),
       EXISTS (SELECT FROM ledger
               WHERE campaign = %(campaign)s AND ours AND presence = 'in' AND added_at < %(listed_at)s),
       EXISTS (SELECT FROM listing s JOIN ledger l USING (customer)
               WHERE l.campaign = %(campaign)s AND l.ours AND l.added_at IS NOT NULL)
"""

KNEW_AN_ADD: LiteralString = """
SELECT EXISTS (SELECT FROM ledger
               WHERE campaign = %(campaign)s AND ours AND added_at < %(listed_at)s AND record_id IS NOT NULL),
       -- a record that was known as ours and is listed as somebody else's or nobody's: the key was changed since
       EXISTS (SELECT FROM (SELECT record_id, customer FROM listing UNION ALL SELECT record_id, NULL FROM stray) s
               JOIN ledger l ON l.record_id = s.record_id AND l.customer IS DISTINCT FROM s.customer
               WHERE l.campaign = %(campaign)s AND l.ours AND l.added_at < %(listed_at)s)
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Customers of one effect, with what their source rows said; all of one length."""

    customers: Sequence[int]
    times: Sequence[datetime | None]
    versions: Sequence[str | None]
    hashes: Sequence[int | None]
    messages: Sequence[str]
    untils: Sequence[datetime | None]
    """When the vendor, or the row's own time, lets a parked customer be tried again."""


async def carry_out(
    connection: Connection,
    campaign: int,
    pass_id: int,
    effect: Effect,
    rows: Rows,
    at: datetime,
    patience: timedelta = timedelta(),
) -> None:
    """Write what an effect makes of these customers, inside the caller's transaction.

    ``patience`` is how long a customer's refusals go on before it is given up; zero is for ever.
    """
    if effect.status is not None:
        # Before the ledger says so: what an answer taught, no listing shows as news.
        await connection.execute(
            SIGHT_ANSWER,
            {"campaign": campaign, "customers": array(rows.customers), "at": at, "status": effect.status},
        )
    if _touches_ledger(effect):
        await connection.execute(
            CARRY_OUT,
            {
                "campaign": campaign,
                "pass": pass_id,
                "at": at,
                "customers": array(rows.customers),
                "times": array(rows.times),
                "versions": array(rows.versions),
                "presence": effect.presence.value if effect.presence else None,
                "ours": effect.ours,
                "called": effect.called,
                "status": effect.status,
                "forget_status": effect.forget_status,
                "confirm": effect.trust is Trust.CONFIRM,
                "end": effect.trust is Trust.END,
                "taken": effect.taken,
                "added": effect.added,
                "counted": effect.counted,
                "rescheduled": effect.rescheduled,
                "recalled": effect.recalled,
                "tried": effect.tried,
            },
        )
    if effect.parking:
        await connection.execute(
            PARK,
            {
                "campaign": campaign,
                "at": at,
                "customers": array(rows.customers),
                "messages": array(rows.messages),
                "hashes": array(rows.hashes),
                "reason": effect.parking.reason.value,
                "again": effect.parking.again.value,
                "untils": array(rows.untils),
                "first": BACK_OFF_FIRST,
                "most": BACK_OFF_MOST,
                "patience": patience,
            },
        )
    elif effect.taken or effect.trust is Trust.CONFIRM:
        # A delete answers what a duplicate that no listing shows had left open; the other reasons stand.
        await connection.execute(
            "DELETE FROM parked WHERE campaign = %s AND customer = ANY (%s::bigint[])"
            " AND (%s OR reason = 'not-listed')",
            (campaign, array(rows.customers), effect.taken),
        )


def _touches_ledger(effect: Effect) -> bool:
    return (
        effect.presence is not None
        or effect.ours is not None
        or effect.called is not None
        or effect.status is not None
        or effect.taken
        or effect.counted
        or effect.tried
        or effect.trust is not Trust.KEEP
    )


@dataclass(frozen=True, slots=True)
class Learned:
    """What a listing taught the ledger, in rows."""

    changed: int
    new: int
    sighted: int


async def absorb(
    connection: Connection,
    campaign: int,
    account: str,
    pass_id: int,
    now: datetime,
    *,
    whole: bool,
    do_not_call: Sequence[int],
) -> Learned:
    """Write what the staged ``listing`` shows into the ledger, inside the caller's transaction.

    Absence counts only where the listing is ``whole``.
    A customer seen with a disposition of ``do_not_call`` is suppressed for every campaign of the account from now on.
    """
    values = {
        "campaign": campaign,
        "account": account,
        "pass": pass_id,
        "now": now,
        "whole": whole,
        "do_not_call": list(do_not_call),
    }
    news = await connection.execute(ABSORB, values)
    if not news.rowcount:
        updated = inserted = sighted = 0
    else:
        await connection.execute("ANALYZE news")
        updated = (await connection.execute(UPDATE_KNOWN, values)).rowcount
        inserted = (await connection.execute(INSERT_FOREIGN, values)).rowcount
        sighted = (await connection.execute(SIGHT, values)).rowcount
    await connection.execute(LISTED_AFTER_ALL, values)
    if do_not_call:
        await connection.execute(HEED_DISPOSITIONS, values)
    return Learned(changed=updated, new=inserted, sighted=sighted)


async def remember(connection: Connection, campaign: int) -> int:
    """Write what a reading of the source taught (versions, times that stood still, what is owed no more)."""
    return (await connection.execute(REMEMBER, {"campaign": campaign})).rowcount


async def knows_no_add(connection: Connection, campaign: int, listed_at: datetime | None) -> bool:
    """Return whether the listing has records, adds were confirmed before the last whole one, and it knows none of ours.

    A newer add that it knows tells as well that the key is right. Where an earlier listing knew one under the key, the
    key is right too and all of ours have left: other people's records in the campaign must not make a pass fail for
    ever.
    """
    if listed_at is None:
        return False
    values = {"campaign": campaign, "listed_at": listed_at}
    row = await (await connection.execute(KNOWS_AN_ADD, values)).fetchone()
    records, adds, known = row or (False, False, False)
    if not records or not adds or known:
        return False
    row = await (await connection.execute(KNEW_AN_ADD, values)).fetchone()
    knew, changed = row or (False, False)
    return bool(changed or not knew)
