"""What each outcome makes of a ledger row: the one place that says it.

:func:`effect_of` is pure; :mod:`syncd.state.ledger` carries an :class:`Effect` out. Claims that the listing settles
come through here as well, as the outcome that the listing proves.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum, StrEnum, auto
from typing import Final

from syncd.words import Kind, Outcome, Reason


class Presence(StrEnum):
    """Whether a customer's record is in the campaign, in the ledger's word."""

    IN = "in"
    REMOVED = "removed"
    """Taken out by syncd."""
    OWED = "owed"
    """Taken out by syncd as the first half of a reschedule or recall: the add is owed."""
    GONE = "gone"
    """Found not to be there, without syncd's doing."""


class Trust(Enum):
    """What becomes of the mark that syncd's own call, not a listing, said where the record is."""

    KEEP = auto()
    CONFIRM = auto()
    """The call confirmed it: neither a listing of this pass nor the first whole one of a later pass denies it."""
    END = auto()


class Again(StrEnum):
    """When a parked customer is tried again."""

    BACK_OFF = "back-off"
    """After 15 min, doubling to 24 h."""
    SOON = "soon"
    """After 15 min each time."""
    AT = "at"
    """At the time that the vendor named."""
    ROW_CHANGE = "row-change"


@dataclass(frozen=True, slots=True)
class Parking:
    """Why a customer is parked and when it is tried again."""

    reason: Reason
    again: Again


@dataclass(frozen=True, slots=True)
class Effect:
    """What becomes of a ledger row. None leaves a column as it is."""

    presence: Presence | None = None
    ours: bool | None = None
    called: bool | None = None
    status: int | None = None
    forget_status: bool = False
    """A new record, which no listing has shown yet."""
    trust: Trust = Trust.KEEP
    taken: bool = False
    """Time and version of the row are those of the record from now on."""
    added: bool = False
    counted: bool = False
    """It counts as an add of the week."""
    rescheduled: bool = False
    recalled: bool = False
    tried: bool = False
    parking: Parking | None = None
    settled: bool = True
    """The customer leaves the claim; False keeps the claim open for the listing to settle."""
    settles_older: bool = False
    """An answered delete settles what older claims asked of the customer's old record."""
    unforeseen: bool = False
    """The ledger did not expect this answer: the listing is due."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The customer that a change was about, as the ledger had it when the change was planned."""

    presence: Presence | None
    stand: str
    """open, agent, completed or unknown."""
    called: bool
    unlisted: bool
    """A whole listing does not show it."""
    observed: bool
    """The listing was read in this very pass."""


BACK_OFF_FIRST: Final = timedelta(minutes=15)
BACK_OFF_MOST: Final = timedelta(hours=24)

NOTHING: Final = Effect()
ADOPT: Final = Effect(ours=True, taken=True)
RELEASE: Final = Effect(ours=False)
TAKEN_FOR_CALLED: Final = Effect(called=True)
OPEN: Final = Effect(settled=False, unforeseen=True)
"""The answer was lost: the claim stays open for the listing to settle."""

REFUSALS: Final[dict[Reason, Again]] = {
    Reason.NOT_IN_CRM: Again.BACK_OFF,
    Reason.UNKNOWN_TEXT: Again.BACK_OFF,
    Reason.TOO_FAR_AHEAD: Again.BACK_OFF,
    Reason.SCHEDULE_LIMIT: Again.SOON,
}
"""Refusals that may pass by themselves; of any other one is heard again when the row has changed."""


def effect_of(
    kind: Kind, outcome: Outcome, reason: Reason | None, subject: Subject, *, time_named: bool = False
) -> Effect:
    """Given a call's kind and what became of it, return what that makes of the customer's ledger row.

    ``kind`` is ADD for every POST, and REMOVE, RESCHEDULE or RECALL for the DELETE of each. ``time_named`` says that
    the vendor named the time of the next try.
    """
    if kind is Kind.ADD:
        return _after_add(outcome, reason, subject, time_named)
    return _after_delete(kind, outcome, reason, subject)


def _after_add(outcome: Outcome, reason: Reason | None, subject: Subject, time_named: bool) -> Effect:
    second_half = subject.presence is Presence.OWED
    match outcome:
        case Outcome.DONE:
            return Effect(
                presence=Presence.IN,
                ours=True,
                called=False,  # only a recall adds a called customer: uncalled until the new record's call is seen
                forget_status=True,
                trust=Trust.CONFIRM,
                taken=True,
                added=True,
                counted=True,
                rescheduled=second_half and not subject.called,
                recalled=subject.called,
            )
        case Outcome.ALREADY if second_half and subject.called:
            # The old record could not be deleted: wait until it leaves the list or the version changes again.
            return Effect(
                presence=Presence.IN,
                trust=Trust.END,
                parking=Parking(Reason.RECALL_DUPLICATE, Again.ROW_CHANGE),
                unforeseen=True,
            )
        case Outcome.ALREADY if second_half:
            return OPEN  # a lagging answer about the record just deleted, or the delete was not carried out
        case Outcome.ALREADY:
            parking = Parking(Reason.NOT_LISTED, Again.BACK_OFF) if subject.unlisted and subject.observed else None
            return Effect(
                presence=Presence.IN, ours=True, trust=Trust.END, taken=True, parking=parking, unforeseen=True
            )
        case Outcome.REFUSED | Outcome.DEFERRED if reason is Reason.IN_THE_PAST:
            return NOTHING  # the time came while it was on its way: the next pass decides by the settings
        case Outcome.REFUSED | Outcome.DEFERRED:
            why = reason or Reason.UNKNOWN_TEXT
            again = Again.AT if time_named else REFUSALS.get(why, Again.ROW_CHANGE)
            return Effect(presence=Presence.REMOVED if second_half else None, parking=Parking(why, again))
        case Outcome.UNKNOWN:
            return OPEN
        case Outcome.FAILED:
            return NOTHING


def _after_delete(kind: Kind, outcome: Outcome, reason: Reason | None, subject: Subject) -> Effect:
    out = Presence.REMOVED if kind is Kind.REMOVE else Presence.OWED
    answered = Effect(settles_older=True)
    match outcome, reason:
        case Outcome.DONE, _:
            return replace(answered, presence=out, trust=Trust.CONFIRM)
        case Outcome.ALREADY, Reason.COMPLETED if kind is Kind.RECALL:
            # The old record cannot be deleted; the vendor may take a new one beside it all the same.
            return replace(answered, presence=Presence.OWED, trust=Trust.CONFIRM)
        case Outcome.ALREADY, Reason.COMPLETED:
            return replace(
                answered, presence=Presence.IN, called=True, status=3, trust=Trust.END, tried=True, unforeseen=True
            )
        case Outcome.ALREADY, _ if subject.stand in ("agent", "unknown"):
            # Gone after having been with an agent: the plan takes the customer for called.
            return replace(answered, presence=Presence.GONE, trust=Trust.CONFIRM, unforeseen=True)
        case Outcome.ALREADY, _:
            found = Presence.GONE if kind is Kind.REMOVE else Presence.OWED
            return replace(answered, presence=found, trust=Trust.CONFIRM, unforeseen=True)
        case Outcome.DEFERRED, Reason.WITH_AGENT:
            return replace(
                answered, presence=Presence.IN, status=2, trust=Trust.END, unforeseen=subject.stand != "agent"
            )
        case ((Outcome.DEFERRED | Outcome.REFUSED), _):
            return answered
        case Outcome.FAILED, _:
            return NOTHING
        # An answer, though it does not tell: while the record stays as it is, another try is told the same.
        case Outcome.UNKNOWN, Reason.UNKNOWN_TEXT if subject.stand == "completed" and kind is Kind.RECALL:
            return replace(OPEN, parking=Parking(Reason.RECALL_DUPLICATE, Again.ROW_CHANGE))
        case Outcome.UNKNOWN, Reason.UNKNOWN_TEXT if subject.stand == "completed":
            return replace(OPEN, tried=True)
    return OPEN  # an outcome that is unknown
