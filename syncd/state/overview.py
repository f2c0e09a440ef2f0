"""The overview: how campaigns stand, in a few statements for all of them together, for every report.

Nothing counts the ledger: what a pass counted stands on its record. All of it is one snapshot, so that a pass that
ends meanwhile is seen whole or not at all.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, LiteralString

from psycopg.rows import class_row, dict_row

from syncd.state.campaigns import Result
from syncd.state.database import Connection, state_errors
from syncd.state.held import HeldPlan
from syncd.state.lock import HELD_KEYS, lock_key
from syncd.state.passes import PastPass
from syncd.state.standing import Standing
from syncd.words import Condition, Kind, Outcome

GIVEN_UP: Final = "given-up"
"""What parked customers count as whose reason has been tried for too long."""

RECENT: Final = 50
"""Past passes of a campaign that a chart shows."""

CAMPAIGNS: LiteralString = (
    "WITH locks AS MATERIALIZED ("
    + HELD_KEYS
    + """)
SELECT w.name, c.id, c.condition, c.since, c.due_at, c.listed_at, c.paused_at, c.paused_by, c.pause_reason,
       c.running, c.running_since, c.running_host, hashtextextended(w.key, 0) IN (SELECT key FROM locks) AS locked
FROM unnest(%(names)s::text[], %(accounts)s::text[], %(ids)s::bigint[], %(keys)s::text[])
     AS w (name, account, vendor_id, key)
JOIN campaign c ON c.account = w.account AND c.vendor_id = w.vendor_id
"""
)

LAST: LiteralString = """
SELECT p.id, p.campaign, p.kind, p.began, p.ended, p.host, p.passes, p.observed, p.result, p.sentence, p.counts
FROM unnest(%(campaigns)s::smallint[]) AS c (id)
CROSS JOIN LATERAL (SELECT * FROM pass WHERE campaign = c.id ORDER BY id DESC LIMIT 1) p
"""

WHOLE: LiteralString = """
SELECT c.id AS campaign, r.result, p.ended, p.counts
FROM unnest(%(campaigns)s::smallint[]) AS c (id)
-- The results of passes that came to their end.
CROSS JOIN (VALUES ('good'), ('partial'), ('held')) AS r (result)
CROSS JOIN LATERAL (
    SELECT ended, counts FROM pass WHERE campaign = c.id AND result = r.result ORDER BY id DESC LIMIT 1) p
"""

PASSES: LiteralString = """
SELECT p.campaign, p.began, p.ended, p.result, p.passes FROM unnest(%(campaigns)s::smallint[]) AS c (id)
CROSS JOIN LATERAL (
    SELECT campaign, id, began, ended, result, passes FROM pass
    WHERE campaign = c.id ORDER BY id DESC LIMIT %(recent)s) p
ORDER BY p.id
"""

HELD: LiteralString = """
SELECT campaign, digest, since, sentences, removals, additions FROM held_plan WHERE campaign = ANY (%(campaigns)s)
"""

APPROVED: LiteralString = """
SELECT DISTINCT ON (campaign) campaign, digest, by, at, expires_at AS until FROM approval a
WHERE campaign = ANY (%(campaigns)s) AND expires_at > %(now)s AND EXISTS (
    SELECT FROM approved_change c WHERE c.campaign = a.campaign AND c.approval = a.id AND c.used_at IS NULL)
ORDER BY campaign, at DESC
"""

PARKED: LiteralString = """
SELECT campaign, CASE WHEN given_up THEN 'given-up' ELSE reason END AS reason, count(*) AS customers FROM parked
WHERE campaign = ANY (%(campaigns)s) GROUP BY 1, 2 ORDER BY 1, 2
"""

SUPPRESSED: LiteralString = """
SELECT campaign, count(*) AS customers, min(shown_at) AS since FROM suppressed_record
WHERE campaign = ANY (%(campaigns)s) AND removed_at IS NULL AND left_at IS NULL GROUP BY campaign
"""

CLAIMS: LiteralString = """
SELECT campaign, sum(cardinality(customers)) AS customers FROM claim
WHERE campaign = ANY (%(campaigns)s) GROUP BY campaign
"""

DEFERRED: LiteralString = """
WITH waiting AS (
    -- Each pass that observes tries all of them again, so that the last one that came to its end knows who they are.
    SELECT DISTINCT d.campaign, d.customer
    FROM unnest(%(campaigns)s::smallint[]) AS c (id)
    CROSS JOIN LATERAL (
        SELECT max(p.id) AS id FROM (VALUES ('good'), ('partial'), ('held')) AS r (result)
        CROSS JOIN LATERAL (
            SELECT id FROM pass WHERE campaign = c.id AND result = r.result AND observed ORDER BY id DESC LIMIT 1) p) p
    JOIN change d ON d.campaign = c.id AND d.pass = p.id
    WHERE d.outcome = 'deferred' AND d.kind = 'remove' AND d.rule NOT LIKE 'suppressed%%')
SELECT campaign, count(*) AS customers, min(row.since) AS since FROM waiting w
CROSS JOIN LATERAL (
    SELECT min(d.at) AS since FROM change d
    WHERE d.campaign = w.campaign AND d.customer = w.customer AND d.outcome = 'deferred'
      AND d.at > coalesce((SELECT max(at) FROM change o WHERE o.campaign = w.campaign AND o.customer = w.customer
                           AND o.outcome <> 'deferred'), '-infinity')) row
WHERE row.since IS NOT NULL GROUP BY campaign
"""


@dataclass(frozen=True, slots=True)
class Paused:
    """A person has paused the campaign. Times are aware."""

    at: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class UnendedPass:
    """A pass that has begun and is not on record yet; None: it is about to say so. Times are aware."""

    since: datetime | None
    host: str | None


@dataclass(frozen=True, slots=True)
class Counts:
    """What a pass counted when it planned, before it sent anything."""

    desired: int
    listed: int
    """Records in the campaign, as the ledger had them."""
    ours: int
    foreign: int
    completed: int
    suppressed: int
    added: int
    """What the pass then added, or found there."""
    removed: int
    """What it removed, or found gone."""
    as_of: datetime
    """When the pass ended."""


@dataclass(frozen=True, slots=True)
class Approved:
    """An approval with changes that are still to be sent. Times are aware."""

    digest: str
    by: str
    at: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """Customers who wait, and since when the first of them does."""

    customers: int
    since: datetime


@dataclass(frozen=True, slots=True)
class RecentPass:
    """A past pass, as a chart shows it; one that never ended died."""

    began: datetime
    ended: datetime | None
    result: str
    passes: int
    """How many passes without news it stands for."""


@dataclass(frozen=True, slots=True)
class Overview:
    """How a campaign stands. Times are aware."""

    name: str
    """Its section in the configuration."""
    account: str
    vendor_id: int
    campaign: int | None = None
    """Its number in the state; None: no pass has run over it."""
    condition: Condition = Condition.NEW
    since: datetime | None = None
    """Since when it has the condition."""
    due_at: datetime | None = None
    """When the next pass is due; None: nothing of syncd's has planned one."""
    listed_at: datetime | None = None
    """When the last pass that read the listing whole began."""
    paused: Paused | None = None
    running: UnendedPass | None = None
    """A pass has the lock now, on whichever host."""
    died: UnendedPass | None = None
    """The last pass began and never ended; the next one settles what it left."""
    last_pass: PastPass | None = None
    last_good_at: datetime | None = None
    """When the last good pass ended."""
    counts: Counts | None = None
    """None: no pass came as far as planning."""
    held: HeldPlan | None = None
    approved: Approved | None = None
    parked: Mapping[str, int] = field(default_factory=dict)
    """Customers by reason; those given up count as ``given-up``."""
    deferred: Waiting | None = None
    """Removals that the vendor refuses while an agent has the record; the suppressed left out."""
    suppressed_in: Waiting | None = None
    """Suppressed customers who are not known to be out of the campaign, from the read that first showed them."""
    open_claims: int = 0
    """Customers whose last call got no answer; the listing settles it."""
    recent: tuple[RecentPass, ...] = ()
    """The last passes, the oldest first."""

    @property
    def given_up(self) -> int:
        """Return how many parked customers are tried no more."""
        return self.parked.get(GIVEN_UP, 0)

    @property
    def suppression_delay(self) -> timedelta | None:
        """Return how long the slowest suppression of the last pass took, from its read to the answer; None: none."""
        seconds = self.last_pass.counts.get("suppression_delay_seconds") if self.last_pass else None
        return timedelta(seconds=seconds) if seconds else None

    @property
    def standing(self) -> Standing:
        """Return what tells whether the next pass is overdue; one that never came from when the campaign was new."""
        ended_at = max((one.ended for one in self.recent if one.ended), default=self.since)
        return Standing(self.condition, self.due_at, ended_at, running=self.running is not None)


async def overview(connection: Connection, wanted: Mapping[str, tuple[str, int]], now: datetime) -> dict[str, Overview]:
    """Return how each campaign stands, in the order in which they are wanted.

    ``wanted`` has the tenant's user name and the vendor id by the name of the section. A campaign that no pass has run
    over is ``new``. Raise StateUnavailable.
    """
    found = {name: Overview(name, account, vendor_id) for name, (account, vendor_id) in wanted.items()}
    with state_errors():
        async with connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            rows = await _dicts(connection, CAMPAIGNS, _identities(wanted))
            facts = await _Facts.gather(connection, [row["id"] for row in rows], now)
    for row in rows:
        account, vendor_id = wanted[row["name"]]
        found[row["name"]] = _overview(row, account, vendor_id, facts)
    return found


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the statements found, by the number of the campaign."""

    last: Mapping[int, PastPass]
    whole: Mapping[int, list[Mapping[str, Any]]]
    passes: Mapping[int, list[Mapping[str, Any]]]
    held: Mapping[int, HeldPlan]
    approved: Mapping[int, list[Mapping[str, Any]]]
    parked: Mapping[int, list[Mapping[str, Any]]]
    suppressed: Mapping[int, list[Mapping[str, Any]]]
    claims: Mapping[int, list[Mapping[str, Any]]]
    deferred: Mapping[int, list[Mapping[str, Any]]]

    @classmethod
    async def gather(cls, connection: Connection, campaigns: list[int], now: datetime) -> "_Facts":
        values = {"campaigns": campaigns, "now": now, "recent": RECENT}

        async def rows(query: LiteralString) -> Mapping[int, list[Mapping[str, Any]]]:
            return _by_campaign(await _dicts(connection, query, values))

        async with connection.cursor(row_factory=class_row(PastPass)) as passes:
            last = await (await passes.execute(LAST, values)).fetchall()
        async with connection.cursor(row_factory=class_row(HeldPlan)) as plans:
            held = await (await plans.execute(HELD, values)).fetchall()
        return cls(
            last={row.campaign: row for row in last},
            whole=await rows(WHOLE),
            passes=await rows(PASSES),
            held={plan.campaign: plan for plan in held},
            approved=await rows(APPROVED),
            parked=await rows(PARKED),
            suppressed=await rows(SUPPRESSED),
            claims=await rows(CLAIMS),
            deferred=await rows(DEFERRED),
        )


def _identities(wanted: Mapping[str, tuple[str, int]]) -> dict[str, object]:
    return {
        "names": list(wanted),
        "accounts": [account for account, _ in wanted.values()],
        "ids": [vendor_id for _, vendor_id in wanted.values()],
        "keys": [lock_key(account, vendor_id) for account, vendor_id in wanted.values()],
    }


async def _dicts(connection: Connection, query: LiteralString, values: Mapping[str, object]) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        return await (await cursor.execute(query, values)).fetchall()


def _by_campaign(rows: Iterable[Mapping[str, Any]]) -> Mapping[int, list[Mapping[str, Any]]]:
    found: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["campaign"], []).append({key: row[key] for key in row if key != "campaign"})
    return found


def _overview(row: Mapping[str, Any], account: str, vendor_id: int, facts: _Facts) -> Overview:
    number: int = row["id"]
    paused = Paused(row["paused_at"], row["paused_by"] or "", row["pause_reason"] or "") if row["paused_at"] else None
    condition, since = _condition(Condition(row["condition"]), row["since"], paused)
    begun = UnendedPass(row["running_since"], row["running_host"])
    whole, last = facts.whole.get(number, []), facts.last.get(number)
    return Overview(
        name=row["name"],
        account=account,
        vendor_id=vendor_id,
        campaign=number,
        condition=condition,
        since=since,
        due_at=row["due_at"],
        listed_at=row["listed_at"],
        paused=paused,
        running=begun if row["locked"] else None,
        died=begun if row["running"] is not None and not row["locked"] else None,
        last_pass=last,
        last_good_at=next((one["ended"] for one in whole if one["result"] == Result.GOOD), None),
        counts=_counts(last, whole),
        held=facts.held.get(number),
        approved=next((Approved(**one) for one in facts.approved.get(number, [])), None),
        parked={one["reason"]: one["customers"] for one in facts.parked.get(number, [])},
        deferred=_waiting(facts.deferred.get(number)),
        suppressed_in=_waiting(facts.suppressed.get(number)),
        open_claims=sum(int(one["customers"]) for one in facts.claims.get(number, [])),
        recent=tuple(RecentPass(**one) for one in facts.passes.get(number, [])),
    )


def _condition(on_record: Condition, since: datetime, paused: Paused | None) -> tuple[Condition, datetime]:
    """Return the condition, and since when: a pause counts at once, as the next pass would put it on record.

    A campaign that is blocked, or whose suppression list cannot be read, is so in a pause too.
    """
    if paused is None or on_record in (Condition.PAUSED, Condition.BLOCKED, Condition.FAILING):
        return on_record, since
    return Condition.PAUSED, paused.at


def _counts(last: PastPass | None, whole: Iterable[Mapping[str, Any]]) -> Counts | None:
    """Return what the last pass counted; what one counted that came to its end, where the last one did not plan."""
    if last is not None and last.ended is not None and last.counts.get("listed") is not None:
        return _counts_of(last.counts, last.ended)
    newest = max(whole, key=lambda one: one["ended"], default=None)
    return _counts_of(newest["counts"], newest["ended"]) if newest else None


def _counts_of(counts: Mapping[str, Any], ended: datetime) -> Counts:
    return Counts(
        desired=counts["desired"],
        listed=counts["listed"],
        ours=counts["ours"],
        foreign=counts["foreign"],
        completed=counts["completed"],
        suppressed=counts["suppressed"],
        added=_made(counts, Kind.ADD),
        removed=_made(counts, Kind.REMOVE),
        as_of=ended,
    )


def _made(counts: Mapping[str, Any], kind: Kind) -> int:
    outcomes = counts["outcomes"].get(kind, {})
    return int(outcomes.get(Outcome.DONE, 0) + outcomes.get(Outcome.ALREADY, 0))


def _waiting(rows: list[Mapping[str, Any]] | None) -> Waiting | None:
    return Waiting(**rows[0]) if rows else None
