"""What the vendor's documents define by number: the one module that the dialer client and the simulator share.

Source of every figure: the 8x8 Contact Center dynamic campaigns API guide and its statistics reference.
"""

from enum import IntEnum
from typing import Final

PAGE_SIZE: Final = 50
"""Records that the statistics API answers a request at most; a tenant may also answer everything at once."""

MAX_RECORDS: Final = 5_000_000
"""Records that the vendor takes a campaign."""

SCHEDULE_AHEAD_DAYS: Final = 7
"""How far ahead a call can be scheduled."""


class RecordStatus(IntEnum):
    """Where a record stands. Numbers outside this list occur: keep the number, show it as unknown."""

    NEW = 0
    QUEUED = 1
    ACCEPTED = 2
    """With an agent now."""
    COMPLETED = 3
    SCHEDULED = 4


class StatusCode(IntEnum):
    """Why a record is in its status."""

    DEFAULT = 0
    MAX_ATTEMPT_REACHED = 1
    SKIPPED = 2
    NO_PHONE_NUMBER = 3
    INVALID_PHONE_NUMBER = 4


class Disposition(IntEnum):
    """How a call ended. Tenants define more numbers of their own."""

    NONE = 1000
    TRY_AGAIN = 1001
    SCHEDULED_CALL_BACK = 1002


class CampaignState(IntEnum):
    """The ``status`` of a campaign."""

    NEW = 0
    MANUAL_STARTED = 1
    SCHEDULED = 2
    MANUAL_RUNNING = 3
    SCHEDULE_RUNNING = 4
    MANUAL_STOPPED = 5
    COMPLETED = 6
    SCHEDULE_STOPPED = 7
    MANUAL_PAUSED = 8
    SCHEDULE_PAUSED = 9
    MANUAL_PURGED = 10
    SCHEDULE_PURGED = 11
