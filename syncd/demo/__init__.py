"""The whole thing on sample data: a SQLite CRM, a simulated tenant, and syncd with its own PostgreSQL between them.

Its passes are those of ``syncd once``, over a configuration file such as a user writes.
"""

from syncd.demo.story import tell_story

__all__ = ["tell_story"]
