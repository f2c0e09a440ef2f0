"""The words of syncd: one word for one thing, in code, tables, logs and on screen."""

import shlex
from enum import IntEnum, StrEnum
from typing import Final


def command(*words: str) -> str:
    """Return a command of syncd as a shell takes it, whatever a campaign is called: ``syncd held 'ours, too'``."""
    return shlex.join(("syncd", *words))


class Kind(StrEnum):
    """What a change does. The first four call the dialer, the others touch the ledger alone."""

    ADD = "add"
    REMOVE = "remove"
    RESCHEDULE = "reschedule"
    """Delete, then add with another time."""
    RECALL = "recall"
    """Delete, then add a customer whose call was completed, because the row's version asks for a new call."""
    ADOPT = "adopt"
    RELEASE = "release"
    PARK = "park"
    CALLED = "called"
    """Gone after having been with an agent: taken for called, though nobody saw how the call ended."""


class Rule(StrEnum):
    """A row of the decision table; the value is what journal and reports call it."""

    SUPPRESSED_OPEN = "suppressed-open"
    SUPPRESSED_WITH_AGENT = "suppressed-with-agent"
    SUPPRESSED_MAY_RING_AGAIN = "suppressed-may-ring-again"
    SUPPRESSED_COMPLETED = "suppressed-completed"
    SUPPRESSED_CLAIM_OPEN = "suppressed-claim-open"
    SUPPRESSED = "suppressed"
    CLAIM_OPEN = "claim-open"
    PARKED = "parked"
    OWED = "owed"
    CALLED_RECALL = "called-recall"
    CALLED = "called"
    VANISHED = "vanished"
    GONE_AFTER_AGENT = "gone-after-agent"
    NEW = "new"
    COMPLETED_RECALL = "completed-recall"
    COMPLETED = "completed"
    ADOPT = "adopt"
    FOREIGN_UNKNOWN = "foreign-unknown"
    TIME_CHANGED = "time-changed"
    IN_STEP = "in-step"
    BUSY = "busy"
    DROPPED = "dropped"
    FOREIGN_DROPPED = "foreign-dropped"
    FOREIGN = "foreign"
    BUSY_FOREIGN = "busy-foreign"
    DROPPED_BUSY = "dropped-busy"
    DROPPED_COMPLETED = "dropped-completed"
    RELEASE = "release"
    ABSENT = "absent"


SETTLED: Final = "settled"
"""What the journal names in place of a rule where a listing settled a call that got no answer."""


class Outcome(StrEnum):
    """What became of one change."""

    DONE = "done"
    ALREADY = "already"
    """The campaign was as wanted before the call: a duplicate, or a record that was gone."""
    REFUSED = "refused"
    """The vendor will not take this customer; parked."""
    DEFERRED = "deferred"
    """Not now: tried again when the reason has passed."""
    UNKNOWN = "unknown"
    """The answer was lost or says nothing; settled by the listing, never guessed."""
    FAILED = "failed"
    """Not carried out, for a reason that is not the customer's."""


class Reason(StrEnum):
    """Why an outcome is what it is, as far as the vendor's answer tells."""

    DUPLICATE = "duplicate"
    NOT_IN_CRM = "not-in-crm"
    INVALID_VALUE = "invalid-value"
    IN_THE_PAST = "in-the-past"
    TOO_FAR_AHEAD = "too-far-ahead"
    OUTSIDE_SCHEDULE = "outside-schedule"
    SCHEDULE_LIMIT = "schedule-limit"
    """The vendor's limit of scheduled customers has been reached."""
    VENDOR_DNC = "vendor-dnc"
    """On the vendor's own do-not-call list."""
    UNKNOWN_TEXT = "unknown-text"
    NOT_FOUND = "not-found"
    WITH_AGENT = "with-agent"
    COMPLETED = "completed"
    """The record is marked as completed: the call was made."""
    NO_ANSWER = "no-answer"
    """The request may have been carried out, but nobody said so."""
    NOT_SENT = "not-sent"
    """The request did not leave, or was refused before it was looked at (429)."""
    WEEKLY_LIMIT = "weekly-limit"
    NOT_LISTED = "not-listed"
    """The vendor calls it a duplicate, and a whole listing does not show it."""
    FLICKERING_TIME = "flickering-time"
    """Rescheduled in three passes running."""
    RECALL_DUPLICATE = "recall-duplicate"
    """A recall whose old record could not be deleted."""


class Condition(StrEnum):
    """How a campaign is."""

    NEW = "new"
    OK = "ok"
    PARTIAL = "partial"
    HELD = "held"
    BLOCKED = "blocked"
    FAILING = "failing"
    PAUSED = "paused"


class Lane(IntEnum):
    """Who goes first within a tenant's rate: the lower number."""

    SUPPRESSION = 0
    REMOVAL = 1
    ADDITION = 2
    PAGE = 3


class Exit(IntEnum):
    """Exit statuses of the commands."""

    GOOD = 0
    FAILED = 1
    CHANGES_PENDING = 2
    HELD = 3
    PARTIAL = 4
    BLOCKED = 5
    BAD_USAGE = 64
    LOCKED = 75
    BAD_CONFIG = 78
