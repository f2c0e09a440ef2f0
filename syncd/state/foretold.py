"""One customer on the desk of a dry run: what was staged of them, and what was decided."""

from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString, TypeVar

from psycopg.rows import class_row

from syncd.state.database import Connection
from syncd.words import Kind, Rule

LEAVE_ALONE: LiteralString = """
DELETE FROM desired WHERE customer <> %(customer)s;
DELETE FROM suppressed_read WHERE customer <> %(customer)s;
DELETE FROM suppressed WHERE customer <> %(customer)s;
DELETE FROM listing WHERE customer <> %(customer)s;
DELETE FROM folded WHERE customer <> %(customer)s
"""

ROW: LiteralString = """
SELECT wanted_at AS call_at, version, problem FROM desired WHERE customer = %(customer)s
"""

RECORD: LiteralString = """
SELECT record_id, status, status_code, disposition FROM listing WHERE customer = %(customer)s
"""

ON_THE_LIST: LiteralString = """
SELECT EXISTS (SELECT FROM suppressed_read WHERE customer = %(customer)s)
"""

DECIDED: LiteralString = """
SELECT kind, rule, park_reason, park_until, send_at FROM planned WHERE customer = %(customer)s
"""


@dataclass(frozen=True, slots=True)
class Row:
    """The customer's row as the source has it now. Times are aware."""

    call_at: datetime | None
    """None: as soon as possible, unless there is a problem."""
    version: str | None
    problem: str | None
    """Why the row cannot be acted on."""


@dataclass(frozen=True, slots=True)
class ListedRecord:
    """The customer's record as the campaign lists it now."""

    record_id: int
    status: int | None
    status_code: int | None
    disposition: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What a pass would decide. Times are aware."""

    kind: str | None
    """None: nothing is to be done."""
    rule: str
    park_reason: str | None
    """What keeps the row from being sent."""
    park_until: datetime | None
    send_at: datetime | None
    """The time to be sent; None: as soon as possible."""

    @property
    def urgent(self) -> bool:
        """Return whether it takes out a suppressed customer, which no limit, pause or failing source holds up."""
        return self.kind == Kind.REMOVE and self.rule.startswith("suppressed")


async def leave_alone(connection: Connection, customer: int) -> None:
    """Leave of what is staged only what concerns a customer. A dry run may delete, and not truncate."""
    for statement in LEAVE_ALONE.split(";"):
        await connection.execute(statement, {"customer": customer})


async def row_of(connection: Connection, customer: int) -> Row | None:
    """Return the customer's row; None: the source has none, so that the customer needs no call."""
    return await _one(connection, Row, ROW, customer)


async def record_of(connection: Connection, customer: int) -> ListedRecord | None:
    """Return the customer's record in the staged listing."""
    return await _one(connection, ListedRecord, RECORD, customer)


async def on_the_list(connection: Connection, customer: int) -> bool:
    """Return whether the suppression query names the customer."""
    row = await (await connection.execute(ON_THE_LIST, {"customer": customer})).fetchone()
    return bool(row and row[0])


async def decided(connection: Connection, customer: int) -> Decision:
    """Return what the plan has for the customer; of somebody whom nobody knows, that there is nothing to be done."""
    found = await _one(connection, Decision, DECIDED, customer)
    return found or Decision(None, Rule.ABSENT.value, None, None, None)


T = TypeVar("T")


async def _one(connection: Connection, kind: type[T], query: LiteralString, customer: int) -> T | None:
    async with connection.cursor(row_factory=class_row(kind)) as cursor:
        await cursor.execute(query, {"customer": customer})
        return await cursor.fetchone()
