"""The settings, typed: what the rest of syncd is handed.

Values are checked where the file is read, not here: a test builds what it needs by keyword.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeAlias
from zoneinfo import ZoneInfo

from syncd.config.secrets import Secret

TokenChoice: TypeAlias = Literal["auto", "action", "data"]

_UTC = ZoneInfo("UTC")
_EVERY = timedelta(minutes=5)


def _nothing() -> Mapping[Any, Any]:
    return MappingProxyType({})


class LogLevel(StrEnum):
    """The least urgent line that is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    """How a line of the log looks; auto is console on a terminal, JSON otherwise."""

    AUTO = "auto"
    CONSOLE = "console"
    JSON = "json"


class Mode(StrEnum):
    """What a pass may change; add-only removes nobody but the suppressed."""

    MIRROR = "mirror"
    ADD_ONLY = "add-only"


class Removes(StrEnum):
    """Whose records a pass may remove when nobody wants them."""

    OWNED = "owned"
    ALL = "all"


class Vanished(StrEnum):
    """What is done about a record of ours that is gone without our doing."""

    ADD = "add"
    LEAVE = "leave"


class MatchOn(StrEnum):
    """What in a record of the listing tells which customer it is."""

    RECORD_ID = "record-id"
    PHONE = "phone"
    EXT_TRANS_DATA = "ext-trans-data"


class PastSchedule(StrEnum):
    """What is done with a row whose time has passed."""

    NOW = "now"
    SKIP = "skip"


class RecallWhen(StrEnum):
    """When a customer whose call is completed is called again."""

    NEVER = "never"
    ON_VERSION = "on-version"


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSettings:
    """Where syncd keeps what it did and why."""

    url: str | None = None
    """A PostgreSQL URL without a password; None means that syncd runs its own PostgreSQL in ``directory``."""
    password: Secret | None = None
    directory: Path
    schema_name: str = "syncd"
    keep: timedelta = timedelta(days=90)
    keep_suppressions: timedelta = timedelta(days=6 * 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """How the daemon shows itself."""

    listen: str = "127.0.0.1:9464"
    """``host:port``, an IPv6 address in brackets; empty is off."""
    log_level: LogLevel = LogLevel.INFO
    log_format: LogFormat = LogFormat.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifySettings:
    """Who is told, and when."""

    urls: tuple[Secret, ...] = ()
    """Apprise URLs. They hold passwords and tokens, hence secrets."""
    after: timedelta = timedelta(minutes=15)
    remind: timedelta = timedelta(hours=24)
    heartbeat: str = field(default="", repr=False)
    """Pinged while all is well; empty is off. Whoever knows such an address can ping it, hence not shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """One 8x8 account."""

    name: str
    base_url: str
    """``https://host[:port]``, without a slash at the end; http on loopback only."""
    username: str
    action_token: Secret
    data_token: Secret
    add_token: TokenChoice = "auto"  # noqa: S105  which token, not the token
    delete_token: TokenChoice = "auto"  # noqa: S105  which token, not the token
    concurrency: int = 8
    requests_per_second: float = 10
    timeout: timedelta = timedelta(seconds=30)
    do_not_call: tuple[int, ...] = ()
    dispositions: Mapping[int, str] = field(default_factory=_nothing)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceSettings:
    """A database that queries run against."""

    name: str
    url: str
    """A SQLAlchemy URL without a password."""
    password: Secret | None = None
    timezone: ZoneInfo = _UTC
    """Of date-times without an offset."""
    timeout: timedelta = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """The limits that a plan must pass; 0 turns one off."""

    min_rows: int = 1
    max_invalid_percent: float = 5
    max_shrink_percent: float = 50
    max_removal_percent: float = 30
    max_removals: int = 500
    max_removals_per_day: int = 2000
    max_growth_percent: float = 400
    max_vanished_percent: float = 30
    max_new_query_additions: int = 1000
    max_suppress_shrink_percent: float = 20
    few: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignSettings:
    """One dynamic campaign, kept in step by one query.

    Without ``every`` and ``cron`` it is due every five minutes; without ``suppress_source`` the suppression query runs
    against ``source``.
    """

    name: str
    id: int
    tenant: str
    source: str
    query: str
    suppress: str | None = None
    suppress_source: str = ""
    every: timedelta | None = None
    cron: str | None = None
    timezone: ZoneInfo = _UTC
    """In which ``cron`` is meant."""
    list_every: timedelta | None = None
    """None: every pass observes."""
    mode: Mode = Mode.MIRROR
    removes: Removes = Removes.OWNED
    vanished: Vanished = Vanished.ADD
    match_on: MatchOn = MatchOn.RECORD_ID
    batch_size: int = 200
    past_schedule: PastSchedule = PastSchedule.NOW
    schedule_tolerance: timedelta = timedelta(minutes=1)
    max_adds_per_week: int = 3
    recall: RecallWhen = RecallWhen.NEVER
    park_days: int = 28
    heartbeat: str = field(default="", repr=False)
    """Pinged after each good pass; empty is off."""
    enabled: bool = True
    guard: GuardSettings = field(default_factory=GuardSettings)

    def __post_init__(self) -> None:
        if not self.suppress_source:
            object.__setattr__(self, "suppress_source", self.source)
        if self.every is None and self.cron is None:
            object.__setattr__(self, "every", _EVERY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The whole file. The mappings are keyed by the names of the sections, in the order of the file."""

    path: Path
    state: StateSettings
    service: ServiceSettings = field(default_factory=ServiceSettings)
    notify: NotifySettings = field(default_factory=NotifySettings)
    tenants: Mapping[str, TenantSettings] = field(default_factory=_nothing)
    sources: Mapping[str, SourceSettings] = field(default_factory=_nothing)
    campaigns: Mapping[str, CampaignSettings] = field(default_factory=_nothing)

    def identities(self) -> dict[str, tuple[str, int]]:
        """Return what tells each campaign from all others: the tenant's user name and the vendor id."""
        return {name: (self.tenants[one.tenant].username, one.id) for name, one in self.campaigns.items()}
