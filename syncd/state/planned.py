"""The plan's lines: what stands in the temporary table ``planned``, taken and claimed in batches by customer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, LiteralString, NamedTuple, cast

from syncd.dialer.api import Verdict
from syncd.state.arrays import array
from syncd.state.database import Connection
from syncd.words import Kind, Outcome


class Queue(IntEnum):
    """In which line of a plan a change stands."""

    SUPPRESSIONS = 0
    REMOVALS = 1
    ADDITIONS = 2
    RESCHEDULES = 3
    RECALLS = 4
    LEDGER = 5
    """Changes that call nobody."""

    @property
    def kind(self) -> Kind:
        """Return the kind of the claim that a batch of this line makes."""
        return _CLAIMS[self]


_CLAIMS = {
    Queue.SUPPRESSIONS: Kind.REMOVE,
    Queue.REMOVALS: Kind.REMOVE,
    Queue.ADDITIONS: Kind.ADD,
    Queue.RESCHEDULES: Kind.RESCHEDULE,
    Queue.RECALLS: Kind.RECALL,
}

DELETES: Final = (Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL)
"""Kinds of claims that stand for deletes."""

FEW: Final = 1000
"""Changes that are found without an index as fast as it is made."""

COLUMNS: LiteralString = """
customer, kind, rule, park_reason, send_at, wanted_at, park_until, version, row_hash, presence, stand, called, unlisted,
freed
"""
"""Those of a :class:`Change`, in its order."""

TAKE: LiteralString = f"""
SELECT {COLUMNS} FROM planned
WHERE queue = %(queue)s AND kind IS NOT NULL AND customer > %(after)s
ORDER BY customer LIMIT %(size)s
"""

NEXT: LiteralString = """
SELECT p.*,
       -- the newest suppression list is obeyed up to the very batch
       queue NOT IN (2, 3, 4) OR NOT EXISTS (SELECT FROM suppressed s WHERE s.customer = p.customer) AS sendable
FROM planned p
WHERE queue = %(queue)s AND kind IS NOT NULL AND customer > %(after)s
  -- of a line that is held, only what a person approved and what an earlier delete obliges
  AND (NOT %(only_freed)s OR freed OR rule = 'owed') AND (NOT %(untimed_only)s OR send_at IS NULL)
ORDER BY customer LIMIT %(size)s::bigint * %(batches)s
"""

OWED: LiteralString = """
SELECT p.*, NOT EXISTS (SELECT FROM suppressed s WHERE s.customer = p.customer) AS sendable
FROM planned p WHERE queue = %(queue)s AND customer = ANY (%(customers)s::bigint[])
"""

CLAIM: LiteralString = """
WITH taken AS MATERIALIZED ({taken}
), batched AS MATERIALIZED (
    SELECT *, (row_number() OVER (ORDER BY customer) - 1) / %(size)s AS batch FROM taken WHERE sendable
), claimed AS (
    INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)
    SELECT %(campaign)s, %(pass)s, %(kind)s, array_agg(customer ORDER BY customer),
           array_agg(wanted_at ORDER BY customer), array_agg(version ORDER BY customer),
           array_fill(NULL::boolean, ARRAY[count(*)::integer]), %(now)s
    FROM batched GROUP BY batch
    RETURNING id, customers[1] AS low, customers[cardinality(customers)] AS high
)
SELECT c.id, {columns}
FROM taken t LEFT JOIN claimed c ON t.sendable AND t.customer BETWEEN c.low AND c.high
ORDER BY customer
"""
"""One statement, so that a claim costs one question and one wait for the disk, for however many batches."""

CLAIM_NEXT: LiteralString = CLAIM.replace("{taken}", NEXT).replace("{columns}", COLUMNS)
CLAIM_OWED: LiteralString = CLAIM.replace("{taken}", OWED).replace("{columns}", COLUMNS)


class Change(NamedTuple):
    """One planned change of one customer. Times are aware. A named tuple, since millions are made in one pass."""

    customer: int
    kind: str
    rule: str
    park_reason: str | None
    send_at: datetime | None
    wanted_at: datetime | None
    park_until: datetime | None
    version: str | None
    row_hash: int | None
    presence: str | None
    stand: str
    called: bool
    unlisted: bool
    freed: bool
    """A person approved it."""

    @property
    def urgent(self) -> bool:
        """Return whether the customer is suppressed."""
        return self.rule.startswith("suppressed")


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that a committed claim stands for."""

    claim: int
    kind: Kind
    queue: Queue
    changes: Sequence[Change]


class Answer(NamedTuple):
    """What became of one change of a batch."""

    change: Change
    verdict: Verdict

    @property
    def takes_suppressed_out(self) -> bool:
        """Return whether a suppressed customer is out of the campaign now."""
        return self.change.urgent and self.verdict.outcome in (Outcome.DONE, Outcome.ALREADY)


@dataclass(frozen=True, slots=True)
class Scribe:
    """The pass that writes, and when."""

    campaign: int
    pass_id: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Line:
    """Which changes of a queue are taken, and how many go into a batch."""

    queue: Queue
    size: int
    only_freed: bool = False
    """The line is held, so only what a person approved and what an earlier delete obliges."""
    untimed_only: bool = False
    """Whoever is to be called at a time is left out."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Batches of a line, as many as were asked for or as are left, and the last customer that was looked at."""

    batches: Sequence[Batch]
    last: int | None
    """None at the end of the line. With no batch: none of those who were looked at is to be sent any more."""


async def line_up(connection: Connection) -> dict[Queue, int]:
    """Make taking batches cheap, whatever was planned; return how many changes stand in each line."""
    cursor = await connection.execute("SELECT queue, count(*) FROM planned WHERE kind IS NOT NULL GROUP BY queue")
    waiting = {Queue(int(str(queue))): int(str(changes)) for queue, changes in await cursor.fetchall()}
    if sum(waiting.values()) > FEW:
        await connection.execute("CREATE INDEX IF NOT EXISTS planned_order ON planned (queue, customer)")
        await connection.execute("ANALYZE planned")
    return waiting


async def take(connection: Connection, queue: Queue, after: int, size: int) -> list[Change]:
    """Return the next changes of a line beyond a customer, without a claim; an empty list at its end."""
    cursor = await connection.execute(TAKE, {"queue": queue.value, "after": after, "size": size})
    return [_change(row) for row in await cursor.fetchall()]


async def claim_next(connection: Connection, by: Scribe, line: Line, after: int, batches: int) -> Taken:
    """Take so many batches of a line beyond a customer and write a claim for each.

    Whom the newest suppression list names is left out of what would be added.
    """
    which = {
        "size": line.size,
        "after": after,
        "batches": batches,
        "only_freed": line.only_freed,
        "untimed_only": line.untimed_only,
    }
    return await _claim(connection, CLAIM_NEXT, by, line.queue, line.queue.kind, which)


async def claim_owed(connection: Connection, by: Scribe, queue: Queue, customers: Sequence[int]) -> Taken:
    """Write the claim of the adds that the deletes of a reschedule or recall oblige, in one batch.

    Whom the newest suppression list names by now is owed nothing.
    """
    which = {"size": len(customers), "customers": array(customers)}
    return await _claim(connection, CLAIM_OWED, by, queue, Kind.ADD, which)


async def _claim(
    connection: Connection,
    statement: LiteralString,
    by: Scribe,
    queue: Queue,
    kind: Kind,
    which: Mapping[str, object],
) -> Taken:
    values = {"campaign": by.campaign, "pass": by.pass_id, "now": by.now, "queue": queue.value, "kind": kind.value}
    rows = await (await connection.execute(statement, {**values, **which})).fetchall()
    claimed: dict[int, list[Change]] = {}
    for number, *columns in rows:
        if number is not None:
            claimed.setdefault(int(str(number)), []).append(_change(columns))
    batches = [Batch(number, kind, queue, changes) for number, changes in claimed.items()]
    return Taken(batches, _change(rows[-1][1:]).customer if rows else None)


_change = cast("Callable[[Sequence[object]], Change]", Change._make)
