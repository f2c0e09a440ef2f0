"""The manner of a simulated tenant: everything in which tenants, or the vendor's own documents, differ."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from pydantic import ConfigDict

from syncd.vendor import MAX_RECORDS, PAGE_SIZE, Disposition


class Dialect(StrEnum):
    """Whose texts the answers use."""

    GUIDE = "guide"
    """The vendor's current guide."""
    OLDER = "older"
    """An older page of the vendor, whose texts still come."""


class Token(StrEnum):
    """Which of the two passwords a call takes: the vendor's documents contradict one another."""

    ACTION = "action"
    DATA = "data"
    EITHER = "either"


class CustomerIn(StrEnum):
    """Where a record of the listing shows whose it is. With the last two, record ids are the tenant's own."""

    RECORD_ID = "record-id"
    PHONE = "phone"
    EXT_TRANS_DATA = "ext-trans-data"


class Ids(StrEnum):
    """How ids and statuses are written in JSON."""

    NUMBER = "number"
    STRING = "string"
    MIXED = "mixed"


class NoRecords(StrEnum):
    """What an empty listing looks like: JSON made from XML has no one way to say it."""

    OBJECT = '{"records":{}}'
    TEXT = '{"records":""}'
    NULL = '{"records":null}'
    BARE_OBJECT = "{}"
    BARE_NULL = "null"
    NOTHING = ""
    ROTATE = "rotate"
    """Each of them in turn."""


def _usual_dispositions() -> dict[int, float]:
    return {Disposition.NONE: 0.6, Disposition.TRY_AGAIN: 0.2, Disposition.SCHEDULED_CALL_BACK: 0.1, 2001: 0.1}


@dataclass(slots=True, kw_only=True)
class Manner:
    """How a tenant behaves where behaviour is not settled. May be changed while the tenant is at work."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    dialect: Dialect = Dialect.GUIDE

    add_token: Token = Token.ACTION
    delete_token: Token = Token.DATA
    wrong_token_status: int = 401
    """Answered when the user is right and the token is the other one; 401 or 403."""

    page_size: int = PAGE_SIZE
    page_from: int = 1
    """What ``n`` calls the first record: 0 or 1."""
    all_at_once: bool = False
    """The listing comes as one page, whatever ``n`` says."""
    tells_count: bool = True
    """The campaign status has ``no-of-records``."""

    customer_in: CustomerIn = CustomerIn.RECORD_ID
    ids: Ids = Ids.NUMBER
    one_record_as_object: bool = True
    no_records: NoRecords = NoRecords.OBJECT
    shuffle: bool = False
    """Entries of a 207 and of a page come in another order."""

    lag_seconds: float = 0.0
    """How long a change stays out of the listing and of ``no-of-records``."""
    lag_listings: int = 0
    """How many listings, counted at their first page, a change stays out of."""

    batch_limit: int | None = None
    batch_limit_status: int = 413
    """413, or 400 with the text for an invalid list."""
    max_body: int = 4 * 1024 * 1024
    """Bytes of a request's body; more is 413."""
    max_records: int = MAX_RECORDS
    max_scheduled: int | None = None
    """How many scheduled customers a campaign takes at a time."""

    refuses_in_207: bool = False
    """A refusal of the whole request comes as a 207 in which each customer is refused."""
    unavailable_status: int = 404
    """A record that cannot be deleted: 404 on one page of the vendor, 400 on another."""
    terse_deletes: bool = False
    """A refused DELETE does not say why."""
    deletes_completed: bool = False
    """Completed records can be deleted, against the vendor's advice."""

    latency: float = 0.0
    """Seconds before each answer."""

    dispositions: dict[int, float] = field(default_factory=_usual_dispositions)
    """How simulated calls end: disposition to weight."""
    callback_after: float = 3600.0
    """Seconds until a scheduled call back is due."""
    drops_exhausted: bool = False
    """After its last attempt a record leaves the list."""
    completes_when_dry: bool = False
    """A campaign whose last open record was called becomes Completed for good."""
