"""From what a database or its driver says to one sentence with advice, without secrets, parameters or phone numbers."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, quote_plus

from sqlalchemy import URL
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, ResourceClosedError

from syncd.errors import SourceError, SyncdError
from syncd.phone import hide_numbers
from syncd.source.dialects import Dialect, MissingFileError, dialect_of

_LONGEST: Final = 300

_TIMED_OUT: Final = re.compile(
    r"statement timeout|max_statement_time|maximum statement execution time|query timeout expired|call timeout|DPY-4024"
    r"|\b(?:1969|3024)\b|timed out",
    re.IGNORECASE,
)

_ADVICE: Final = (
    (r"database is locked", "another program is writing to the file: it is read when that program is done"),
    (
        r"unable to open database file",
        "check that the file and its directory may be read by the user that syncd runs as",
    ),
    (
        r"read.?only transaction|readonly database",
        "the query must only read: write a SELECT",
    ),
    (
        r"no such table|relation .* does not exist|doesn't exist|invalid object name|ORA-00942",
        "check the name of the table, the database in the URL and that the user may see the table",
    ),
    (
        r"no such column|column .* does not exist|unknown column|invalid column name|ORA-00904",
        "check the column's name",
    ),
    (r"permission denied|command denied|ORA-01031", "grant SELECT on it to the user of the source"),
    (
        r"password authentication failed|access denied|login failed|no password supplied|ORA-01017",
        "check the user in the url and the password of the source",
    ),
    (
        r"could not translate host name|name or service not known|failed to resolve|getaddrinfo|unknown .* server host",
        "check the host in the url",
    ),
    (
        r"refused|can't connect|no such file or directory",
        "check that the database runs and that host and port in the url are right",
    ),
    (r"database .* does not exist|unknown database", "check the name of the database in the url"),
    (
        r"syntax error|error in your sql syntax|incomplete input|ORA-009\d\d",
        "try the query in the database's own client",
    ),
    (
        r"too many (?:clients|connections)|max_user_connections",
        "the database has no connection free; it is tried again",
    ),
    (r"server closed|lost connection|gone away|terminating connection|connection .* reset", "it is tried again"),
)


@dataclass(frozen=True, slots=True)
class Faults:
    """Words for what goes wrong with one source."""

    source: str
    limit: float
    """Seconds that a read may take."""
    url: URL | None = None
    secrets: tuple[str, ...] = field(default=(), repr=False)

    @contextmanager
    def explained(self, *, reading: bool) -> Iterator[None]:
        """Turn whatever a driver raises inside into a SourceError. Its own words may hold a value: they end here."""
        try:
            yield
        except SyncdError:
            raise
        except Exception as error:
            raise self.explain(error, reading=reading) from None

    def explain(self, error: BaseException, *, reading: bool) -> SourceError:
        """Return the sentence for an error of SQLAlchemy or a driver.

        While reading, an error may quote a value of a row: whatever in it looks like a phone number is hidden.
        """
        match error:
            case MissingFileError():
                return SourceError(self.source, self._clean(str(error)), "check the path in the url")
            case ModuleNotFoundError() | NoSuchModuleError():
                return self._no_driver(error)
            case ArgumentError():
                return SourceError(
                    self.source, "the url cannot be used", "write a SQLAlchemy URL, dialect+driver://..."
                )
            case ResourceClosedError():
                return SourceError(self.source, "the query returns no rows", "write a SELECT")
        text = self._clean(_words_of(error))
        if reading:
            text = hide_numbers(text)
            if _TIMED_OUT.search(text):
                return self.late()
        advice = next((advice for pattern, advice in _ADVICE if re.search(pattern, text, re.IGNORECASE)), "")
        return SourceError(self.source, f"{'the query failed' if reading else 'no connection'}: {text}", advice)

    def late(self) -> SourceError:
        """Return the sentence for a read that did not end within its limit."""
        return SourceError(
            self.source,
            f"the query was not read to its end within {self.limit:g} s",
            "make the query faster, or raise the timeout of the source",
        )

    def asynchronous(self, driver: str) -> SourceError:
        """Return the sentence for a driver that cannot be used from a thread."""
        backend = self.url.get_backend_name() if self.url else "dialect"
        return SourceError(self.source, f"{driver} is an asynchronous driver", f"write {backend}:// in the url")

    def unreachable(self, seconds: float) -> SourceError:
        """Return the sentence for a connection that did not come about in so many seconds."""
        return SourceError(
            self.source,
            f"no connection within {seconds:g} s",
            "check that the database runs and that host and port in the url are right",
        )

    def closed(self) -> SourceError:
        """Return the sentence for a read whose session was closed under it."""
        return SourceError(self.source, "the session was closed before the query was read to its end")

    def columns(self, found: tuple[str, ...], missing: str) -> SourceError:
        """Return the sentence for a result without a column that it needs."""
        names = ", ".join(found) or "none"
        return SourceError(
            self.source,
            f"the query has no column {missing}, only: {self._clean(names)}",
            f"write SELECT <your column> AS {missing}",
        )

    def twice(self, column: str) -> SourceError:
        """Return the sentence for a column that stands in a result twice, so that nobody knows which one is meant."""
        return SourceError(self.source, f"the query has more than one column {column}", "leave all but one out")

    def _no_driver(self, error: Exception) -> SourceError:
        dialect = dialect_of(self.url.get_backend_name()) if self.url else Dialect()
        missing = f"the driver of {self.url.drivername} is not installed" if self.url else "the driver is not installed"
        if not dialect.extra or isinstance(error, NoSuchModuleError):
            return SourceError(self.source, missing, "check the part of the url before ://, or install its driver")
        if self.url and self.url.drivername.partition("+")[2] not in ("", dialect.driver):
            return SourceError(
                self.source,
                missing,
                f"install it, or write {self.url.get_backend_name()}+{dialect.driver}:// and pip install "
                f"'syncd[{dialect.extra}]'",
            )
        return SourceError(self.source, missing, f"pip install 'syncd[{dialect.extra}]'")

    def _clean(self, text: str) -> str:
        """Return one printable line of sane length, without secrets and without the user part of any URL."""
        for secret in self.secrets:
            for spelling in {secret, quote(secret, safe=""), quote_plus(secret)}:
                text = text.replace(spelling, "***")
        text = re.sub(r"//[^/@\s]*@", "//", text)
        # A value that an error quotes may hold what a terminal obeys.
        text = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."


def secrets_of(url: URL) -> tuple[str, ...]:
    """Return the passwords that a URL holds, as its password or among its options."""
    options = (url.query.get(name) for name in ("password", "passwd", "pwd"))
    return tuple(str(secret) for secret in (url.password, *options) if secret)


def _words_of(error: BaseException) -> str:
    """Return the first line of what the database itself said: no statement, no parameters, no Python."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    match error.args:
        case (int() as number, str() as text, *_):
            # The way of MySQL's drivers.
            text = f"{text} (error {number})"
        case _:
            text = str(error)
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
