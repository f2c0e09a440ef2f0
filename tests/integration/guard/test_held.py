"""What is held: kept whole with its digest, sent by no pass, told in one sentence with the command that frees it."""

from datetime import timedelta

from guard_desk import added, approve, held_customers, held_digest, held_plan, removed

from syncd.config import GuardSettings, Removes
from syncd.simulator.faults import Fault, FaultKind
from syncd.simulator.log import Call
from syncd.state.campaigns import Result
from syncd.vendor import RecordStatus
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage

STRICT = GuardSettings(few=0, max_new_query_additions=20, max_shrink_percent=0, max_removal_percent=0, max_removals=5)
"""Twenty customers fill the campaign unasked, and five leave it."""


async def filled(stage: Stage, guard: GuardSettings = STRICT, customers: int = 20) -> None:
    """Fill the campaign as far as the limits let it be."""
    stage.settings(guard=guard)
    stage.crm.want(*range(1, customers + 1))
    report = await stage.once()
    assert report.result is Result.GOOD, report.sentence()
    assert stage.listed == set(range(1, customers + 1))


async def test_a_first_fill_waits_for_a_person_and_says_in_one_sentence_what_to_do(stage: Stage) -> None:
    stage.crm.want(*range(1, 1002))
    report = await stage.once()
    digest = await held_digest(stage)
    assert report.sentence() == (
        "1,001 desired; additions held until the source is back within the limits or a person approves: "
        "1,001 customers would be added by a query that no good pass has run yet (max_new_query_additions = 1,000); "
        "look at them once with `syncd plan`; no pass has been good yet; "
        f"look with `syncd held renewals`, let it through with `syncd approve renewals {digest}`"
    )
    assert (report.result, report.exit_status) == (Result.HELD, Exit.HELD)
    assert stage.writes == []
    assert stage.rows("SELECT condition FROM campaign") == [("held",)]


async def test_a_held_plan_is_kept_with_its_customers_and_its_reasons(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    report = await stage.once()
    plan = await held_plan(stage)
    assert plan is not None
    assert (plan.removals, plan.additions) == (7, 0)
    assert plan.sentences == ["7 records would be removed (max_removals = 5)"]
    assert plan.since.tzinfo is not None
    assert held_customers(stage, "remove") == set(range(1, 8))
    assert report.counts()["held"] == {"digest": plan.digest, "why": list(plan.sentences)}


async def test_a_dry_run_says_what_would_be_held_and_stores_nothing(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    report = await stage.rehearse()
    assert report.result is Result.HELD
    assert "7 records would be removed (max_removals = 5)" in report.sentence()
    assert await held_plan(stage) is None


async def test_a_dry_run_names_the_digest_of_the_plan_that_is_held(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    report = await stage.rehearse()
    assert report.guarded is not None
    assert report.guarded.digest == await held_digest(stage)


async def test_the_digest_stays_while_its_changes_are_planned_although_the_plan_grows(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    first = await held_plan(stage)
    for customer in (8, 9, 10):
        stage.crm.drop(customer)
        stage.clock.move(minutes=5)
        await stage.once()
    later = await held_plan(stage)
    assert first is not None
    assert later is not None
    assert (later.digest, later.since) == (first.digest, first.since)
    assert later.sentences == ["10 records would be removed (max_removals = 5)"]
    assert held_customers(stage, "remove") == set(range(1, 8)), "what a person looked at"


async def test_a_change_that_is_not_planned_any_more_gives_the_plan_another_digest(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    before = await held_digest(stage)
    stage.crm.want(7)
    await stage.once()
    assert await held_digest(stage) != before
    assert held_customers(stage, "remove") == set(range(1, 7))


async def test_nothing_is_held_any_more_once_the_source_is_back_within_the_limits(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    stage.crm.want(5, 6, 7)
    report = await stage.once()
    assert report.sentence() == "16 desired; 4 removed"
    assert await held_plan(stage) is None
    assert stage.rows("SELECT condition FROM campaign") == [("ok",)]


async def test_removals_are_held_and_additions_go_on(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    stage.crm.want(31, 32)
    report = await stage.once()
    digest = await held_digest(stage)
    assert report.sentence() == (
        "15 desired; 2 added, removals held until the source is back within the limits or a person approves: "
        "7 records would be removed (max_removals = 5); the query is the one of the last good pass; "
        f"look with `syncd held renewals`, let it through with `syncd approve renewals {digest}`"
    )
    assert (sorted(added(stage)), removed(stage)) == ([31, 32], [])


async def test_additions_are_held_and_removals_go_on(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.run("DELETE FROM do_not_call")
    stage.crm.drop(1, 2)
    stage.crm.want(31)
    report = await stage.once()
    assert report.sentence().startswith(
        "19 desired; 2 removed, additions held until the source is back within the limits or a person approves: "
        "the suppression list has no row where the last good pass read 10 (max_suppress_shrink_percent = 20); "
    )
    assert (added(stage), sorted(removed(stage))) == ([], [1, 2])
    assert held_customers(stage, "add") == {31}


async def test_everything_is_held_where_the_source_looks_wrong(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(1)
    stage.crm.want(31, "no number", "nor this")
    report = await stage.once()
    assert report.sentence().startswith(
        "20 desired; everything held until the source is back within the limits or a person approves: "
        "2 of 22 rows have no usable customer_id, 9.091 % (max_invalid_percent = 5); "
    )
    assert stage.writes == []


async def test_a_reschedule_is_held_whole_whichever_half_is_held(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.update(1, at=stage.clock.now() + timedelta(hours=5))
    stage.crm.run("DELETE FROM do_not_call")
    await stage.once()
    assert stage.writes == []
    assert held_customers(stage, "reschedule") == {1}
    plan = await held_plan(stage)
    assert plan is not None
    assert (plan.removals, plan.additions) == (1, 1)


async def test_suppressions_go_through_whatever_is_held(stage: Stage) -> None:
    await filled(stage)
    stage.crm.run("DELETE FROM due")
    stage.crm.suppress(3, 4)
    report = await stage.once()
    assert report.result is Result.HELD
    assert sorted(removed(stage)) == [3, 4]
    assert report.suppressed_out == 2
    assert held_customers(stage, "remove") == set(range(1, 21)) - {3, 4}


async def test_an_add_that_an_earlier_delete_obliges_goes_out_although_additions_are_held(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)

    call_at = stage.clock.now() + timedelta(hours=5)
    stage.crm.update(1, at=call_at)
    refused = stage.tenant.faults.add(blocked(Call.ADD))
    await stage.once()
    assert refused.struck == 1
    assert stage.ledger(1)["presence"] == "owed"

    stage.crm.run("DELETE FROM do_not_call")
    stage.crm.want(31)
    report = await stage.once()
    assert report.result is Result.HELD
    assert added(stage) == [1]
    assert held_customers(stage, "add") == {31}


async def test_a_cold_ledger_adopts_nobody_while_additions_are_held(stage: Stage) -> None:
    stage.settings(guard=STRICT)
    stage.tenant.add_records(CAMPAIGN, range(1, 31))
    stage.crm.want(*range(16, 46))
    report = await stage.once()
    assert "30 customers would be added by a query that no good pass has run yet" in report.sentence()
    assert held_customers(stage, "adopt") == set(range(16, 31))
    assert held_customers(stage, "add") == set(range(31, 46))
    assert stage.rows("SELECT customer FROM ledger WHERE ours") == []
    assert stage.listed == set(range(1, 31))

    # Nobody was adopted, so the right source finds nobody to remove.
    stage.crm.run("DELETE FROM due")
    stage.crm.want(*range(1, 16))
    report = await stage.once()
    assert report.sentence() == "15 desired; 15 adopted"
    assert stage.writes == []


async def test_a_quiet_pass_that_read_an_emptied_suppression_list_is_no_baseline(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.run("DELETE FROM do_not_call")
    for _ in range(3):
        report = await stage.once()
        assert report.sentence() == "20 desired; in step, nothing to do"
    stage.crm.want(1001)
    report = await stage.once()
    assert "the suppression list has no row where the last good pass read 10" in report.sentence()
    assert added(stage) == []


async def test_a_lost_column_holds_everything(stage: Stage) -> None:
    await filled(stage)
    stage.settings(query="SELECT customer_id FROM due")
    stage.crm.want(31)
    stage.crm.drop(1)
    report = await stage.once()
    assert report.sentence().startswith(
        "20 desired; everything held until the source is back within the limits or a person approves: "
        "the query returned phone and schedule_at and version at the last good pass and does not now; "
        "the query was edited since the last good pass; "
    )
    assert stage.writes == []


async def test_an_edited_query_that_would_add_many_is_held_once_and_few_are_not(stage: Stage) -> None:
    await filled(stage)
    stage.settings(query="SELECT * FROM due WHERE customer_id > 0")
    stage.crm.want(*range(101, 122))
    report = await stage.once()
    assert (
        "additions held until the source is back within the limits or a person approves: "
        "21 customers would be added by a query that no good pass has run yet (max_new_query_additions = 20); "
        "look at them once with `syncd plan`; the query was edited since the last good pass; "
    ) in report.sentence()
    assert stage.writes == []
    stage.crm.drop(121)
    report = await stage.once()
    assert report.sentence() == "40 desired; 20 added"
    stage.crm.want(*range(121, 151))
    assert (await stage.once()).sentence() == "70 desired; 30 added", "the query has had a good pass by now"


async def test_a_first_fill_for_later_is_looked_at_by_a_person_when_the_first_of_it_comes_within_reach(
    stage: Stage,
) -> None:
    stage.settings(guard=STRICT)
    soon, later = stage.clock.now() + timedelta(days=8), stage.clock.now() + timedelta(days=12)
    stage.crm.want(1, at=soon)
    stage.crm.want(*range(2, 22), at=later)
    assert (await stage.once()).sentence() == "21 desired; 21 parked by their rows"
    assert stage.rows("SELECT count(*) FROM reading") == [(0,)], "nobody has looked at the query yet"
    stage.clock.move(days=2)
    assert (
        "21 customers would be added, 20 of them when their time comes within reach, by a query that no good pass has "
        "run yet (max_new_query_additions = 20)"
    ) in (await stage.once()).sentence()
    assert stage.writes == []
    await approve(stage)
    assert (await stage.once()).sentence() == "21 desired; 1 added"
    stage.clock.move(days=4)
    assert (await stage.once()).sentence() == "21 desired; 20 added", "approving has made the query known"


async def test_a_first_fill_for_later_that_is_within_the_limit_makes_the_query_known(stage: Stage) -> None:
    stage.settings(guard=STRICT)
    stage.crm.want(*range(1, 21), at=stage.clock.now() + timedelta(days=12))
    await stage.once()
    assert stage.rows("SELECT count(*) FROM reading") == [(1,)]


async def test_a_slow_drip_is_held_at_the_limit_of_the_day_and_goes_on_when_the_day_is_over(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_shrink_percent=0, max_removal_percent=0, max_removals_per_day=9))
    for start in (1, 4, 7):
        stage.crm.drop(*range(start, start + 3))
        assert (await stage.once()).result is Result.GOOD
        stage.clock.move(hours=1)
    stage.crm.drop(10)
    report = await stage.once()
    assert "1 record would be removed after 9 in the last 24 h (max_removals_per_day = 9)" in report.sentence()
    stage.clock.move(hours=22)
    await stage.once()
    assert removed(stage) == [10]


async def test_a_removal_that_is_put_off_again_and_again_counts_for_no_limit_until_it_is_made(stage: Stage) -> None:
    await filled(stage, GuardSettings(max_removals_per_day=9, max_new_query_additions=20))
    talking = range(1, 9)
    for customer in talking:
        stage.tenant.set_record(CAMPAIGN, customer, status=RecordStatus.ACCEPTED)
    stage.crm.drop(*talking)
    for _ in range(4):
        report = await stage.once()
        assert report.sentence() == "12 desired; 8 deferred"
        stage.clock.move(minutes=5)


async def test_vanished_customers_are_not_put_back_before_a_person_has_looked(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_vanished_percent=30))
    stage.tenant.campaigns[CAMPAIGN].drop(range(1, 8))
    stage.crm.want(31)
    # What an add just confirmed is not denied by the first listing.
    await stage.once()
    report = await stage.once()
    assert "7 of 21 records of ours are gone without syncd's doing, 33.33 % (max_vanished_percent = 30)" in (
        report.sentence()
    )
    assert added(stage) == []
    await approve(stage)
    assert sorted([*added(stage), *(await then_added(stage))]) == list(range(1, 8))


async def then_added(stage: Stage) -> list[int]:
    await stage.once()
    return added(stage)


async def test_who_is_not_to_be_added_again_holds_nobody_else(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_vanished_percent=30), customers=20)
    stage.settings(max_adds_per_week=1)
    await stage.once()
    stage.tenant.campaigns[CAMPAIGN].drop(range(1, 11))
    report = await stage.once()
    assert report.sentence() == "20 desired; 10 parked by their rows"
    stage.crm.want(31)
    report = await stage.once()
    assert report.sentence() == "21 desired; 1 added"


async def test_foreign_records_are_removed_within_the_limits_where_all_may_be(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_removals=5, max_removal_percent=30, max_shrink_percent=0))
    stage.settings(removes=Removes.ALL)
    stage.tenant.add_records(CAMPAIGN, range(101, 106))
    assert (await stage.once()).sentence() == "20 desired; 5 removed"
    stage.tenant.add_records(CAMPAIGN, range(201, 207))
    report = await stage.once()
    assert "6 records would be removed (max_removals = 5)" in report.sentence()
    assert stage.listed >= set(range(201, 207))


# --- a pass that cannot judge all ------------------------------------------------------------------------------------


async def test_a_pass_without_a_listing_keeps_removals_held_and_their_digest(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    before = await held_plan(stage)
    stage.crm.want(31)
    report = await stage.once(observe=False)
    assert report.observation is None
    assert report.result is Result.HELD
    assert before is not None
    assert report.sentence() == (
        "14 desired; 1 added, removals held until the source is back within the limits or a person approves: "
        "7 records would be removed (max_removals = 5); the query is the one of the last good pass; "
        f"look with `syncd held renewals`, let it through with `syncd approve renewals {before.digest}`"
    )
    assert await held_digest(stage) == before.digest
    await approve(stage, before.digest)
    assert (await stage.once(observe=False)).result is Result.GOOD
    assert (await stage.once()).sentence() == "14 desired; 7 removed"


async def test_additions_that_were_held_with_adoptions_stay_held_without_a_listing(stage: Stage) -> None:
    stage.settings(guard=STRICT)
    await stage.once()
    stage.tenant.add_records(CAMPAIGN, range(1, 31))
    stage.crm.want(*range(16, 46))
    await stage.once()
    digest = await held_digest(stage)
    report = await stage.once(observe=False)
    assert report.result is Result.HELD
    assert await held_digest(stage) == digest
    assert stage.writes == []


async def test_a_wrong_table_adds_nobody_even_before_the_next_listing(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=3))
    stage.crm.run("DELETE FROM due")
    stage.crm.want(*range(101, 121))
    report = await stage.once(observe=False)
    assert report.observation is None
    assert report.sentence() == (
        "20 desired; additions wait for a listing, which tells whether these were called: "
        "20 of 20 open records are not desired any more, 100 % (max_shrink_percent = 50)"
    )
    assert stage.writes == []
    assert stage.rows("SELECT observe_due FROM campaign") == [(True,)]
    report = await stage.once()
    assert report.sentence().startswith("20 desired; everything held ")
    assert stage.writes == []


async def test_customers_who_were_called_between_two_listings_hold_additions_up_only_until_the_next(
    stage: Stage,
) -> None:
    await filled(stage, GuardSettings(few=3))
    for customer in range(1, 16):
        stage.tenant.set_record(CAMPAIGN, customer, status=RecordStatus.COMPLETED)
    stage.crm.drop(*range(1, 16))
    stage.crm.want(31, 32)
    report = await stage.once(observe=False)
    assert report.result is Result.GOOD
    assert added(stage) == []
    assert await held_plan(stage) is None
    assert (await stage.once()).sentence() == "7 desired; 2 added"


async def test_a_suppression_list_that_cannot_be_read_neither_holds_nor_frees_nor_becomes_a_baseline(
    stage: Stage,
) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.run("DELETE FROM do_not_call WHERE customer_id > 1005")
    stage.crm.want(31)
    await stage.once()
    digest = await held_digest(stage)
    good = stage.campaign.settings.suppress
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    report = await stage.once()
    assert report.result is Result.FAILED
    assert added(stage) == []
    assert await held_digest(stage) == digest
    assert stage.rows("SELECT suppressed_rows FROM reading") == [(10,)]
    stage.settings(suppress=good)
    report = await stage.once()
    assert "the suppression list has 5 rows where the last good pass read 10" in report.sentence()
    assert await held_digest(stage) == digest


def blocked(call: Call, *, skip: int = 0) -> Fault:
    """Refuse one request as a campaign that somebody switched off refuses it."""
    return Fault(
        kind=FaultKind.ANSWER,
        calls=frozenset({call}),
        skip=skip,
        status=400,
        text="The campaign is not enabled.",
    )
