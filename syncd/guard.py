"""The guard: what a plan must pass before its first call. Pure code over counts.

:func:`judge` holds what is out of the ordinary until a person has looked at it. Suppressions never come here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from syncd.config import GuardSettings


class Hold(Enum):
    """What a refusal holds."""

    EVERYTHING = auto()
    REMOVALS = auto()
    ADDITIONS = auto()
    UNTIL_LISTED = auto()
    """Additions wait for a listing, not for a person."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One limit that a plan did not pass."""

    limit: str
    """The setting, or ``lost column``."""
    hold: Hold
    sentence: str
    """What was counted and what the limit is."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """What the last good passes read. A pass is good for a baseline when it read all and no limit tripped."""

    largest: int | None
    """Customers of the largest reading of the last 7 days, or of the last one if older; None: none read a row."""
    columns: frozenset[str] | None
    """Columns of the last good reading; None: there was none."""
    suppressed_rows: int | None
    """Rows of the suppression query at the last good pass; None: it was not read then."""
    query_known: bool
    """A good pass has read rows with this very query text."""


@dataclass(frozen=True, slots=True)
class Counts:
    """A plan and what it rests on, in numbers. Approved changes and suppressions are not in them."""

    rows: int
    invalid: int
    customers: int
    columns: frozenset[str]
    suppressed_rows: int | None
    """None: there is no suppression query."""
    suppressed_invalid: int
    removals: int
    """Without those of a reschedule or recall."""
    unlisted_removals: int
    """Removals that wait for a listing: the ledger may say open where the call has been made."""
    additions: int
    """Without those that an earlier pass's delete obliges, and without those of a reschedule or recall."""
    adoptions: int
    reschedules: int
    recalls: int
    removable: int
    """Open records that syncd may remove."""
    ours: int
    """Records of ours in the campaign."""
    vanished: int
    """Records of ours that are gone without syncd's doing, and are to be added again."""
    removals_last_hour: int
    additions_last_hour: int
    removals_last_day: int
    later: int = 0
    """Desired, and too far ahead to be sent yet: additions of the days to come. Counted while a query is not known."""

    @property
    def all_removals(self) -> int:
        return self.removals + self.reschedules + self.recalls

    @property
    def all_additions(self) -> int:
        return self.additions + self.adoptions + self.reschedules + self.recalls


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the guard says of a plan."""

    tripped: tuple[Refusal, ...] = ()
    """Limits that the plan did not pass, also where nothing stands to be held: such a reading is no baseline."""
    removals_held: bool = False
    additions_held: bool = False
    """They are not sent: a person has to look at them, or a listing has to come first."""

    @property
    def held(self) -> bool:
        """Return whether a person has to look at something."""
        return bool(self.refusals)

    @property
    def refusals(self) -> tuple[Refusal, ...]:
        """Return the refusals that hold something for a person."""
        held = {
            Hold.EVERYTHING: self.removals_held or self.additions_held,
            Hold.REMOVALS: self.removals_held,
            Hold.ADDITIONS: self.additions_held,
            Hold.UNTIL_LISTED: False,
        }
        return tuple(refusal for refusal in self.tripped if held[refusal.hold])

    @property
    def waits_for_listing(self) -> str | None:
        """Return why additions wait for a listing, and for nothing else."""
        if not self.additions_held or any(refusal.hold is not Hold.REMOVALS for refusal in self.refusals):
            return None
        return next((refusal.sentence for refusal in self.tripped if refusal.hold is Hold.UNTIL_LISTED), None)

    @property
    def source_looks_wrong(self) -> bool:
        """Return whether a limit tripped that doubts the reading as a whole: nothing is learned from it."""
        return any(refusal.hold in (Hold.EVERYTHING, Hold.UNTIL_LISTED) for refusal in self.tripped)


def judge(limits: GuardSettings, counts: Counts, baseline: Baseline) -> Judgement:
    """Given a plan's counts, return what of it has to wait for a person.

    A percentage counts as exceeded only beyond it; a limit of 0 is off. A plan that would send or adopt nothing is
    never held.
    """
    tripped = tuple(_refusals(limits, counts, baseline))
    removals = any(refusal.hold in (Hold.EVERYTHING, Hold.REMOVALS) for refusal in tripped)
    additions = any(refusal.hold is not Hold.REMOVALS for refusal in tripped)
    return Judgement(
        tripped=tripped,
        removals_held=removals and counts.all_removals > 0,
        additions_held=additions and counts.all_additions > 0,
    )


def _refusals(limits: GuardSettings, counts: Counts, baseline: Baseline) -> Iterator[Refusal]:
    few_removals = _few(limits, counts.all_removals, counts.removals_last_hour)
    few_additions = _few(limits, counts.all_additions, counts.additions_last_hour)
    yield from _source(limits, counts, baseline, few_removals=few_removals, few_additions=few_additions)
    yield from _unlisted(limits, counts)
    yield from _removals(limits, counts, few=few_removals)
    yield from _additions(limits, counts, baseline, few=few_additions)


def _source(
    limits: GuardSettings, counts: Counts, baseline: Baseline, *, few_removals: bool, few_additions: bool
) -> Iterator[Refusal]:
    """What looks wrong with the source holds everything."""
    if counts.rows < limits.min_rows and not (few_removals and few_additions):
        yield Refusal(
            "min_rows",
            Hold.EVERYTHING,
            f"the source returned {_many(counts.rows, 'row')} (min_rows = {limits.min_rows:,})",
        )
    if _exceeds(counts.invalid, counts.rows, limits.max_invalid_percent):
        yield Refusal(
            "max_invalid_percent",
            Hold.EVERYTHING,
            f"{counts.invalid:,} of {counts.rows:,} rows have no usable customer_id, "
            f"{_percent(counts.invalid, counts.rows)} (max_invalid_percent = {limits.max_invalid_percent:g})",
        )
    if _exceeds(counts.removals, counts.removable, limits.max_shrink_percent) and not few_removals:
        yield Refusal(
            "max_shrink_percent",
            Hold.EVERYTHING,
            f"{counts.removals:,} of {counts.removable:,} open records would go, "
            f"{_percent(counts.removals, counts.removable)} (max_shrink_percent = {limits.max_shrink_percent:g})",
        )
    if lost := (baseline.columns or frozenset()) - counts.columns:
        names = " and ".join(sorted(lost))
        yield Refusal(
            "lost column", Hold.EVERYTHING, f"the query returned {names} at the last good pass and does not now"
        )


def _unlisted(limits: GuardSettings, counts: Counts) -> Iterator[Refusal]:
    """What would be held if the ledger were up to date: a listing tells whether it is, so nobody need be asked yet."""
    going, last_hour = counts.unlisted_removals, counts.removals_last_hour
    if _exceeds(going, counts.removable, limits.max_shrink_percent) and not _few(limits, going, last_hour):
        yield Refusal(
            "max_shrink_percent",
            Hold.UNTIL_LISTED,
            f"{going:,} of {counts.removable:,} open records are not desired any more, "
            f"{_percent(going, counts.removable)} (max_shrink_percent = {limits.max_shrink_percent:g})",
        )


def _removals(limits: GuardSettings, counts: Counts, *, few: bool) -> Iterator[Refusal]:
    # A recall removes a completed record, which is not among the open ones.
    whole = counts.removable + counts.recalls
    if _exceeds(counts.all_removals, whole, limits.max_removal_percent) and not few:
        yield Refusal(
            "max_removal_percent",
            Hold.REMOVALS,
            f"{counts.all_removals:,} of {whole:,} records would be removed, "
            f"{_percent(counts.all_removals, whole)} (max_removal_percent = {limits.max_removal_percent:g})",
        )
    if limits.max_removals and counts.all_removals > limits.max_removals:
        yield Refusal(
            "max_removals",
            Hold.REMOVALS,
            f"{_many(counts.all_removals, 'record')} would be removed (max_removals = {limits.max_removals:,})",
        )
    a_day = counts.removals_last_day + counts.all_removals
    if limits.max_removals_per_day and counts.all_removals and a_day > limits.max_removals_per_day:
        yield Refusal(
            "max_removals_per_day",
            Hold.REMOVALS,
            f"{_many(counts.all_removals, 'record')} would be removed after {counts.removals_last_day:,} "
            f"in the last 24 h (max_removals_per_day = {limits.max_removals_per_day:,})",
        )


def _additions(limits: GuardSettings, counts: Counts, baseline: Baseline, *, few: bool) -> Iterator[Refusal]:
    listed = counts.suppressed_rows
    if listed is not None and _exceeds(counts.suppressed_invalid, listed, limits.max_invalid_percent):
        yield Refusal(
            "max_invalid_percent",
            Hold.ADDITIONS,
            f"{counts.suppressed_invalid:,} of {listed:,} rows of the suppression list have no usable customer_id, "
            f"{_percent(counts.suppressed_invalid, listed)} (max_invalid_percent = {limits.max_invalid_percent:g})",
        )
    largest = baseline.largest
    # A grown reading that adds nobody yet, as one before a listing, is no baseline either.
    few_more = few and counts.all_additions > 0
    if largest and _exceeds(counts.customers - largest, largest, limits.max_growth_percent) and not few_more:
        yield Refusal(
            "max_growth_percent",
            Hold.ADDITIONS,
            f"{counts.customers:,} customers are desired where the largest good pass had {largest:,} "
            f"(max_growth_percent = {limits.max_growth_percent:g})",
        )
    had = counts.ours + counts.vanished
    if _exceeds(counts.vanished, had, limits.max_vanished_percent) and not few:
        yield Refusal(
            "max_vanished_percent",
            Hold.ADDITIONS,
            f"{counts.vanished:,} of {had:,} records of ours are gone without syncd's doing, "
            f"{_percent(counts.vanished, had)} (max_vanished_percent = {limits.max_vanished_percent:g})",
        )
    limit = limits.max_new_query_additions
    coming = counts.all_additions + counts.later
    if limit and not baseline.query_known and coming > limit:
        later = f", {counts.later:,} of them when their time comes within reach," if counts.later else ""
        yield Refusal(
            "max_new_query_additions",
            Hold.ADDITIONS,
            f"{coming:,} customers would be added{later} by a query that no good pass has run yet "
            f"(max_new_query_additions = {limit:,}); look at them once with `syncd plan`",
        )
    before = baseline.suppressed_rows
    if before is not None and _exceeds(before - (listed or 0), before, limits.max_suppress_shrink_percent):
        yield Refusal(
            "max_suppress_shrink_percent",
            Hold.ADDITIONS,
            f"the suppression list has {_many(listed or 0, 'row')} where the last good pass read {before:,} "
            f"(max_suppress_shrink_percent = {limits.max_suppress_shrink_percent:g})",
        )


def _few(limits: GuardSettings, changes: int, last_hour: int) -> bool:
    return changes == 0 or changes + last_hour <= limits.few


def _exceeds(part: int, whole: int, limit: float) -> bool:
    return limit > 0 and part * 100 > whole * limit


def _percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.4g} %" if whole else "all"


def _many(count: int, noun: str) -> str:
    return f"no {noun}" if count == 0 else f"1 {noun}" if count == 1 else f"{count:,} {noun}s"
