"""What a pass says of itself when it has ended: its result, its counts, and one sentence."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from syncd.errors import CampaignBlocked, LockHeld, SyncdError
from syncd.plan import Plan, Totals
from syncd.state.campaigns import Result
from syncd.sync.guarding import Guarded
from syncd.sync.observing import Observation
from syncd.sync.reading import Reading, Suppressed
from syncd.vendor import MAX_RECORDS
from syncd.words import Exit, Kind, Outcome, command

EXITS = {
    Result.GOOD: Exit.GOOD,
    Result.PARTIAL: Exit.PARTIAL,
    Result.HELD: Exit.HELD,
    Result.BLOCKED: Exit.BLOCKED,
    Result.FAILED: Exit.FAILED,
    Result.PAUSED: Exit.GOOD,
    Result.STOPPED: Exit.PARTIAL,
}

DONE_WORDS = {
    Kind.ADD: "added",
    Kind.REMOVE: "removed",
    Kind.RESCHEDULE: "rescheduled",
    Kind.RECALL: "recalled",
}

LEDGER_WORDS = {
    Kind.ADOPT: "adopted",
    Kind.RELEASE: "released",
    Kind.CALLED: "taken for called",
    Kind.PARK: "parked by their rows",
}

OUTCOME_WORDS = {
    Outcome.REFUSED: "refused and parked",
    Outcome.DEFERRED: "deferred",
    Outcome.UNKNOWN: "without a known outcome",
    Outcome.FAILED: "failed",
}

_QUERY_WORDS = {
    True: "the query was edited since the last good pass",
    False: "the query is the one of the last good pass",
    None: "no pass has been good yet",
}


@dataclass(slots=True)
class PassReport:
    """One pass, as far as it came."""

    campaign: str
    began: datetime
    ended: datetime | None = None
    result: Result = Result.GOOD
    error: SyncdError | None = None
    ends_at: datetime | None = None
    """The campaign's end-time at the vendor, aware; None where it has none or its status was not read."""
    observation: Observation | None = None
    suppressed: Suppressed | None = None
    reading: Reading | None = None
    plan: Plan | None = None
    totals: Totals | None = None
    guarded: Guarded | None = None
    outcomes: Counter[tuple[Kind, Outcome]] = field(default_factory=Counter)
    suppressed_out: int = 0
    longest_suppression: timedelta = timedelta()
    """From the read that first showed a customer suppressed to the answer that the record is out; zero: nobody was."""
    oldest_suppression: timedelta | None = None
    """For how long the longest of the suppressed still in the campaign has been waiting to be taken out."""
    beyond: int = 0
    """Additions beyond what the vendor takes in one campaign; they are not sent."""
    open_claims: int = 0
    failures: int = 0
    """Passes that have failed in a row, this one included."""
    steps: dict[str, float] = field(default_factory=dict)
    """Seconds of each step that the pass has come through, in their order."""

    @property
    def exit_status(self) -> Exit:
        if isinstance(self.error, LockHeld):
            return Exit.LOCKED
        return EXITS[self.result]

    def fail(self, error: SyncdError) -> None:
        """Take note of what ended the pass."""
        self.error = error
        self.result = Result.BLOCKED if isinstance(error, CampaignBlocked) else Result.FAILED

    @property
    def news(self) -> bool:
        """Return whether there is more to tell than that all was in step."""
        return (
            self.result is not Result.GOOD
            or bool(self.outcomes)
            or bool(self.plan and self.plan.changes)
            or bool(self.observation and (self.observation.learned.changed or self.observation.learned.new))
        )

    def done(self, kind: Kind) -> int:
        """Return how many changes of a kind were made, or found made."""
        return self.outcomes[kind, Outcome.DONE] + self.outcomes[kind, Outcome.ALREADY]

    def came_to(self, outcome: Outcome) -> int:
        """Return how many changes had this outcome."""
        return sum(count for (_, what), count in self.outcomes.items() if what is outcome)

    def sentence(self) -> str:
        """Return what the pass decided and did, in one sentence."""
        if self.error is not None:
            return self.error.sentence()
        told = [f"{self.done(kind):,} {word}" for kind, word in DONE_WORDS.items() if self.done(kind)]
        if self.plan:
            told += [f"{self.plan.of(kind):,} {word}" for kind, word in LEDGER_WORDS.items() if self.plan.of(kind)]
        told += [
            f"{self.came_to(outcome):,} {word}" for outcome, word in OUTCOME_WORDS.items() if self.came_to(outcome)
        ]
        if self.result is Result.PAUSED:
            told.append("paused")
        if self.result is Result.STOPPED:
            told.append("stopped before its end")
        if self.beyond:
            told.append(f"{self.beyond:,} beyond the {MAX_RECORDS:,} records that the vendor takes")
        if self.oldest_suppression:
            minutes = self.oldest_suppression.total_seconds() / 60
            told.append(f"a suppressed customer could not be taken out for {minutes:,.0f} min")
        if self.open_claims:
            told.append(f"{self.open_claims:,} calls wait for the listing to settle them")
        if self.guarded and self.guarded.judgement.held:
            told.append(self._held(self.guarded))
        if self.guarded and (why := self.guarded.judgement.waits_for_listing):
            told.append(f"additions wait for a listing, which tells whether these were called: {why}")
        if self.observation and not self.observation.whole:
            had, expected = self.observation.records, self.observation.expected
            whole = "" if expected is None else f" of {expected:,}"
            told.append(f"the listing was not whole ({had:,}{whole} records)")
        in_step = f"{self.reading.customers:,} desired" if self.reading else "nothing was read"
        return f"{in_step}; " + (", ".join(told) if told else "in step, nothing to do")

    def _held(self, guarded: Guarded) -> str:
        judgement = guarded.judgement
        what = (
            "everything"
            if judgement.removals_held and judgement.additions_held
            else "removals"
            if judgement.removals_held
            else "additions"
        )
        why = "; ".join(refusal.sentence for refusal in judgement.refusals)
        query = _QUERY_WORDS[guarded.query_changed]
        if guarded.digest:
            how = f"let it through with `{command('approve', self.campaign, guarded.digest)}`"
        else:
            how = f"a pass keeps it on record: `{command('once', self.campaign)}`"
        return (
            f"{what} held until the source is back within the limits or a person approves: {why}; {query}; "
            f"look with `{command('held', self.campaign)}`, {how}"
        )

    def counts(self) -> Mapping[str, object]:
        """Return the counts in the words of the tables, for the record and for ``--json``."""
        plan, totals, reading, seen = self.plan, self.totals, self.reading, self.observation
        return {
            "news": self.news,
            "desired": reading.customers if reading else None,
            "rows": reading.rows if reading else None,
            "invalid": reading.invalid if reading else None,
            "doubles": reading.doubles if reading else None,
            "suppressed": self.suppressed.in_force if self.suppressed else None,
            "listed": totals.listed if totals else None,
            "ours": totals.ours if totals else None,
            "foreign": totals.foreign if totals else None,
            "completed": totals.completed if totals else None,
            "listing": None
            if seen is None
            else {
                "records": seen.records,
                "expected": seen.expected,
                "whole": seen.whole,
                "unmatched": seen.unmatched,
                "ambiguous": seen.ambiguous,
            },
            "planned": {kind.value: plan.of(kind) for kind in Kind if plan.of(kind)} if plan else {},
            "outcomes": {
                kind.value: {what.value: self.outcomes[kind, what] for what in Outcome if self.outcomes[kind, what]}
                for kind in Kind
                if any(self.outcomes[kind, what] for what in Outcome)
            },
            "suppressed_out": self.suppressed_out,
            "suppression_delay_seconds": self.longest_suppression.total_seconds(),
            "oldest_suppression_seconds": self.oldest_suppression.total_seconds() if self.oldest_suppression else None,
            "beyond": self.beyond,
            "open_claims": self.open_claims,
            "held": {
                "digest": self.guarded.digest,
                "why": [refusal.sentence for refusal in self.guarded.judgement.refusals],
            }
            if self.guarded and self.guarded.judgement.held
            else None,
        }
