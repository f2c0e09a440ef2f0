"""What a pass says of itself: its sentence, its counts and its exit status, from the values that its steps returned."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.errors import CampaignBlocked, LockHeld, SyncdError
from syncd.guard import Hold, Judgement, Refusal
from syncd.plan import Plan, Totals
from syncd.state.baseline import Figures
from syncd.state.campaigns import Result
from syncd.state.ledger import Learned
from syncd.sync.guarding import Guarded
from syncd.sync.observing import Observation
from syncd.sync.reading import Reading, Suppressed
from syncd.sync.report import PassReport
from syncd.words import Exit, Kind, Outcome, Rule

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SUPPRESSED = Suppressed(rows=3, invalid=1, samples=(), in_force=2, error=None)
READING = Reading(
    rows=1206, customers=1200, invalid=1, samples=(), doubles=5, columns=frozenset(), suppressed=SUPPRESSED
)
LISTING = Observation(
    records=1000,
    expected=1100,
    whole=True,
    unmatched=7,
    ambiguous=8,
    settled=0,
    learned=Learned(changed=0, new=0, sighted=0),
)
TOO_MANY = Refusal("max_removals", Hold.REMOVALS, "501 records would be removed (max_removals = 500)")
EMPTIED = Refusal("max_suppress_shrink_percent", Hold.ADDITIONS, "the suppression list has no row")
UNLISTED = Refusal("max_shrink_percent", Hold.UNTIL_LISTED, "501 of 600 are not desired any more")


def report(**values: object) -> PassReport:
    made = PassReport("renewals", NOON)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def outcomes(**counts: int) -> PassReport:
    """A pass with these outcomes of adds."""
    made = report(reading=READING)
    for name, count in counts.items():
        made.outcomes[Kind.ADD, Outcome(name)] = count
    return made


def guarded(
    *refusals: Refusal,
    removals: bool = False,
    additions: bool = False,
    digest: str | None = "3f9a",
    changed: bool | None,
) -> Guarded:
    judgement = Judgement(tripped=refusals, removals_held=removals, additions_held=additions)
    figures = Figures(query="", customers=0, columns=(), suppressed_rows=None)
    return Guarded(judgement, figures, changed, digest, good=False)


def test_a_pass_that_found_all_in_step_says_so_and_is_no_news() -> None:
    quiet = report(reading=READING, plan=Plan(), observation=LISTING)
    assert quiet.sentence() == "1,200 desired; in step, nothing to do"
    assert not quiet.news
    assert quiet.exit_status is Exit.GOOD


def test_a_pass_that_read_nothing_says_so() -> None:
    assert report().sentence() == "nothing was read; in step, nothing to do"


def test_what_was_done_or_found_done_is_told_and_then_what_the_ledger_alone_learned_and_what_failed() -> None:
    made = report(
        reading=READING,
        plan=Plan(
            {
                (Kind.ADOPT, Rule.ADOPT): 1,
                (Kind.RELEASE, Rule.RELEASE): 2,
                (Kind.CALLED, Rule.GONE_AFTER_AGENT): 3,
                (Kind.PARK, Rule.NEW): 1004,
                (Kind.ADD, Rule.NEW): 5,
            }
        ),
    )
    made.outcomes[Kind.ADD, Outcome.DONE] = 1000
    made.outcomes[Kind.ADD, Outcome.ALREADY] = 1
    made.outcomes[Kind.REMOVE, Outcome.ALREADY] = 2
    made.outcomes[Kind.RESCHEDULE, Outcome.DONE] = 3
    made.outcomes[Kind.RECALL, Outcome.DONE] = 4
    made.outcomes[Kind.ADD, Outcome.REFUSED] = 5
    made.outcomes[Kind.REMOVE, Outcome.DEFERRED] = 6
    made.outcomes[Kind.ADD, Outcome.UNKNOWN] = 7
    made.outcomes[Kind.REMOVE, Outcome.UNKNOWN] = 1
    made.outcomes[Kind.ADD, Outcome.FAILED] = 1009
    assert made.sentence() == (
        "1,200 desired; 1,001 added, 2 removed, 3 rescheduled, 4 recalled, 1 adopted, 2 released, 3 taken for called, "
        "1,004 parked by their rows, 5 refused and parked, 6 deferred, 8 without a known outcome, 1,009 failed"
    )
    assert made.counts()["planned"] == {"add": 5, "adopt": 1, "release": 2, "called": 3, "park": 1004}
    assert made.counts()["outcomes"] == {
        "add": {"done": 1000, "already": 1, "refused": 5, "unknown": 7, "failed": 1009},
        "remove": {"already": 2, "deferred": 6, "unknown": 1},
        "reschedule": {"done": 3},
        "recall": {"done": 4},
    }


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"result": Result.PAUSED}, "paused"),
        ({"result": Result.STOPPED}, "stopped before its end"),
        ({"beyond": 1500}, "1,500 beyond the 5,000,000 records that the vendor takes"),
        (
            {"oldest_suppression": timedelta(minutes=1500, seconds=20)},
            "a suppressed customer could not be taken out for 1,500 min",
        ),
        ({"open_claims": 2000}, "2,000 calls wait for the listing to settle them"),
        (
            {"observation": replace(LISTING, whole=False, records=2000, expected=3000)},
            "the listing was not whole (2,000 of 3,000 records)",
        ),
        (
            {"observation": replace(LISTING, whole=False, expected=None)},
            "the listing was not whole (1,000 records)",
        ),
        (
            {"guarded": guarded(UNLISTED, additions=True, changed=None)},
            "additions wait for a listing, which tells whether these were called: 501 of 600 are not desired any more",
        ),
        (
            {"guarded": guarded(TOO_MANY, removals=True, changed=True)},
            "removals held until the source is back within the limits or a person approves: 501 records would be "
            "removed (max_removals = 500); the query was edited since the last good pass; look with `syncd held "
            "renewals`, let it through with `syncd approve renewals 3f9a`",
        ),
        (
            {"guarded": guarded(EMPTIED, additions=True, digest=None, changed=False)},
            "additions held until the source is back within the limits or a person approves: the suppression list has "
            "no row; the query is the one of the last good pass; look with `syncd held renewals`, a pass keeps it on "
            "record: `syncd once renewals`",
        ),
        (
            {"guarded": guarded(TOO_MANY, EMPTIED, removals=True, additions=True, changed=None)},
            "everything held until the source is back within the limits or a person approves: 501 records would be "
            "removed (max_removals = 500); the suppression list has no row; no pass has been good yet; look with "
            "`syncd held renewals`, let it through with `syncd approve renewals 3f9a`",
        ),
    ],
)
def test_what_keeps_a_pass_from_being_all_done_is_told(values: dict[str, object], told: str) -> None:
    assert report(reading=READING, **values).sentence() == f"1,200 desired; {told}"


def test_a_limit_that_holds_nothing_is_not_told() -> None:
    made = report(reading=READING, guarded=guarded(TOO_MANY, changed=None))
    assert made.sentence() == "1,200 desired; in step, nothing to do"
    assert made.counts()["held"] is None


def test_an_error_is_all_that_a_pass_says() -> None:
    made = outcomes(done=3)
    made.fail(SyncdError("the source is gone"))
    assert made.sentence() == "the source is gone"
    assert (made.result, made.exit_status) == (Result.FAILED, Exit.FAILED)


def test_a_blocked_campaign_and_a_held_lock_have_exit_statuses_of_their_own() -> None:
    blocked, locked = report(), report()
    blocked.fail(CampaignBlocked("renewals", "it has not been started"))
    locked.fail(LockHeld("renewals"))
    assert (blocked.result, blocked.exit_status) == (Result.BLOCKED, Exit.BLOCKED)
    assert locked.exit_status is Exit.LOCKED


@pytest.mark.parametrize(
    ("result", "status"),
    [
        (Result.GOOD, Exit.GOOD),
        (Result.PARTIAL, Exit.PARTIAL),
        (Result.HELD, Exit.HELD),
        (Result.BLOCKED, Exit.BLOCKED),
        (Result.FAILED, Exit.FAILED),
        (Result.PAUSED, Exit.GOOD),
        (Result.STOPPED, Exit.PARTIAL),
    ],
)
def test_each_result_has_its_exit_status(result: Result, status: Exit) -> None:
    assert report(result=result).exit_status is status


@pytest.mark.parametrize(
    "values",
    [
        {"result": Result.HELD},
        {"plan": Plan({(Kind.RELEASE, Rule.RELEASE): 1})},
        {"observation": replace(LISTING, learned=Learned(changed=1, new=0, sighted=0))},
        {"observation": replace(LISTING, learned=Learned(changed=0, new=1, sighted=0))},
    ],
)
def test_whatever_changed_anything_is_news(values: dict[str, object]) -> None:
    assert report(**values).news is True
    assert report(**values).counts()["news"] is True


def test_an_answer_of_the_tenant_is_news() -> None:
    assert outcomes(refused=1).news is True


def test_the_counts_are_those_of_the_steps_that_the_pass_came_through() -> None:
    made = report(
        reading=READING,
        suppressed=SUPPRESSED,
        totals=Totals(listed=11, ours=12, foreign=13, open_ours=14, open_foreign=15, completed=16),
        observation=replace(LISTING, whole=False),
        suppressed_out=17,
        longest_suppression=timedelta(seconds=18.5),
        oldest_suppression=timedelta(seconds=19),
        beyond=20,
        open_claims=21,
        guarded=guarded(TOO_MANY, removals=True, changed=None),
    )
    assert made.counts() == {
        "news": False,
        "desired": 1200,
        "rows": 1206,
        "invalid": 1,
        "doubles": 5,
        "suppressed": 2,
        "listed": 11,
        "ours": 12,
        "foreign": 13,
        "completed": 16,
        "listing": {"records": 1000, "expected": 1100, "whole": False, "unmatched": 7, "ambiguous": 8},
        "planned": {},
        "outcomes": {},
        "suppressed_out": 17,
        "suppression_delay_seconds": 18.5,
        "oldest_suppression_seconds": 19,
        "beyond": 20,
        "open_claims": 21,
        "held": {"digest": "3f9a", "why": ["501 records would be removed (max_removals = 500)"]},
    }


def test_a_pass_that_came_nowhere_counts_nothing() -> None:
    nothing = report()
    counts = nothing.counts()
    assert {name for name, value in counts.items() if value is not None} == {
        "news", "planned", "outcomes", "suppressed_out", "suppression_delay_seconds", "beyond", "open_claims",
    }  # fmt: skip
    assert not any(counts.values())
    assert (nothing.failures, nothing.steps) == (0, {})
