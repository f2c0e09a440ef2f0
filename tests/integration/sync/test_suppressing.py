"""Suppression: who is never to be called is never added and is taken out first, whatever else goes wrong."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import claims, complete, connect, drop, good_pass, journal, parked, sent, upload, writes

from syncd.config import RecallWhen
from syncd.errors import SourceError
from syncd.simulator import Call, Fault, FaultKind
from syncd.state.database import connect as connect_state
from syncd.state.pausing import pause
from syncd.sync import Campaign, run_pass
from syncd.vendor import CampaignState, Disposition
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage


def suppress_by_operator(stage: Stage, customer: int, account: str = "") -> None:
    """Do what ``syncd suppress`` does."""
    stage.rows(
        "INSERT INTO suppression (account, customer, origin, reason, since, by)"
        " VALUES (%s, %s, 'operator', 'asked not to be called', now(), 'ann')",
        account,
        customer,
    )


async def test_a_suppressed_customer_is_never_added(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    stage.crm.suppress(2)
    await good_pass(stage)
    assert stage.listed == {1, 3}
    assert "add 2" not in writes(stage)


async def test_a_suppressed_customer_is_taken_out_before_the_listing_or_the_source_is_read(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    await good_pass(stage)
    stage.crm.suppress(2)
    stage.crm.want(4)
    report = await good_pass(stage)
    calls = [entry.call for entry in stage.tenant.log]
    assert calls.index(Call.DELETE) < calls.index(Call.LIST)
    assert writes(stage) == ["delete 2", "add 4"]
    assert report.suppressed_out == 1


@pytest.mark.parametrize(("account", "out"), [("", True), ("acmecorp01", True), ("othercorp", False)])
async def test_whom_an_operator_suppresses_is_out_of_every_campaign_of_the_tenant_he_means(
    stage: Stage, account: str, out: bool
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    suppress_by_operator(stage, 2, account)
    await good_pass(stage)
    assert (2 not in stage.listed) is out


async def test_an_operators_word_counts_where_there_is_no_suppression_query(stage: Stage) -> None:
    stage.settings(suppress=None)
    stage.crm.want(1, 2)
    suppress_by_operator(stage, 2)
    await good_pass(stage)
    assert writes(stage) == ["add 1"]


async def test_a_disposition_that_says_never_again_suppresses_in_every_campaign_of_the_tenant(stage: Stage) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, do_not_call=(2001,)))
    stage.tenant.add_campaign(126)
    other = Campaign(
        settings=replace(stage.campaign.settings, id=126, name="others"),
        tenant=stage.campaign.tenant,
        source=stage.campaign.source,
        suppress_source=stage.campaign.suppress_source,
    )
    stage.crm.want(1, 2)
    await good_pass(stage)
    await run_pass(other, stage.world, kind="once")
    complete(stage, 2, disposition=2001)
    await good_pass(stage)
    await run_pass(other, stage.world, kind="once")
    assert {record.customer for record in stage.tenant.campaigns[126]} == {1}
    stage.settings(recall=RecallWhen.ON_VERSION)
    drop(stage, 2)
    stage.crm.update(2, version="new")
    await good_pass(stage)
    assert "add 2" not in writes(stage)


async def test_a_disposition_forbids_a_call_from_the_very_pass_that_saw_it(stage: Stage) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, do_not_call=(2001,)))
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(1, 2, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 1, 2, disposition=2001)
    stage.tenant.set_record(CAMPAIGN, 2, status=0, disposition=2001)
    stage.crm.update(1, version=2)
    await good_pass(stage)
    assert "add 1" not in writes(stage)
    assert "delete 2" in writes(stage)


async def test_a_suppressed_customer_with_an_agent_is_tried_in_each_pass_until_out(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    connect(stage, 2)
    stage.crm.suppress(2)
    for _ in range(2):
        report = await stage.once()
        assert "delete 2" in writes(stage)
        assert journal(stage, 2)[-1] == "remove deferred with-agent"
        assert report.exit_status in (Exit.GOOD, Exit.PARTIAL)
    stage.clock.move(hours=2)
    report = await stage.once()
    assert report.exit_status is Exit.PARTIAL
    assert report.oldest_suppression > timedelta(hours=2)
    stage.tenant.set_record(CAMPAIGN, 2, status=1)
    await stage.once()
    assert stage.listed == {1}


@pytest.mark.parametrize("disposition", [Disposition.TRY_AGAIN, Disposition.SCHEDULED_CALL_BACK])
async def test_a_completed_record_that_may_ring_again_is_removed_once_for_each_state_seen(
    stage: Stage, disposition: int
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    complete(stage, 2, disposition=disposition)
    await good_pass(stage)
    stage.crm.suppress(2)
    await good_pass(stage)
    assert writes(stage) == ["delete 2"]
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    other = {Disposition.TRY_AGAIN, Disposition.SCHEDULED_CALL_BACK} - {disposition}
    complete(stage, 2, disposition=other.pop())
    await good_pass(stage)
    assert writes(stage) == ["delete 2"]
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_removal_that_no_answer_tells_of_is_settled_by_the_listing_though_each_pass_tries_it(
    stage: Stage,
) -> None:
    stage.crm.want(1, 2)
    for _ in range(2):
        await good_pass(stage)
    stage.tenant.manner.terse_deletes = True
    drop(stage, 2)
    stage.crm.suppress(2)
    for _ in range(3):
        await stage.once()
        assert "delete 2" in writes(stage)
    await good_pass(stage)
    assert writes(stage) == []
    assert claims(stage) == []


async def test_a_completed_record_is_tried_once_though_the_answer_does_not_tell_why_it_stays(stage: Stage) -> None:
    stage.tenant.manner.terse_deletes = True
    stage.crm.want(1, 2)
    await good_pass(stage)
    complete(stage, 2, disposition=Disposition.TRY_AGAIN)
    stage.crm.suppress(2)
    deletes = 0
    for _ in range(4):
        await stage.once()
        deletes += writes(stage).count("delete 2")
    # The first is made before the listing tells of the call, the second in the state that it tells of.
    assert deletes == 2
    assert claims(stage) == []


async def test_a_completed_record_that_rings_again_is_taken_out_then(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    complete(stage, 2, disposition=Disposition.TRY_AGAIN)
    stage.crm.suppress(2)
    await good_pass(stage)
    assert 2 in stage.listed
    stage.tenant.set_record(CAMPAIGN, 2, status=1)
    for _ in range(2):  # a completed record shown open is believed at the second listing
        await good_pass(stage)
    assert stage.listed == {1}


async def test_a_completed_record_that_cannot_ring_again_is_left_where_it_is(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    complete(stage, 2)
    await good_pass(stage)
    stage.crm.suppress(2)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []


@pytest.mark.parametrize("status", [0, 1, 4, 55])
async def test_records_of_somebody_else_are_taken_out_as_well(stage: Stage, status: int) -> None:
    upload(stage, 2)
    stage.tenant.set_record(CAMPAIGN, 2, status=status)
    stage.crm.want(1)
    stage.crm.suppress(2)
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 1", "delete 2"]


async def test_the_suppressed_are_taken_out_though_the_query_fails(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.suppress(2)
    stage.settings(query="SELECT * FROM no_such_table")
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert writes(stage) == ["delete 2"]


async def test_nobody_is_added_and_removals_go_on_while_the_suppression_query_fails(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.drop(2)
    stage.crm.want(3)
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, SourceError)
    assert writes(stage) == ["delete 2"]


async def test_a_pass_whose_suppression_query_fails_is_not_good_though_it_has_nothing_to_do(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    await good_pass(stage)
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, SourceError)


async def test_no_reschedule_and_no_recall_is_begun_while_the_suppression_query_fails(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(1, at=soon)
    stage.crm.want(2, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 2)
    await good_pass(stage)
    stage.crm.update(1, at=soon + timedelta(hours=1))
    stage.crm.update(2, version=2)
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    await stage.once()
    assert writes(stage) == []


async def test_whom_an_operator_suppressed_is_taken_out_though_the_suppression_query_fails(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    suppress_by_operator(stage, 2)
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    await stage.once()
    assert writes(stage) == ["delete 2"]


async def test_who_waits_to_be_taken_out_goes_on_waiting_and_is_taken_out_though_the_list_cannot_be_read_any_more(
    stage: Stage,
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    connect(stage, 2)
    stage.crm.suppress(2)
    await stage.once()
    stage.crm.run("ALTER TABLE do_not_call RENAME TO hidden")
    stage.clock.move(hours=2)
    report = await stage.once()
    assert isinstance(report.error, SourceError)
    assert report.oldest_suppression is not None
    assert report.oldest_suppression > timedelta(hours=2)
    stage.tenant.set_record(CAMPAIGN, 2, status=1)
    await stage.once()
    assert stage.listed == {1}
    assert stage.rows("SELECT removed_at IS NOT NULL, left_at FROM suppressed_record") == [(True, None)]


async def test_the_suppressed_are_taken_out_of_a_paused_campaign(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.want(3)
    stage.crm.suppress(2)
    async with connect_state(stage.database) as connection:
        await pause(connection, 1, "ann", "holidays", stage.clock.now())
    await stage.once()
    assert writes(stage) == ["delete 2"]


async def test_the_suppressed_are_taken_out_while_the_plan_is_held(stage: Stage) -> None:
    stage.crm.want(*range(1, 41))
    await good_pass(stage)
    stage.crm.drop(*range(2, 41))
    stage.crm.suppress(1)
    report = await stage.once()
    assert report.exit_status is Exit.HELD
    assert writes(stage) == ["delete 1"]


async def test_a_long_suppression_list_is_not_held(stage: Stage) -> None:
    stage.crm.want(*range(1, 601))
    await good_pass(stage)
    stage.crm.suppress(*range(1, 551))
    await good_pass(stage)
    assert stage.listed == set(range(551, 601))


async def test_a_suppressed_customer_whose_add_got_no_answer_is_deleted_at_once(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    stage.crm.want(2)
    armed = stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=206, deed=True, text="The response timed out.")
    )
    report = await stage.once()
    assert armed.struck == 1
    assert report.exit_status is Exit.PARTIAL
    stage.tenant.manner.lag_listings = 9
    stage.crm.suppress(2)
    await stage.once()
    assert sent(stage)[0].verdicts == ("DONE",)
    assert claims(stage) == []
    assert stage.listed == {1}
    for _ in range(3):
        await stage.once()
    assert stage.listed == {1}


async def test_a_deleted_record_that_a_lagging_listing_still_shows_is_deleted_again_and_no_harm_done(
    stage: Stage,
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.suppress(2)
    stage.tenant.manner.lag_listings = 2
    await good_pass(stage)
    assert stage.listed == {1}
    for _ in range(5):
        await good_pass(stage)
    assert writes(stage) == []
    assert stage.listed == {1}


async def test_who_is_parked_and_suppressed_is_forgotten_there(stage: Stage) -> None:
    stage.tenant.crm.remove([2])
    stage.crm.want(1, 2)
    await good_pass(stage)
    assert parked(stage, 2) == "not-in-crm"
    stage.crm.suppress(2)
    await good_pass(stage)
    assert parked(stage, 2) is None


async def test_a_customer_suppressed_no_more_is_added_again_where_still_desired(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.suppress(2)
    await good_pass(stage)
    stage.crm.run("DELETE FROM do_not_call")
    stage.settings(guard=replace(stage.campaign.settings.guard, max_suppress_shrink_percent=0))
    await good_pass(stage)
    assert writes(stage) == ["add 2"]


async def test_a_purged_or_stopped_campaign_is_still_asked_to_let_the_suppressed_go(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.suppress(2)
    stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_PURGED)
    report = await stage.once()
    assert report.exit_status is Exit.BLOCKED
    assert writes(stage) == ["delete 2"]
    assert stage.listed == {1}


async def test_the_suppressed_are_taken_out_though_the_tenant_does_not_tell_how_the_campaign_is(stage: Stage) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.crm.suppress(2)
    stage.crm.want(3)
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.STATUS}), status=500, count=None))
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert writes(stage) == ["delete 2"]


async def test_a_suppression_list_that_cannot_be_read_is_told_though_the_campaign_is_paused(stage: Stage) -> None:
    await good_pass(stage)
    async with connect_state(stage.database) as connection:
        await pause(connection, 1, "ann", "holidays", stage.clock.now())
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    report = await stage.once()
    assert report.exit_status is Exit.FAILED
    assert isinstance(report.error, SourceError)
