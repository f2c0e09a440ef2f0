"""What a dry run has planned, customer by customer."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from psycopg.rows import class_row

from syncd.state.desk import Desk

BLOCK: Final = 2000

FORESEEN: LiteralString = """
SELECT customer, kind, rule, send_at AS call_at FROM planned WHERE kind IS NOT NULL ORDER BY customer, queue
"""


@dataclass(frozen=True, slots=True)
class Foreseen:
    """One change that a pass would make. ``call_at`` is aware; None is as soon as possible, or no call at all."""

    customer: int
    kind: str
    rule: str
    call_at: datetime | None


async def foreseen(desk: Desk) -> AsyncIterator[Sequence[Foreseen]]:
    """Yield the planned changes by customer, in blocks. Raise StateUnavailable.

    The server keeps the result outside of any transaction: whoever reads it may take their time.
    """
    async with (
        desk.alone() as connection,
        connection.cursor("foreseen", row_factory=class_row(Foreseen), withhold=True) as cursor,
    ):
        await cursor.execute(FORESEEN)
        while block := await cursor.fetchmany(BLOCK):
            yield block
