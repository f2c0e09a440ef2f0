"""The sample company's customer database: contracts that end, and customers who are not to be called."""

import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

FIRST: Final = 10_001
CUSTOMERS: Final = 3_000
DUE: Final = 912
DO_NOT_CALL: Final = 12
"""They are due as well: only the suppression list keeps them from being called."""

SCHEMA: Final = """
CREATE TABLE customer (
    account_num   INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    contract_ends DATE NOT NULL,
    renewed       INTEGER NOT NULL DEFAULT 0,
    call_at       TEXT
);
CREATE TABLE do_not_call (account_num INTEGER PRIMARY KEY);
CREATE VIEW calls_due AS
    SELECT account_num, call_at FROM customer WHERE NOT renewed AND contract_ends <= date('now', '+30 days');
"""

_FIRST_NAMES: Final = ("Ada", "Alan", "Barbara", "Claude", "Edsger", "Frances", "Grace", "Hedy", "John", "Katherine")
_LAST_NAMES: Final = ("Allen", "Brooks", "Clarke", "Dahl", "Easley", "Floyd", "Gray", "Hamilton", "Iverson", "Jones")


class Crm:
    """The database, changed as a company's own programs change it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self) -> None:
        """Make the tables and the customers: some contracts end soon, some customers are not to be called."""
        soon, late = date.today() + timedelta(days=10), date.today() + timedelta(days=200)
        rows = [
            (FIRST + n, f"{_FIRST_NAMES[n % 10]} {_LAST_NAMES[n // 10 % 10]}", str(soon if n < DUE else late))
            for n in range(CUSTOMERS)
        ]
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executescript(SCHEMA)
            connection.executemany("INSERT INTO customer (account_num, name, contract_ends) VALUES (?, ?, ?)", rows)
            connection.executemany(
                "INSERT INTO do_not_call VALUES (?)", [(FIRST + DUE - 1 - n,) for n in range(DO_NOT_CALL)]
            )

    def renew(self, customer: int) -> None:
        """A customer has renewed: no call is needed any more."""
        self._run("UPDATE customer SET renewed = 1 WHERE account_num = ?", customer)

    def ends_soon(self, customer: int) -> None:
        """A contract ends soon: a call is needed."""
        self._run("UPDATE customer SET contract_ends = date('now', '+10 days') WHERE account_num = ?", customer)

    def never_call(self, customer: int) -> None:
        """A customer asked never to be called again."""
        self._run("INSERT INTO do_not_call VALUES (?)", customer)

    def call_at(self, customer: int, moment: datetime) -> None:
        """A customer asked to be called at a time."""
        self._run("UPDATE customer SET call_at = ? WHERE account_num = ?", moment.astimezone(UTC).isoformat(), customer)

    def lose_ends(self) -> None:
        """A job that loads contracts breaks off: none seems to end soon."""
        self._run("UPDATE customer SET contract_ends = date(contract_ends, '+100 years')")

    def find_ends(self) -> None:
        """The job has run again."""
        self._run("UPDATE customer SET contract_ends = date(contract_ends, '-100 years')")

    def to_call(self) -> set[int]:
        """Return who needs a call and may be called."""
        with closing(sqlite3.connect(self.path)) as connection:
            rows = connection.execute("SELECT account_num FROM calls_due EXCEPT SELECT account_num FROM do_not_call")
            return {number for (number,) in rows}

    def _run(self, statement: str, *values: object) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute(statement, values)
