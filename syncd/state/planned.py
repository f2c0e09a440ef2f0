"""The plan's lines: what stands in the temporary table ``planned``, taken in batches by customer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final, LiteralString

from psycopg.rows import class_row

from syncd.dialer.api import Verdict
from syncd.state.database import Connection
from syncd.words import Kind


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

FEW: Final = 1000
"""Changes that are found without an index as fast as it is made."""

TAKE: LiteralString = """
SELECT customer, kind, rule, park_reason, send_at, wanted_at, park_until, version, row_hash, presence, stand, called,
       unlisted, freed,
       -- the newest suppression list and a pause are obeyed up to the very batch
       queue NOT IN (2, 3, 4) OR NOT EXISTS (SELECT FROM suppressed s WHERE s.customer = p.customer) AS sendable
FROM planned p
WHERE queue = %(queue)s AND kind IS NOT NULL AND customer > %(after)s
  -- of a line that is held, only what a person approved and what an earlier delete obliges
  AND (NOT %(only_freed)s OR freed OR rule = 'owed') AND (NOT %(untimed_only)s OR send_at IS NULL)
ORDER BY customer LIMIT %(size)s
"""


@dataclass(frozen=True, slots=True)
class Change:
    """One planned change of one customer. Times are aware."""

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
    sendable: bool

    @property
    def urgent(self) -> bool:
        """Return whether the customer is suppressed."""
        return self.rule.startswith("suppressed")


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes that a committed claim stands for."""

    claim: int
    kind: Kind
    changes: Sequence[Change]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one change of a batch."""

    change: Change
    verdict: Verdict


async def line_up(connection: Connection) -> dict[Queue, int]:
    """Make taking batches cheap, whatever was planned; return how many changes stand in each line."""
    cursor = await connection.execute("SELECT queue, count(*) FROM planned WHERE kind IS NOT NULL GROUP BY queue")
    waiting = {Queue(int(str(queue))): int(str(changes)) for queue, changes in await cursor.fetchall()}
    if sum(waiting.values()) > FEW:
        await connection.execute("CREATE INDEX IF NOT EXISTS planned_order ON planned (queue, customer)")
        await connection.execute("ANALYZE planned")
    return waiting


async def take(
    connection: Connection, queue: Queue, after: int, size: int, *, only_freed: bool = False, untimed_only: bool = False
) -> list[Change]:
    """Return the next changes of a line beyond a customer; an empty list at its end.

    ``only_freed``: the line is held, so only what a person approved and what an earlier delete obliges.
    ``untimed_only`` leaves out who is to be called at a time.
    """
    async with connection.cursor(row_factory=class_row(Change)) as cursor:
        await cursor.execute(
            TAKE,
            {
                "queue": queue.value,
                "after": after,
                "size": size,
                "only_freed": only_freed,
                "untimed_only": untimed_only,
            },
        )
        return await cursor.fetchall()
