"""The decision table as people read it: a second, independent telling of what the comparison decides.

Each row is what a person would call it, the rule that the journal calls it, a condition over the facts of one customer,
and what follows. The first row that holds decides.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from syncd.words import Kind, Reason, Rule

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TOLERANCE = timedelta(minutes=1)
WEEK = timedelta(days=7)
REACH = timedelta(days=7)
"""How far ahead the vendor takes a call."""

RECORD_TIMES = {"future": NOW + timedelta(hours=10), "none": None, "past": NOW - timedelta(seconds=30)}
"""By the ledger, when the record is to be called."""

ROW_TIMES = {
    "same": NOW + timedelta(hours=10),
    "near": NOW + timedelta(hours=10) - TOLERANCE,
    "other": NOW + timedelta(hours=10) + TOLERANCE + timedelta(seconds=1),
    "soon": NOW + timedelta(seconds=30),
    "none": None,
    "now": NOW,
    "past": NOW - timedelta(days=30),
    "far": NOW + REACH + timedelta(seconds=1),
    "bad": None,
}
"""By the source, when the customer is to be called; ``soon`` is within the tolerance of the record's past time."""

ADDED = (NOW - timedelta(days=2), NOW - timedelta(days=6), NOW - timedelta(days=1))
"""The adds of a customer who had as many within the week as are allowed."""

CAN_RING = ("never-seen", "open")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a campaign that the table depends on, and whether the pass observed."""

    mode: str = "mirror"
    removes: str = "owned"
    vanished: str = "add"
    recall: str = "never"
    past_schedule: str = "now"
    max_adds: int = 3
    observed: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one customer."""

    desired: bool = False
    suppressed: bool = False
    presence: str | None = None
    """The ledger's word: in, removed (by us), owed (half a reschedule or recall is done), gone (without our doing) or,
    without a row, None."""
    stand: str = "open"
    """The state last seen: never-seen, open, agent, completed, try-again, call-back or unknown."""
    reopened: bool = False
    """The last listing showed a completed record open again."""
    tried: bool = False
    """Its removal was tried in the completed state last seen."""
    ours: bool = False
    called: bool = False
    absent: int | None = None
    """Whole listings in a row without it; None: none since our last call on it."""
    claim: bool = False
    parked: str | None = None
    """waiting, due, changed (the row is another), unchanged (waits for another row), recall-duplicate, flickering or
    flickering-due."""
    row: str = "same"
    record: str = "future"
    version: str = "same"
    """same, other, unknown (the ledger knows none) or none (the row has none)."""
    week_full: bool = False
    flickered: bool = False
    """Rescheduled in three passes running."""
    recalled: bool = False
    """Recalled within the last 24 hours."""

    @property
    def present(self) -> bool:
        return self.presence == "in"

    @property
    def shown(self) -> bool:
        """What a suppressed customer is judged by: a record that we deleted and a listing still shows counts."""
        return self.present or (self.presence is not None and self.absent == 0)

    @property
    def completed(self) -> bool:
        return self.stand in ("completed", "try-again", "call-back")

    @property
    def row_at(self) -> datetime | None:
        return ROW_TIMES[self.row]

    @property
    def waiting(self) -> bool:
        return self.parked in ("waiting", "unchanged", "recall-duplicate", "flickering")

    @property
    def moved(self) -> bool:
        """The row asks for another time than the record has: one to come in place of none or of another, or none."""
        row_at, record_at = self.row_at, RECORD_TIMES[self.record]
        if row_at is None:
            return record_at is not None and record_at > NOW
        if row_at <= NOW:
            return False
        return record_at is None or abs(row_at - record_at) > TOLERANCE


@dataclass(frozen=True, slots=True)
class Decision:
    """What the table says of one customer; times are those of the call and of the next try."""

    rule: Rule
    kind: Kind | None = None
    send_at: datetime | None = None
    park_reason: Reason | None = None
    park_until: datetime | None = None


Consequence = Callable[[Rule, Facts, Settings], Decision]


def recall_applies(f: Facts, s: Settings) -> bool:
    """The row's version is another than the known one that was called for, and 24 hours have passed."""
    return s.recall == "on-version" and f.version == "other" and not f.recalled


def obstacle(f: Facts, s: Settings) -> tuple[Reason, datetime | None] | None:
    """What in the row itself keeps it from being sent, and until when."""
    if f.row == "bad":
        return Reason.INVALID_VALUE, None
    if f.row_at is not None and f.row_at > NOW + REACH:
        return Reason.TOO_FAR_AHEAD, f.row_at - REACH
    if f.row_at is not None and f.row_at <= NOW and s.past_schedule == "skip":
        return Reason.IN_THE_PAST, None
    return None


def week_is_full(f: Facts, s: Settings) -> bool:
    return f.week_full and s.max_adds > 0


def sent(rule: Rule, kind: Kind, f: Facts) -> Decision:
    return Decision(rule, kind, send_at=f.row_at if f.row_at is not None and f.row_at > NOW else None)


def nothing(rule: Rule, f: Facts, s: Settings) -> Decision:
    return Decision(rule)


def remove(rule: Rule, f: Facts, s: Settings) -> Decision:
    return Decision(rule, Kind.REMOVE)


def add(rule: Rule, f: Facts, s: Settings) -> Decision:
    why = obstacle(f, s) or ((Reason.WEEKLY_LIMIT, min(ADDED) + WEEK) if week_is_full(f, s) else None)
    return Decision(rule, Kind.PARK, None, *why) if why else sent(rule, Kind.ADD, f)


def add_what_is_owed(rule: Rule, f: Facts, s: Settings) -> Decision:
    """What was begun is ended, however full the week is."""
    why = obstacle(f, s)
    return Decision(rule, Kind.PARK, None, *why) if why else sent(rule, Kind.ADD, f)


def add_again(rule: Rule, f: Facts, s: Settings) -> Decision:
    return Decision(rule) if s.vanished == "leave" else add(rule, f, s)


def recall(rule: Rule, f: Facts, s: Settings) -> Decision:
    """A recall that cannot be ended is not begun."""
    return Decision(rule) if obstacle(f, s) or week_is_full(f, s) else sent(rule, Kind.RECALL, f)


def reschedule(rule: Rule, f: Facts, s: Settings) -> Decision:
    """Beyond reach the open record goes first; a time that moves in every pass is asked about; else as a recall."""
    if f.row == "bad":
        return Decision(rule)
    if f.row == "far":
        return Decision(rule, Kind.REMOVE)
    # Each next try of the parked is a try: a query that was mended meets the record in the end.
    if f.flickered and f.parked != "flickering-due":
        return Decision(rule, Kind.PARK, None, Reason.FLICKERING_TIME, NOW + timedelta(hours=24))
    return Decision(rule) if week_is_full(f, s) else sent(rule, Kind.RESCHEDULE, f)


def mirror(rule: Rule, f: Facts, s: Settings) -> Decision:
    return Decision(rule) if s.mode == "add-only" else Decision(rule, Kind.REMOVE)


def ledger_only(kind: Kind) -> Consequence:
    return lambda rule, f, s: Decision(rule, kind)


def observed(consequence: Consequence) -> Consequence:
    """The rows marked with a degree sign: only in a pass that observed."""
    return lambda rule, f, s: consequence(rule, f, s) if s.observed else Decision(rule)


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table."""

    name: str
    rule: Rule
    holds: Callable[[Facts, Settings], bool]
    then: Consequence


SUPPRESSED = (
    Row(
        "open or unknown status",
        Rule.SUPPRESSED_OPEN,
        lambda f, s: f.shown and (f.stand in CAN_RING or f.stand == "unknown"),
        remove,
    ),
    Row(
        "completed, yet the last listing showed it open: removed at once, and once",
        Rule.SUPPRESSED_OPEN,
        lambda f, s: f.shown and f.completed and f.reopened and not f.tried,
        remove,
    ),
    Row("with an agent", Rule.SUPPRESSED_WITH_AGENT, lambda f, s: f.shown and f.stand == "agent", remove),
    Row(
        "completed as Try Again or Scheduled Call Back, once for each state seen",
        Rule.SUPPRESSED_MAY_RING_AGAIN,
        lambda f, s: f.shown and f.stand in ("try-again", "call-back") and not f.tried,
        remove,
    ),
    Row("completed otherwise", Rule.SUPPRESSED_COMPLETED, lambda f, s: f.present, nothing),
    Row("not in the campaign, but a claim is open", Rule.SUPPRESSED_CLAIM_OPEN, lambda f, s: f.claim, remove),
    Row("not in the campaign", Rule.SUPPRESSED, lambda f, s: True, nothing),
)

DESIRED_AND_OUT = (
    Row("a claim is open", Rule.CLAIM_OPEN, lambda f, s: f.claim, nothing),
    Row(
        "parked, time not come, row unchanged",
        Rule.PARKED,
        # What a recall's duplicate waited for is that the old record leaves, and it has.
        lambda f, s: f.waiting and f.parked != "recall-duplicate",
        nothing,
    ),
    Row("the add that a reschedule or recall obliges", Rule.OWED, lambda f, s: f.presence == "owed", add_what_is_owed),
    Row("called, recall applies", Rule.CALLED_RECALL, lambda f, s: f.called and recall_applies(f, s), add),
    Row("called", Rule.CALLED, lambda f, s: f.called, nothing),
    Row(
        "ours, gone without our doing, last seen new, queued or scheduled, or never seen",
        Rule.VANISHED,
        lambda f, s: f.presence == "gone" and f.ours and f.stand in CAN_RING,
        observed(add_again),
    ),
    Row(
        "gone, last seen with an agent or in an unknown status",
        Rule.GONE_AFTER_AGENT,
        lambda f, s: f.presence == "gone" and f.stand in ("agent", "unknown"),
        observed(ledger_only(Kind.CALLED)),
    ),
    Row("parked and due, absent, removed by us, foreign before", Rule.NEW, lambda f, s: True, add),
)

DESIRED_AND_IN = (
    Row(
        "completed, recall applies",
        Rule.COMPLETED_RECALL,
        lambda f, s: f.completed and recall_applies(f, s) and not f.waiting,
        observed(recall),
    ),
    Row("completed", Rule.COMPLETED, lambda f, s: f.completed, nothing),
    Row(
        "foreign, open or with an agent",
        Rule.ADOPT,
        lambda f, s: not f.ours and f.stand != "unknown",
        observed(ledger_only(Kind.ADOPT)),
    ),
    Row("foreign, unknown status", Rule.FOREIGN_UNKNOWN, lambda f, s: not f.ours, nothing),
    Row(
        "ours, open, not called, not parked, another time",
        Rule.TIME_CHANGED,
        lambda f, s: f.stand in CAN_RING and f.moved and not f.waiting and not f.called,
        observed(reschedule),
    ),
    Row("ours, open, same time", Rule.IN_STEP, lambda f, s: f.stand in CAN_RING, nothing),
    Row("ours, with an agent or unknown status", Rule.BUSY, lambda f, s: True, nothing),
)

UNDESIRED = (
    Row("open, ours", Rule.DROPPED, lambda f, s: f.present and f.stand in CAN_RING and f.ours, observed(mirror)),
    Row(
        "open, foreign, all are ours to remove",
        Rule.FOREIGN_DROPPED,
        lambda f, s: f.present and f.stand in CAN_RING and s.removes == "all",
        observed(mirror),
    ),
    Row("open, foreign", Rule.FOREIGN, lambda f, s: f.present and f.stand in CAN_RING, nothing),
    Row(
        "with an agent or unknown status, foreign",
        Rule.BUSY_FOREIGN,
        lambda f, s: f.present and not f.completed and not f.ours,
        nothing,
    ),
    Row(
        "with an agent or unknown status, ours",
        Rule.DROPPED_BUSY,
        lambda f, s: f.present and not f.completed,
        observed(mirror),
    ),
    Row("completed", Rule.DROPPED_COMPLETED, lambda f, s: f.present, nothing),
    Row(
        "out, ours, two whole listings without it",
        Rule.RELEASE,
        lambda f, s: f.ours and f.absent == 2 and not f.claim,
        observed(ledger_only(Kind.RELEASE)),
    ),
    Row("out", Rule.ABSENT, lambda f, s: True, nothing),
)


def decide(facts: Facts, settings: Settings) -> Decision:
    """Return what the first row that holds decides."""
    if facts.suppressed:
        rows = SUPPRESSED
    elif facts.desired:
        rows = DESIRED_AND_IN if facts.present else DESIRED_AND_OUT
    else:
        rows = UNDESIRED
    row = next(row for row in rows if row.holds(facts, settings))
    return row.then(row.rule, facts, settings)
