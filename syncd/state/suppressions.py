"""Customers whom a person suppresses, in every campaign, whatever the source says."""

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from syncd.state.database import Connection, state_errors


@dataclass(frozen=True, slots=True)
class Suppression:
    """One reason never to call a customer. Times are aware."""

    account: str
    """The tenant's user name; empty is every tenant."""
    origin: str
    """``operator``, or ``disposition``: an agent said so by how the call was ended."""
    reason: str
    since: datetime
    by: str


async def find(connection: Connection, customer: int) -> list[Suppression]:
    """Return for which reasons the state has a customer suppressed. Raise StateUnavailable."""
    with state_errors():
        async with connection.cursor(row_factory=class_row(Suppression)) as cursor:
            await cursor.execute(
                "SELECT account, origin, reason, since, by FROM suppression WHERE customer = %s ORDER BY since",
                (customer,),
            )
            return await cursor.fetchall()


async def suppress(connection: Connection, customer: int, reason: str, by: str, now: datetime) -> bool:
    """Suppress a customer in every campaign; return False where a person did already, which keeps who, when and why.

    Raise StateUnavailable.
    """
    with state_errors():
        cursor = await connection.execute(
            "INSERT INTO suppression (account, customer, origin, reason, since, by)"
            " VALUES ('', %s, 'operator', %s, %s, %s) ON CONFLICT DO NOTHING",
            (customer, reason, now, by),
        )
    return cursor.rowcount > 0


async def unsuppress(connection: Connection, customer: int) -> bool:
    """Take back what a person suppressed; return False where nobody had. Raise StateUnavailable.

    What an agent said by a disposition stays.
    """
    with state_errors():
        cursor = await connection.execute(
            "DELETE FROM suppression WHERE customer = %s AND origin = 'operator'", (customer,)
        )
    return cursor.rowcount > 0
