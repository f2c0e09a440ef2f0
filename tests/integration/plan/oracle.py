"""The decision table as people read it: a second, independent telling of what the comparison decides.

Each row is a name, a condition over the facts of one customer, and what follows. The first row that holds decides.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

from syncd.words import Kind, Rule


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a campaign that the table depends on, and whether the pass observed."""

    add_only: bool = False
    removes_all: bool = False
    leave_vanished: bool = False
    recall: bool = False
    skip_past: bool = False
    observed: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one customer."""

    desired: bool = False
    suppressed: bool = False
    presence: str | None = None
    """None: the ledger has no row."""
    stand: str = "open"
    """never-seen, open, agent, completed, may-ring-again (completed as Try Again) or unknown."""
    tried: bool = False
    ours: bool = False
    called: bool = False
    absent: int | None = None
    claim: bool = False
    parked: str | None = None
    """waiting, due, changed (the row has), recall-duplicate or flickering."""
    time: str = "same"
    """same, near (within the tolerance), other, past, far, or bad."""
    version: str = "same"
    """same, other, or unknown (the ledger knows none)."""
    week_full: bool = False
    flickered: bool = False

    @property
    def present(self) -> bool:
        return self.presence == "in"

    @property
    def open(self) -> bool:
        return self.stand in ("open", "never-seen")

    @property
    def completed(self) -> bool:
        return self.stand in ("completed", "may-ring-again")

    @property
    def waiting(self) -> bool:
        return self.parked in ("waiting", "recall-duplicate", "flickering")

    @property
    def shown(self) -> bool:
        return self.present or (self.presence is not None and self.absent == 0)


Decision = tuple[Rule, Kind | None]
Condition = Callable[[Facts, Settings], bool]


def recall_applies(f: Facts, s: Settings) -> bool:
    return s.recall and f.version == "other"


def add(rule: Rule) -> Callable[[Facts, Settings], Kind | None]:
    """Add, unless the row itself or the week's limit keeps it from being sent: then park."""

    def kind(f: Facts, s: Settings) -> Kind | None:
        hindered = f.time in ("far", "bad") or (f.time == "past" and s.skip_past)
        hindered = hindered or (f.week_full and rule is not Rule.OWED)
        return Kind.PARK if hindered else Kind.ADD

    return kind


def after_listing(kind: Callable[[Facts, Settings], Kind | None]) -> Callable[[Facts, Settings], Kind | None]:
    """The rows marked with a degree sign: only in a pass that observed."""
    return lambda f, s: kind(f, s) if s.observed else None


def just(kind: Kind | None) -> Callable[[Facts, Settings], Kind | None]:
    return lambda f, s: kind


def reschedule(f: Facts, s: Settings) -> Kind | None:
    match f.time:
        case "bad":
            return None
        case "far":
            return Kind.REMOVE
    if f.week_full:
        return None
    return Kind.PARK if f.flickered else Kind.RESCHEDULE


def recall(f: Facts, s: Settings) -> Kind | None:
    kept = f.time in ("far", "bad") or (f.time == "past" and s.skip_past) or f.week_full
    return None if kept else Kind.RECALL


def mirrored(f: Facts, s: Settings) -> Kind | None:
    return None if s.add_only else Kind.REMOVE


def vanished(f: Facts, s: Settings) -> Kind | None:
    return None if s.leave_vanished else add(Rule.VANISHED)(f, s)


def moved(f: Facts) -> bool:
    return f.time in ("other", "far")


TABLE: tuple[tuple[Rule, Condition, Callable[[Facts, Settings], Kind | None]], ...] = (
    # any | yes
    (
        Rule.SUPPRESSED_OPEN,
        lambda f, s: f.suppressed and f.shown and (f.open or f.stand == "unknown"),
        just(Kind.REMOVE),
    ),
    (Rule.SUPPRESSED_WITH_AGENT, lambda f, s: f.suppressed and f.shown and f.stand == "agent", just(Kind.REMOVE)),
    (
        Rule.SUPPRESSED_MAY_RING_AGAIN,
        lambda f, s: f.suppressed and f.shown and f.stand == "may-ring-again" and not f.tried,
        just(Kind.REMOVE),
    ),
    (Rule.SUPPRESSED_COMPLETED, lambda f, s: f.suppressed and f.shown, just(None)),
    (Rule.SUPPRESSED_CLAIM_OPEN, lambda f, s: f.suppressed and f.claim, just(Kind.REMOVE)),
    (Rule.SUPPRESSED, lambda f, s: f.suppressed, just(None)),
    # yes | no | no
    (Rule.CLAIM_OPEN, lambda f, s: f.desired and not f.present and f.claim, just(None)),
    (
        Rule.PARKED,
        lambda f, s: f.desired and not f.present and f.waiting and f.parked != "recall-duplicate",
        just(None),
    ),
    (Rule.OWED, lambda f, s: f.desired and f.presence == "owed", add(Rule.OWED)),
    (
        Rule.CALLED_RECALL,
        lambda f, s: f.desired and not f.present and f.called and recall_applies(f, s),
        add(Rule.CALLED_RECALL),
    ),
    (Rule.CALLED, lambda f, s: f.desired and not f.present and f.called, just(None)),
    (
        Rule.VANISHED,
        lambda f, s: f.desired and f.presence == "gone" and f.ours and f.open,
        after_listing(vanished),
    ),
    (
        Rule.GONE_AFTER_AGENT,
        lambda f, s: f.desired and f.presence == "gone" and f.stand in ("agent", "unknown"),
        after_listing(just(Kind.CALLED)),
    ),
    (Rule.NEW, lambda f, s: f.desired and not f.present, add(Rule.NEW)),
    # yes | no | in the campaign
    (
        Rule.COMPLETED_RECALL,
        lambda f, s: f.desired and f.completed and recall_applies(f, s) and not f.waiting,
        after_listing(recall),
    ),
    (Rule.COMPLETED, lambda f, s: f.desired and f.completed, just(None)),
    (
        Rule.ADOPT,
        lambda f, s: f.desired and not f.ours and (f.open or f.stand == "agent"),
        after_listing(just(Kind.ADOPT)),
    ),
    (Rule.FOREIGN_UNKNOWN, lambda f, s: f.desired and not f.ours, just(None)),
    (
        Rule.TIME_CHANGED,
        lambda f, s: f.desired and f.open and not f.waiting and moved(f),
        after_listing(reschedule),
    ),
    (Rule.IN_STEP, lambda f, s: f.desired and f.open, just(None)),
    (Rule.BUSY, lambda f, s: f.desired, just(None)),
    # no | no
    (Rule.DROPPED, lambda f, s: f.present and f.open and f.ours, after_listing(mirrored)),
    (Rule.FOREIGN_DROPPED, lambda f, s: f.present and f.open and s.removes_all, after_listing(mirrored)),
    (Rule.FOREIGN, lambda f, s: f.present and f.open, just(None)),
    (Rule.BUSY_FOREIGN, lambda f, s: f.present and f.stand in ("agent", "unknown") and not f.ours, just(None)),
    (Rule.DROPPED_BUSY, lambda f, s: f.present and f.stand in ("agent", "unknown"), after_listing(mirrored)),
    (Rule.DROPPED_COMPLETED, lambda f, s: f.present, just(None)),
    (
        Rule.RELEASE,
        lambda f, s: f.ours and f.absent is not None and f.absent >= 2 and not f.claim,
        after_listing(just(Kind.RELEASE)),
    ),
    (Rule.ABSENT, lambda f, s: True, just(None)),
)


def decide(facts: Facts, settings: Settings) -> Decision:
    """Return the row that decides and what it decides."""
    for rule, holds, kind in TABLE:
        if holds(facts, settings):
            return rule, kind(facts, settings)
    raise AssertionError("the last row holds for everyone")


def every_setting() -> Iterator[Settings]:
    """Yield all combinations of settings that a configuration may have."""
    for add_only, removes_all, leave, recalls, observed in product((False, True), repeat=5):
        if not (add_only and removes_all):  # a config error
            yield Settings(add_only, removes_all, leave, recalls, observed=observed)


def every_ledger_row() -> Iterator[Facts]:
    """Yield all that the ledger can say of one customer."""
    yield Facts()
    stands = ("never-seen", "open", "agent", "completed", "may-ring-again", "unknown")
    for presence, stand, ours, called in product(
        ("in", "removed", "owed", "gone"), stands, (False, True), (False, True)
    ):
        if stand in ("completed", "may-ring-again") and not called and presence != "owed":
            continue  # whoever is seen completed is called
        for absent in (None, 0, 1, 2):
            if presence == "in" and absent == 2:
                continue  # two whole listings without it take it out
            for tried in (False, True) if stand == "may-ring-again" else (False,):
                yield Facts(presence=presence, stand=stand, ours=ours, called=called, absent=absent, tried=tried)
