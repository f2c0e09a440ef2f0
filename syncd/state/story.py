"""The story of one customer in one campaign, as the state has it: a few look-ups, however long the ledger is."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString, TypeVar

from psycopg.rows import class_row

from syncd.state.database import Connection, state_errors
from syncd.state.journal import Entry
from syncd.state.parking import Parked

MOST: Final = 500
"""Changes, and sightings, that are told: the newest of them."""

CAMPAIGNS: LiteralString = """
SELECT id, account, vendor_id, name, listed_at FROM campaign ORDER BY id
"""

LEDGER: LiteralString = """
SELECT record_id, added_at, wanted_at, recalled_at, disposition, status, status_code, absent, presence, ours, called,
       version, called_version, cardinality(added_times) AS adds
FROM ledger WHERE campaign = %(campaign)s AND customer = %(customer)s
"""

PARKED: LiteralString = """
SELECT customer, reason, message, since, last_try, attempts, next_try, given_up
FROM parked WHERE campaign = %(campaign)s AND customer = %(customer)s
"""

HELD: LiteralString = """
SELECT p.digest, c.kind, c.rule, p.since
FROM held_change c JOIN held_plan p USING (campaign)
WHERE c.campaign = %(campaign)s AND c.customer = %(customer)s ORDER BY c.kind
"""

APPROVED: LiteralString = """
SELECT a.digest, c.kind, a.by, a.at, a.expires_at, c.used_at
FROM approved_change c JOIN approval a ON a.id = c.approval
WHERE c.campaign = %(campaign)s AND c.customer = %(customer)s ORDER BY a.at, c.kind
"""

CLAIMS: LiteralString = """
SELECT kind, pass AS pass_id, sent_at
FROM claim WHERE campaign = %(campaign)s AND customers @> ARRAY[%(customer)s]::bigint[] ORDER BY sent_at
"""

CHANGES: LiteralString = """
SELECT j.at, j.pass AS pass_id, j.campaign, c.name, j.customer, j.kind, j.rule, j.outcome, j.reason, j.http_status,
       j.message, j.approved, j.delay
FROM change j JOIN campaign c ON c.id = j.campaign
WHERE j.campaign = %(campaign)s AND j.customer = %(customer)s ORDER BY j.at DESC LIMIT %(most)s
"""

SIGHTINGS: LiteralString = """
SELECT seen_at, status, status_code, disposition
FROM sighting WHERE campaign = %(campaign)s AND customer = %(customer)s ORDER BY seen_at DESC LIMIT %(most)s
"""

SUPPRESSED_RECORDS: LiteralString = """
SELECT shown_at, removed_at, left_at
FROM suppressed_record WHERE campaign = %(campaign)s AND customer = %(customer)s ORDER BY shown_at
"""


@dataclass(frozen=True, slots=True)
class Registered:
    """A campaign that the state knows. Times are aware."""

    id: int
    account: str
    vendor_id: int
    name: str
    """Its section's name when it last ran."""
    listed_at: datetime | None


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger knows. Times are aware."""

    record_id: int | None
    added_at: datetime | None
    wanted_at: datetime | None
    recalled_at: datetime | None
    disposition: int | None
    status: int | None
    """As last listed or answered; None: no listing has shown the record yet."""
    status_code: int | None
    absent: int | None
    """Whole listings in a row without it, 2 and more alike; None: none since syncd's last call on it."""
    presence: str
    ours: bool
    called: bool
    version: str | None
    called_version: str | None
    adds: int | None
    """Adds of the week before the last one, and that."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """A change that waits for a person. Times are aware."""

    digest: str
    kind: str
    rule: str
    since: datetime


@dataclass(frozen=True, slots=True)
class LetThrough:
    """A change that a person approved. Times are aware."""

    digest: str
    kind: str
    by: str
    at: datetime
    expires_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class OpenClaim:
    """A call that nobody has answered yet. Times are aware."""

    kind: str
    pass_id: int
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Sighting:
    """A record as it was first seen. Times are aware."""

    seen_at: datetime
    status: int | None
    status_code: int | None
    disposition: int | None


@dataclass(frozen=True, slots=True)
class SuppressedRecord:
    """Suppressed while in the campaign. Times are aware."""

    shown_at: datetime
    """The read that first showed it."""
    removed_at: datetime | None
    """The dialer's answer that it is out."""
    left_at: datetime | None
    """Out, called, or suppressed no more, without a removal of syncd's."""


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that the state knows of one customer in one campaign; what is a list begins with the oldest."""

    ledger: LedgerRow | None = None
    parked: Parked | None = None
    held: tuple[HeldBack, ...] = ()
    approved: tuple[LetThrough, ...] = ()
    claims: tuple[OpenClaim, ...] = ()
    changes: tuple[Entry, ...] = ()
    sightings: tuple[Sighting, ...] = ()
    suppressed: tuple[SuppressedRecord, ...] = ()

    @property
    def empty(self) -> bool:
        """Return whether the state knows nothing."""
        return self == Story()


async def registered(connection: Connection) -> list[Registered]:
    """Return every campaign that the state knows, whether the configuration has it or not. Raise StateUnavailable."""
    with state_errors():
        async with connection.cursor(row_factory=class_row(Registered)) as cursor:
            await cursor.execute(CAMPAIGNS)
            return await cursor.fetchall()


async def story(connection: Connection, campaign: int, customer: int) -> Story:
    """Return what the state knows of a customer in a campaign, all of it as of one moment. Raise StateUnavailable."""
    values: dict[str, object] = {"campaign": campaign, "customer": customer, "most": MOST}
    with state_errors():
        async with connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            ledger = await _rows(connection, LedgerRow, LEDGER, values)
            parked = await _rows(connection, Parked, PARKED, values)
            return Story(
                ledger=ledger[0] if ledger else None,
                parked=parked[0] if parked else None,
                held=await _rows(connection, HeldBack, HELD, values),
                approved=await _rows(connection, LetThrough, APPROVED, values),
                claims=await _rows(connection, OpenClaim, CLAIMS, values),
                changes=(await _rows(connection, Entry, CHANGES, values))[::-1],
                sightings=(await _rows(connection, Sighting, SIGHTINGS, values))[::-1],
                suppressed=await _rows(connection, SuppressedRecord, SUPPRESSED_RECORDS, values),
            )


T = TypeVar("T")


async def _rows(
    connection: Connection, kind: type[T], query: LiteralString, values: dict[str, object]
) -> tuple[T, ...]:
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, values)
        return tuple(await cursor.fetchall())
