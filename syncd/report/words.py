"""What people read in place of the words that the tables use."""

from datetime import UTC, datetime, timedelta
from typing import Final

from syncd.words import SETTLED, Kind, Reason, Rule

RULES: Final = {
    Rule.SUPPRESSED_OPEN: "must not be called, and is in the campaign",
    Rule.SUPPRESSED_WITH_AGENT: "must not be called, and is with an agent",
    Rule.SUPPRESSED_MAY_RING_AGAIN: "must not be called, and may be rung again",
    Rule.SUPPRESSED_COMPLETED: "must not be called; the call is completed",
    Rule.SUPPRESSED_CLAIM_OPEN: "must not be called, and may be in the campaign: a call got no answer",
    Rule.SUPPRESSED: "must not be called, and is not in the campaign",
    Rule.CLAIM_OPEN: "needs a call; one to the dialer got no answer yet",
    Rule.PARKED: "needs a call, and is parked",
    Rule.OWED: "needs a call, and was taken out to be added anew",
    Rule.CALLED_RECALL: "was called, and the row's version asks for a new call",
    Rule.CALLED: "was called",
    Rule.VANISHED: "needs a call, and left the campaign without syncd's doing",
    Rule.GONE_AFTER_AGENT: "left the campaign after having been with an agent",
    Rule.NEW: "needs a call, and is not in the campaign",
    Rule.COMPLETED_RECALL: "is completed, and the row's version asks for a new call",
    Rule.COMPLETED: "is completed",
    Rule.ADOPT: "needs a call, and somebody else put it into the campaign",
    Rule.FOREIGN_UNKNOWN: "needs a call; somebody else's record has a status that is not known",
    Rule.TIME_CHANGED: "needs a call at another time",
    Rule.IN_STEP: "needs a call, and is in the campaign",
    Rule.BUSY: "needs a call, and is with an agent",
    Rule.DROPPED: "needs no call any more",
    Rule.FOREIGN_DROPPED: "needs no call, and somebody else put it into the campaign",
    Rule.FOREIGN: "needs no call; somebody else's record, left alone",
    Rule.BUSY_FOREIGN: "needs no call; somebody else's record, with an agent",
    Rule.DROPPED_BUSY: "needs no call any more, and is with an agent",
    Rule.DROPPED_COMPLETED: "needs no call any more, and is completed",
    Rule.RELEASE: "needs no call any more, and has left the campaign",
    Rule.ABSENT: "is not in the campaign",
}
"""What is true of a customer whom a row of the decision table decides."""

PARKED: Final[dict[str, str]] = {
    Reason.NOT_IN_CRM: "not in the vendor's CRM",
    Reason.INVALID_VALUE: "with a value that the vendor cannot take",
    Reason.VENDOR_DNC: "on the vendor's own do-not-call list",
    Reason.IN_THE_PAST: "with a time that has passed",
    Reason.TOO_FAR_AHEAD: "with a time more than 7 days ahead",
    Reason.OUTSIDE_SCHEDULE: "outside the campaign's schedule",
    Reason.SCHEDULE_LIMIT: "beyond the vendor's limit of scheduled customers",
    Reason.UNKNOWN_TEXT: "refused in words that are not known",
    Reason.WEEKLY_LIMIT: "added as often as allowed in a week",
    Reason.NOT_LISTED: "in the campaign but not listed",
    Reason.FLICKERING_TIME: "rescheduled in three passes running: does the query use now()?",
    Reason.RECALL_DUPLICATE: "to be called again, but the old record stands in the way",
    "given-up": "given up after weeks of refusals",
}
"""Why a customer is parked."""

_UNITS: Final = (("d", 86400), ("h", 3600), ("m", 60), ("s", 1))


def why(kind: Kind, rule: Rule) -> str:
    """Return why a change of this kind is planned, in words."""
    return f"{RULES[rule]}; its row cannot be sent as it is now" if kind is Kind.PARK else RULES[rule]


def because(kind: str, rule: str) -> str:
    """Return why the journal has a change, in words."""
    if rule == SETTLED:
        return "got no answer, and the listing shows what became of it"
    return why(Kind(kind), Rule(rule))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: ``1 removal``, ``1,201 removals``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def duration(span: timedelta) -> str:
    """Return a duration as the configuration writes it, in its largest two units: ``1h 30m``; ``0s`` for less."""
    seconds = round(span.total_seconds())
    parts = []
    for unit, size in _UNITS:
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2]) or "0s"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago a time was, as people say it: ``3 min ago``, ``2 h ago``, ``5 days ago``."""
    span = now - then
    return "just now" if span < timedelta(minutes=1) else f"{_spoken(span)} ago"


def ahead(then: datetime, now: datetime) -> str:
    """Return how soon a time comes, as people say it: ``in 3 min``; ``now`` for one that has come."""
    span = then - now
    if span <= timedelta():
        return "now"
    return "in less than a minute" if span < timedelta(minutes=1) else f"in {_spoken(span)}"


def moment(time: datetime) -> str:
    """Return a time to the minute, in UTC: ``2026-11-24 09:05 UTC``."""
    return f"{time.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def plain(text: str) -> str:
    """Return somebody else's text on one line, harmless on a terminal: a control character becomes a blank."""
    return " ".join("".join(one if one.isprintable() else " " for one in text).split())


def _spoken(span: timedelta) -> str:
    seconds = span.total_seconds()
    for size, unit in ((86400, "day"), (3600, "h")):
        count = int(seconds // size)
        if count:
            return f"{count} {unit}{'s' if unit == 'day' and count > 1 else ''}"
    return f"{int(seconds // 60)} min"
