"""Whether the driver that a source's URL needs is there, without connecting."""

from sqlalchemy import create_engine, make_url

from syncd.source.dialects import Dialect, dialect_of
from syncd.source.faults import Faults
from syncd.source.settings import SourceSettings


def check_driver(settings: SourceSettings) -> None:
    """Return when the driver can be loaded. Raise SourceError, which says what to install."""
    faults = Faults(settings.name, settings.timeout.total_seconds())
    with faults.explained(reading=False):
        url = make_url(settings.url)
        # The driver alone: SQLite's own way would look for the file.
        engine = create_engine(Dialect.url(dialect_of(url.get_backend_name()), url))
        if engine.dialect.is_async:
            raise faults.asynchronous(engine.dialect.driver)
