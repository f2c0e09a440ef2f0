"""Source databases: who needs a call, and who must never be called, read whole, read only and within limits."""

from syncd.source.rows import SourceRow, SourceRows
from syncd.source.session import QueryRows, SourceSession, open_source
from syncd.source.settings import SourceSettings

__all__ = ["QueryRows", "SourceRow", "SourceRows", "SourceSession", "SourceSettings", "open_source"]
