"""What reading a source needs to be told."""

from datetime import timedelta
from typing import Protocol
from zoneinfo import ZoneInfo


class Password(Protocol):
    """A secret that shows itself only when asked."""

    def reveal(self) -> str:
        """Return the secret itself."""
        ...


class SourceSettings(Protocol):
    """One source of the configuration."""

    @property
    def name(self) -> str:
        """What the source is called in the file."""
        ...

    @property
    def url(self) -> str:
        """A SQLAlchemy URL."""
        ...

    @property
    def password(self) -> Password | None:
        """In place of one in the URL."""
        ...

    @property
    def timezone(self) -> ZoneInfo:
        """The zone of times without an offset."""
        ...

    @property
    def timeout(self) -> timedelta:
        """The limit of reading one query to its end."""
        ...
