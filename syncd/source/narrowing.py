"""The rows of one customer, asked of the database, where that tells the same as reading a query through."""

import string
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from sqlalchemy import Connection, CursorResult, Result

from syncd.source.dialects import Dialect

MOST: Final = 2000
"""Rows that one customer may have. More are those of a column in which the database cannot tell customers apart."""

Run = Callable[[str], CursorResult[Any]]
Columns = Sequence[tuple[str, object]]
"""Names, with what the driver calls their types."""


def rows_of(customer: int, query: str, dialect: Dialect, connection: Connection, run: Run) -> Result[Any] | None:
    """Return rows of a query, read to their end: all of a customer's, and others now and then.

    None where the database cannot be asked, or cannot be trusted to leave none out: the query is to be read through
    then, which also tells what is wrong with it.
    """
    # A comment may be the last of a query, and ends with its line.
    wrapped = f"SELECT * FROM (\n{query.rstrip(string.whitespace + ';')}\n) AS syncd_rows"
    asked = dialect.columns_of(query, wrapped)
    if not asked:
        return None
    found = None
    with suppress(Exception):
        connection.exec_driver_sql("SAVEPOINT one_customer")
        columns = _columns(run(asked))
        found = _found(customer, wrapped, columns, dialect, connection, run)
    with suppress(Exception):
        # A statement that failed spoils the transaction from there on.
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT one_customer")
    return found


def _found(
    customer: int, wrapped: str, columns: Columns, dialect: Dialect, connection: Connection, run: Run
) -> Result[Any] | None:
    own = [(name, kind) for name, kind in columns if name.lower() == "customer_id"]
    if len(own) != 1:
        return None
    [(name, kind)] = own
    condition = dialect.may_be(connection.dialect.identifier_preparer.quote_identifier(name), kind, customer)
    if not condition:
        return None
    result = run(f"{wrapped} WHERE {condition} LIMIT {MOST + 1}")
    # SQLite gives some columns of a query that stands in another one another name.
    same = list(result.keys()) == [name for name, _ in columns]
    rows = result.freeze()
    return rows() if same and len(rows.data) <= MOST else None


def _columns(begun: CursorResult[Any]) -> Columns:
    """Return the columns of a query that has begun, and end it."""
    description = begun.cursor.description if begun.cursor is not None else None
    begun.close()
    return [(str(name), kind) for name, kind, *_ in description or ()]
