"""The guard over plain counts: each limit just kept, just broken, turned off, and the sentence that is read."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.config import GuardSettings
from syncd.guard import Baseline, Counts, Hold, Judgement, judge

GOOD_PASS = Baseline(
    largest=1000, columns=frozenset({"schedule_at", "version"}), suppressed_rows=1000, query_known=True
)
FIRST_PASS = Baseline(largest=None, columns=None, suppressed_rows=None, query_known=False)
QUIET = Counts(
    rows=1000,
    invalid=0,
    customers=1000,
    columns=frozenset({"schedule_at", "version"}),
    suppressed_rows=1000,
    suppressed_invalid=0,
    removals=0,
    unlisted_removals=0,
    additions=0,
    adoptions=0,
    reschedules=0,
    recalls=0,
    removable=1000,
    ours=1000,
    vanished=0,
    removals_last_hour=0,
    additions_last_hour=0,
    removals_last_day=0,
)
BUSY = replace(QUIET, removals=20, additions=20)
"""Twenty removals and as many additions: more than a few, and nothing out of the ordinary."""


def counts(**changes: Any) -> Counts:
    return replace(BUSY, **changes)


def name_of(limit: str) -> str:
    return limit.removesuffix(" of the suppression list")


def tripped(judgement: Judgement) -> list[str]:
    return [refusal.limit for refusal in judgement.tripped]


def test_an_ordinary_plan_passes_every_limit() -> None:
    assert judge(GuardSettings(), BUSY, GOOD_PASS) == Judgement()


def test_additions_of_the_days_to_come_count_with_those_of_today_while_the_query_is_not_known() -> None:
    plan = counts(additions=1, later=1000)
    [refusal] = judge(GuardSettings(), plan, FIRST_PASS).refusals
    assert refusal.sentence == (
        "1,001 customers would be added, 1,000 of them when their time comes within reach, by a query that no good "
        "pass has run yet (max_new_query_additions = 1,000); look at them once with `syncd plan`"
    )
    assert judge(GuardSettings(), plan, GOOD_PASS) == Judgement()
    assert judge(GuardSettings(), counts(additions=0, later=1000), FIRST_PASS) == Judgement()


def test_additions_of_the_days_to_come_hold_nothing_by_themselves_and_make_no_query_known() -> None:
    judgement = judge(GuardSettings(), counts(removals=0, additions=0, later=1001), FIRST_PASS)
    assert not judgement.held
    assert tripped(judgement) == ["max_new_query_additions"]


JUST_KEPT: Mapping[str, tuple[Counts, Baseline]] = {
    "min_rows": (counts(rows=1, customers=1), GOOD_PASS),
    "max_invalid_percent": (counts(invalid=50), GOOD_PASS),
    "max_invalid_percent of the suppression list": (counts(suppressed_invalid=50), GOOD_PASS),
    "max_shrink_percent": (counts(removals=50, removable=100), GOOD_PASS),
    "max_removal_percent": (counts(removals=300), GOOD_PASS),
    "max_removals": (counts(removals=500, removable=10_000), GOOD_PASS),
    "max_removals_per_day": (counts(removals=20, removals_last_day=1980), GOOD_PASS),
    "max_growth_percent": (counts(customers=5000), GOOD_PASS),
    "max_vanished_percent": (counts(ours=700, vanished=300), GOOD_PASS),
    "max_new_query_additions": (counts(additions=1000), FIRST_PASS),
    "lost column": (counts(columns=frozenset({"schedule_at", "version", "phone"})), GOOD_PASS),
    "max_suppress_shrink_percent": (counts(suppressed_rows=800), GOOD_PASS),
}


@pytest.mark.parametrize("limit", JUST_KEPT)
def test_a_plan_exactly_at_a_limit_passes_it(limit: str) -> None:
    at_limit, baseline = JUST_KEPT[limit]
    assert name_of(limit) not in tripped(judge(GuardSettings(), at_limit, baseline))


JUST_BROKEN: Mapping[str, tuple[Counts, Baseline, Hold, str]] = {
    "min_rows": (
        counts(rows=0, customers=0),
        GOOD_PASS,
        Hold.EVERYTHING,
        "the source returned no row (min_rows = 1)",
    ),
    "max_invalid_percent": (
        counts(invalid=51),
        GOOD_PASS,
        Hold.EVERYTHING,
        "51 of 1,000 rows have no usable customer_id, 5.1 % (max_invalid_percent = 5)",
    ),
    "max_invalid_percent of the suppression list": (
        counts(suppressed_invalid=51),
        GOOD_PASS,
        Hold.ADDITIONS,
        "51 of 1,000 rows of the suppression list have no usable customer_id, 5.1 % (max_invalid_percent = 5)",
    ),
    "max_shrink_percent": (
        counts(removals=51, removable=100),
        GOOD_PASS,
        Hold.EVERYTHING,
        "51 of 100 open records would go, 51 % (max_shrink_percent = 50)",
    ),
    "max_removal_percent": (
        counts(removals=200, reschedules=101),
        GOOD_PASS,
        Hold.REMOVALS,
        "301 of 1,000 records would be removed, 30.1 % (max_removal_percent = 30)",
    ),
    "max_removals": (
        counts(removals=400, reschedules=100, recalls=1, removable=10_000),
        GOOD_PASS,
        Hold.REMOVALS,
        "501 records would be removed (max_removals = 500)",
    ),
    "max_removals_per_day": (
        counts(removals_last_day=1981),
        GOOD_PASS,
        Hold.REMOVALS,
        "20 records would be removed after 1,981 in the last 24 h (max_removals_per_day = 2,000)",
    ),
    "max_growth_percent": (
        counts(customers=5001),
        GOOD_PASS,
        Hold.ADDITIONS,
        "5,001 customers are desired where the largest good pass had 1,000 (max_growth_percent = 400)",
    ),
    "max_vanished_percent": (
        counts(ours=699, vanished=301),
        GOOD_PASS,
        Hold.ADDITIONS,
        "301 of 1,000 records of ours are gone without syncd's doing, 30.1 % (max_vanished_percent = 30)",
    ),
    "max_new_query_additions": (
        counts(additions=900, adoptions=101),
        FIRST_PASS,
        Hold.ADDITIONS,
        "1,001 customers would be added by a query that no good pass has run yet (max_new_query_additions = 1,000); "
        "look at them once with `syncd plan`",
    ),
    "lost column": (
        counts(columns=frozenset()),
        GOOD_PASS,
        Hold.EVERYTHING,
        "the query returned schedule_at and version at the last good pass and does not now",
    ),
    "max_suppress_shrink_percent": (
        counts(suppressed_rows=799),
        GOOD_PASS,
        Hold.ADDITIONS,
        "the suppression list has 799 rows where the last good pass read 1,000 (max_suppress_shrink_percent = 20)",
    ),
}


@pytest.mark.parametrize("limit", JUST_BROKEN)
def test_a_plan_one_beyond_a_limit_is_held_and_the_sentence_says_what_was_counted(limit: str) -> None:
    beyond, baseline, hold, sentence = JUST_BROKEN[limit]
    judgement = judge(GuardSettings(), beyond, baseline)
    [refusal] = [each for each in judgement.refusals if each.sentence == sentence]
    assert refusal.limit == name_of(limit)
    assert refusal.hold is hold
    assert judgement.removals_held == (hold in (Hold.EVERYTHING, Hold.REMOVALS))
    assert judgement.additions_held == (hold in (Hold.EVERYTHING, Hold.ADDITIONS))


@pytest.mark.parametrize("limit", [name for name in JUST_BROKEN if name != "lost column"])
def test_a_limit_set_to_zero_is_off(limit: str) -> None:
    beyond, baseline, _, _ = JUST_BROKEN[limit]
    off = replace(GuardSettings(), **{name_of(limit): 0})
    assert name_of(limit) not in tripped(judge(off, beyond, baseline))


def test_a_lost_column_is_held_whatever_is_set() -> None:
    everything_off = GuardSettings(**{each.name: 0 for each in fields(GuardSettings)})
    beyond, baseline, _, _ = JUST_BROKEN["lost column"]
    assert tripped(judge(everything_off, beyond, baseline)) == ["lost column"]


@pytest.mark.parametrize(
    ("lost", "sentence"),
    [
        ("schedule_at", "the query returned schedule_at at the last good pass and does not now"),
        ("version", "the query returned version at the last good pass and does not now"),
        ("phone", "the query returned phone at the last good pass and does not now"),
    ],
)
def test_each_column_that_was_there_at_the_last_good_pass_is_missed(lost: str, sentence: str) -> None:
    baseline = replace(GOOD_PASS, columns=frozenset({"schedule_at", "version", "phone"}))
    [refusal] = judge(GuardSettings(), counts(columns=frozenset(baseline.columns or ()) - {lost}), baseline).tripped
    assert refusal.sentence == sentence


def test_a_new_column_and_a_first_pass_miss_nothing() -> None:
    wider = counts(columns=frozenset({"schedule_at", "version", "phone"}))
    assert judge(GuardSettings(), wider, GOOD_PASS) == Judgement()
    assert judge(GuardSettings(), counts(columns=frozenset()), FIRST_PASS) == Judgement()


def test_the_sentences_speak_of_one_row_and_of_none_as_people_do() -> None:
    one = judge(GuardSettings(min_rows=2), counts(rows=1, customers=1), GOOD_PASS)
    assert one.refusals[0].sentence == "the source returned 1 row (min_rows = 2)"
    emptied = judge(GuardSettings(), counts(suppressed_rows=0), GOOD_PASS)
    assert emptied.refusals[0].sentence == (
        "the suppression list has no row where the last good pass read 1,000 (max_suppress_shrink_percent = 20)"
    )


def test_removals_out_of_no_known_open_record_count_as_all_of_them() -> None:
    judgement = judge(GuardSettings(), counts(removals=20, removable=0), GOOD_PASS)
    assert judgement.refusals[0].sentence == "20 of 0 open records would go, all (max_shrink_percent = 50)"


# --- few -------------------------------------------------------------------------------------------------------------

SMALL = replace(QUIET, rows=6, customers=6, removable=6, ours=6)

FEW = {
    "min_rows": replace(SMALL, rows=0, customers=0, removals=6),
    "max_shrink_percent": replace(SMALL, removals=6),
    "max_removal_percent": replace(SMALL, removals=3),
    "max_growth_percent": replace(SMALL, customers=16, additions=10),
    "max_vanished_percent": replace(SMALL, ours=0, vanished=6, additions=6),
}


@pytest.mark.parametrize("limit", FEW)
def test_a_few_changes_of_a_small_campaign_pass_the_percentages_and_one_more_than_few_does_not(limit: str) -> None:
    baseline = replace(GOOD_PASS, largest=3)
    plan = FEW[limit]
    assert judge(GuardSettings(), plan, baseline) == Judgement()
    changes = max(plan.all_removals, plan.all_additions)
    fewer = GuardSettings(few=changes - 1)
    assert limit in [refusal.limit for refusal in judge(fewer, plan, baseline).refusals]


@pytest.mark.parametrize("limit", FEW)
def test_few_counts_what_was_sent_in_the_last_hour(limit: str) -> None:
    baseline = replace(GOOD_PASS, largest=3)
    plan = FEW[limit]
    changes = max(plan.all_removals, plan.all_additions)
    at_ten = replace(plan, removals_last_hour=10 - changes, additions_last_hour=10 - changes)
    assert judge(GuardSettings(), at_ten, baseline) == Judgement()
    at_eleven = replace(plan, removals_last_hour=11 - changes, additions_last_hour=11 - changes)
    assert limit in [refusal.limit for refusal in judge(GuardSettings(), at_eleven, baseline).refusals]


def test_few_set_to_zero_lets_no_small_change_pass() -> None:
    plan = replace(SMALL, rows=0, customers=0, removals=1, removable=1)
    assert tripped(judge(GuardSettings(few=0), plan, GOOD_PASS)) == [
        "min_rows",
        "max_shrink_percent",
        "max_removal_percent",
    ]


def test_additions_of_the_last_hour_do_not_make_the_removal_of_a_few_an_alarm() -> None:
    emptied = replace(SMALL, rows=0, customers=0, removals=3, additions_last_hour=20)
    assert judge(GuardSettings(), emptied, GOOD_PASS) == Judgement()


@pytest.mark.parametrize(
    "plan",
    [
        replace(SMALL, invalid=1, additions=1),
        replace(SMALL, columns=frozenset(), additions=1),
        replace(SMALL, suppressed_rows=0, additions=1),
        replace(SMALL, suppressed_invalid=51, additions=1),
    ],
    ids=["invalid rows", "a lost column", "a shrunk suppression list", "an unusable suppression list"],
)
def test_few_changes_do_not_excuse_a_reading_that_cannot_be_trusted(plan: Counts) -> None:
    assert judge(GuardSettings(), plan, GOOD_PASS).additions_held


def test_a_few_removals_do_not_excuse_many_additions_from_a_source_with_too_few_rows() -> None:
    plan = replace(SMALL, rows=50, customers=50, additions=20)
    assert tripped(judge(GuardSettings(min_rows=100), plan, GOOD_PASS)) == ["min_rows"]


def test_a_single_removal_is_held_where_it_is_one_too_many() -> None:
    judgement = judge(GuardSettings(few=0), replace(QUIET, removals=1, removable=1), GOOD_PASS)
    assert judgement.removals_held


def test_recalls_are_no_share_of_the_open_records_alone() -> None:
    plan = counts(removals=0, removable=58, recalls=25)
    assert judge(GuardSettings(few=0), replace(plan, recalls=24), GOOD_PASS) == Judgement()
    assert [refusal.sentence for refusal in judge(GuardSettings(few=0), plan, GOOD_PASS).refusals] == [
        "25 of 83 records would be removed, 30.12 % (max_removal_percent = 30)"
    ]


# --- what is held ----------------------------------------------------------------------------------------------------


def test_removals_are_held_and_additions_go_on() -> None:
    judgement = judge(GuardSettings(), counts(removals=501, removable=10_000), GOOD_PASS)
    assert (judgement.removals_held, judgement.additions_held) == (True, False)


def test_additions_are_held_and_removals_go_on() -> None:
    judgement = judge(GuardSettings(), counts(suppressed_rows=0), GOOD_PASS)
    assert (judgement.removals_held, judgement.additions_held) == (False, True)


def test_an_adoption_is_held_with_the_additions() -> None:
    judgement = judge(GuardSettings(), replace(QUIET, adoptions=1001), FIRST_PASS)
    assert (judgement.removals_held, judgement.additions_held) == (False, True)


def test_a_reschedule_and_a_recall_count_as_a_removal_and_an_addition() -> None:
    both = counts(reschedules=7, recalls=5)
    assert (both.all_removals, both.all_additions) == (32, 32)


def test_additions_alone_are_held_for_a_source_that_looks_wrong() -> None:
    judgement = judge(GuardSettings(), counts(removals=0, invalid=51), GOOD_PASS)
    assert [refusal.limit for refusal in judgement.refusals] == ["max_invalid_percent"]


def test_what_is_held_is_told_without_the_limits_that_hold_nothing() -> None:
    judgement = judge(GuardSettings(), replace(QUIET, removals=501, removable=10_000, suppressed_rows=0), GOOD_PASS)
    assert [refusal.limit for refusal in judgement.refusals] == ["max_removals"]
    assert tripped(judgement) == ["max_removals", "max_suppress_shrink_percent"]


def test_a_quiet_reading_that_breaks_a_limit_is_no_baseline_and_holds_nothing() -> None:
    judgement = judge(GuardSettings(), replace(QUIET, suppressed_rows=0, customers=9000), GOOD_PASS)
    assert tripped(judgement) == ["max_growth_percent", "max_suppress_shrink_percent"]
    assert not judgement.held


@pytest.mark.parametrize("limit", ["min_rows", "max_invalid_percent", "max_shrink_percent", "lost column"])
def test_nothing_is_learned_from_a_source_that_looks_wrong(limit: str) -> None:
    beyond, baseline, _, _ = JUST_BROKEN[limit]
    assert judge(GuardSettings(), beyond, baseline).source_looks_wrong


@pytest.mark.parametrize("limit", ["max_removals", "max_growth_percent", "max_suppress_shrink_percent"])
def test_too_many_changes_alone_do_not_make_the_source_look_wrong(limit: str) -> None:
    beyond, baseline, _, _ = JUST_BROKEN[limit]
    assert not judge(GuardSettings(), beyond, baseline).source_looks_wrong


def test_a_percentage_is_of_no_row_where_the_source_returned_none() -> None:
    assert judge(GuardSettings(min_rows=0), counts(rows=0, customers=0), GOOD_PASS) == Judgement()


def test_a_day_that_is_full_does_not_trip_a_plan_that_removes_nobody() -> None:
    assert judge(GuardSettings(), replace(QUIET, additions=20, removals_last_day=2001), GOOD_PASS) == Judgement()


def test_a_query_that_a_good_pass_has_run_may_add_any_number() -> None:
    assert judge(GuardSettings(), counts(additions=1001), GOOD_PASS) == Judgement()


def test_a_single_addition_is_few_however_much_the_reading_has_grown() -> None:
    assert judge(GuardSettings(), replace(QUIET, customers=9000, additions=1), GOOD_PASS) == Judgement()


def test_a_limit_of_less_than_one_percent_is_a_limit() -> None:
    limits = GuardSettings(max_invalid_percent=0.5)
    assert judge(limits, counts(invalid=5), GOOD_PASS) == Judgement()
    assert tripped(judge(limits, counts(invalid=6), GOOD_PASS)) == ["max_invalid_percent"]


def test_growth_waits_for_a_good_pass_that_read_rows() -> None:
    assert judge(GuardSettings(), counts(customers=900_000), replace(GOOD_PASS, largest=None)) == Judgement()


def test_a_suppression_query_that_is_gone_counts_as_an_emptied_list() -> None:
    assert tripped(judge(GuardSettings(), counts(suppressed_rows=None), GOOD_PASS)) == ["max_suppress_shrink_percent"]
    assert judge(GuardSettings(), counts(suppressed_rows=None), FIRST_PASS) == Judgement()


def test_a_list_of_one_customer_that_is_emptied_is_held() -> None:
    baseline = replace(GOOD_PASS, suppressed_rows=1)
    assert tripped(judge(GuardSettings(), counts(suppressed_rows=0), baseline)) == ["max_suppress_shrink_percent"]


def test_a_longer_suppression_list_is_never_held() -> None:
    assert judge(GuardSettings(), counts(suppressed_rows=1_000_000), GOOD_PASS) == Judgement()


# --- a pass without a listing ----------------------------------------------------------------------------------------


def test_additions_wait_for_a_listing_while_the_ledger_says_that_most_open_records_are_dropped() -> None:
    judgement = judge(GuardSettings(), counts(removals=0, unlisted_removals=501), GOOD_PASS)
    assert (judgement.held, judgement.additions_held) == (False, True)
    assert judgement.source_looks_wrong
    assert tripped(judgement) == ["max_shrink_percent"]
    assert judgement.waits_for_listing == (
        "501 of 1,000 open records are not desired any more, 50.1 % (max_shrink_percent = 50)"
    )


@pytest.mark.parametrize(
    "plan", [counts(removals=0, unlisted_removals=500), replace(SMALL, additions=1, unlisted_removals=6)]
)
def test_additions_do_not_wait_for_a_listing_that_would_not_hold_them(plan: Counts) -> None:
    assert judge(GuardSettings(), plan, GOOD_PASS) == Judgement()


def test_additions_that_a_person_has_to_look_at_do_not_say_that_they_wait_for_a_listing() -> None:
    judgement = judge(GuardSettings(), counts(removals=0, unlisted_removals=501, suppressed_rows=0), GOOD_PASS)
    assert judgement.held
    assert judgement.waits_for_listing is None


def test_additions_wait_for_a_listing_also_where_removals_wait_for_a_person() -> None:
    judgement = judge(GuardSettings(), counts(removals=501, removable=10_000, unlisted_removals=5001), GOOD_PASS)
    assert [refusal.limit for refusal in judgement.refusals] == ["max_removals"]
    assert judgement.waits_for_listing


def test_nothing_waits_for_a_listing_where_nobody_is_to_be_added() -> None:
    judgement = judge(GuardSettings(), replace(QUIET, unlisted_removals=501), GOOD_PASS)
    assert judgement.source_looks_wrong
    assert judgement.waits_for_listing is None


# --- whatever is counted ---------------------------------------------------------------------------------------------

NUMBERS = st.integers(0, 10_000)
PLANS = st.builds(
    Counts,
    **{each.name: NUMBERS for each in fields(Counts) if each.name not in ("columns", "suppressed_rows")},
    columns=st.frozensets(st.sampled_from(["schedule_at", "version", "phone"])),
    suppressed_rows=st.none() | NUMBERS,
)
BASELINES = st.builds(
    Baseline,
    largest=st.none() | st.integers(1, 10_000),
    columns=st.none() | st.frozensets(st.sampled_from(["schedule_at", "version", "phone"])),
    suppressed_rows=st.none() | NUMBERS,
    query_known=st.booleans(),
)
LIMITS = st.builds(GuardSettings, **{each.name: st.integers(0, 1000) for each in fields(GuardSettings)})


@given(LIMITS, PLANS, BASELINES)
def test_a_plan_that_would_send_nothing_is_never_held(limits: GuardSettings, plan: Counts, baseline: Baseline) -> None:
    nothing = replace(plan, removals=0, additions=0, adoptions=0, reschedules=0, recalls=0)
    judgement = judge(limits, nothing, baseline)
    assert not judgement.held
    assert not judgement.removals_held
    assert not judgement.additions_held


@given(LIMITS, PLANS, BASELINES)
def test_what_is_held_has_a_reason_and_only_what_is_there_is_held(
    limits: GuardSettings, plan: Counts, baseline: Baseline
) -> None:
    judgement = judge(limits, plan, baseline)
    assert judgement.held == bool(judgement.refusals)
    assert set(judgement.refusals) <= set(judgement.tripped)
    assert judgement.held or not judgement.removals_held
    assert judgement.held or not judgement.additions_held or judgement.waits_for_listing
    assert plan.all_removals or not judgement.removals_held
    assert plan.all_additions or not judgement.additions_held


@given(LIMITS, PLANS, BASELINES)
def test_a_bound_that_is_set_is_never_exceeded_by_what_goes_out(
    limits: GuardSettings, plan: Counts, baseline: Baseline
) -> None:
    judgement = judge(limits, plan, baseline)
    removals = 0 if judgement.removals_held else plan.all_removals
    additions = 0 if judgement.additions_held else plan.all_additions
    assert not limits.max_removals or removals <= limits.max_removals
    assert (
        not limits.max_removals_per_day
        or not removals
        or (removals + plan.removals_last_day <= limits.max_removals_per_day)
    )
    assert not limits.max_new_query_additions or baseline.query_known or additions <= limits.max_new_query_additions
    few = removals + plan.removals_last_hour <= limits.few
    assert (
        few
        or not limits.max_removal_percent
        or (100 * removals <= limits.max_removal_percent * (plan.removable + plan.recalls))
    )


@given(LIMITS, PLANS, BASELINES)
def test_a_guard_with_every_limit_off_holds_for_a_lost_column_alone(
    limits: GuardSettings, plan: Counts, baseline: Baseline
) -> None:
    off = GuardSettings(**{each.name: 0 for each in fields(GuardSettings)})
    assert set(tripped(judge(off, plan, baseline))) <= {"lost column"}
