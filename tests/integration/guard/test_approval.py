"""Approving: exactly what was held, each change once, for 24 hours, with who and when on record."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from guard_desk import added, approve, desk, held_digest, held_plan, removed

from syncd.config import GuardSettings
from syncd.errors import ApprovalRefused
from syncd.simulator.faults import Fault, FaultKind
from syncd.simulator.log import Call
from syncd.state import pausing
from syncd.state.campaigns import Result
from syncd.sync import applying
from tests.stage import CAMPAIGN, Stage

LOOSE = GuardSettings(few=0, max_new_query_additions=20, max_shrink_percent=0, max_removal_percent=0, max_removals=5)


async def filled(stage: Stage, guard: GuardSettings = LOOSE) -> None:
    stage.settings(guard=guard)
    stage.crm.want(*range(1, 21))
    await stage.once()
    assert stage.listed == set(range(1, 21))


async def holding_removals(stage: Stage) -> str:
    """Hold the removal of customers 1 to 7; return the digest."""
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    return await held_digest(stage)


async def test_an_approved_plan_goes_out_in_the_next_pass(stage: Stage) -> None:
    stage.crm.want(*range(1, 1002))
    await stage.once()
    approval = await approve(stage)
    assert approval.changes == 1001
    report = await stage.once()
    assert report.sentence() == "1,001 desired; 1,001 added"
    assert report.result is Result.GOOD
    assert stage.listed == set(range(1, 1002))
    assert await held_plan(stage) is None
    await stage.once()
    assert stage.writes == []


async def test_an_approval_frees_exactly_what_was_held_and_what_came_later_is_judged_alone(stage: Stage) -> None:
    digest = await holding_removals(stage)
    stage.crm.drop(8, 9)
    await approve(stage, digest)
    stage.crm.drop(*range(10, 16))
    report = await stage.once()
    assert sorted(removed(stage)) == list(range(1, 8))
    assert "8 records would be removed (max_removals = 5)" in report.sentence()
    assert await held_digest(stage) != digest


async def test_what_is_approved_goes_out_although_the_suppression_list_is_read_anew_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "DELETE_BATCH", 1)
    await holding_removals(stage)
    await approve(stage)
    stage.crm.drop(*range(8, 16))
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.settings(every=timedelta(seconds=0.1))
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=0.05, count=None))
    stage.world.reached = lambda point: stage.crm.suppress(20) if point == "guard" else None
    report = await stage.once()
    assert sorted(removed(stage)) == [*range(1, 8), 20]
    assert "8 records would be removed (max_removals = 5)" in report.sentence()


async def test_what_came_later_and_is_within_the_limits_goes_out_beside_what_was_approved(stage: Stage) -> None:
    await holding_removals(stage)
    await approve(stage)
    stage.crm.drop(8, 9)
    report = await stage.once()
    assert report.sentence() == "11 desired; 9 removed"


async def test_an_approval_lasts_over_as_many_passes_as_it_takes_and_each_change_goes_once(stage: Stage) -> None:
    stage.settings(guard=LOOSE, batch_size=2)
    stage.crm.want(*range(1, 51))
    await stage.once()
    await approve(stage)
    sent: list[int] = []
    for _ in range(2):
        refusal = stage.tenant.faults.add(
            Fault(
                kind=FaultKind.ANSWER,
                calls=frozenset({Call.ADD}),
                skip=1,
                status=400,
                text="The campaign is not enabled.",
            )
        )
        report = await stage.once()
        assert refusal.struck == 1
        assert report.result is Result.BLOCKED
        stage.tenant.faults.clear()
        assert len(added(stage)) < 50
        sent += added(stage)
        async with desk(stage) as (connection, campaign):
            await pausing.pause(connection, campaign, "ann", "lunch", stage.clock.now())
        assert (await stage.once()).result is Result.PAUSED
        assert stage.writes == []
        async with desk(stage) as (connection, campaign):
            await pausing.resume(connection, campaign)
        stage.clock.move(hours=5)
    await stage.once()
    sent += added(stage)
    assert sorted(sent) == list(range(1, 51))
    assert stage.rows("SELECT count(*), count(used_at) FROM approved_change") == [(50, 50)]


async def test_an_approved_change_is_free_once_and_held_the_next_time(stage: Stage) -> None:
    await holding_removals(stage)
    await approve(stage)
    await stage.once()
    stage.crm.want(*range(1, 8))
    await stage.once()
    assert stage.listed == set(range(1, 21))
    stage.crm.drop(*range(1, 8))
    report = await stage.once()
    assert report.result is Result.HELD
    assert removed(stage) == []


async def test_an_approval_ends_after_24_hours(stage: Stage) -> None:
    await holding_removals(stage)
    approval = await approve(stage)
    assert approval.expires_at - stage.clock.now() < timedelta(hours=24)
    stage.clock.move(hours=24)
    report = await stage.once()
    assert "7 records would be removed (max_removals = 5)" in report.sentence()
    assert removed(stage) == []


async def test_an_approval_still_holds_a_minute_before_its_24_hours_are_over(stage: Stage) -> None:
    await holding_removals(stage)
    await approve(stage)
    stage.clock.move(hours=23, minutes=59)
    assert (await stage.once()).sentence() == "13 desired; 7 removed"


async def test_approved_removals_do_not_count_for_the_limit_of_the_day(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_shrink_percent=0, max_removal_percent=0, max_removals_per_day=5))
    stage.crm.drop(*range(1, 8))
    await stage.once()
    await approve(stage)
    await stage.once()
    assert sorted(removed(stage)) == list(range(1, 8))
    stage.crm.drop(*range(8, 13))
    assert (await stage.once()).result is Result.GOOD
    assert sorted(removed(stage)) == list(range(8, 13))
    stage.crm.drop(13)
    assert (await stage.once()).result is Result.HELD


async def test_who_approved_what_and_when_is_on_record(stage: Stage) -> None:
    digest = await holding_removals(stage)
    before = stage.clock.now()
    await approve(stage, by="ann@ops-1")
    await stage.once()
    [(recorded, by, at)] = stage.rows("SELECT digest, by, at FROM approval")
    assert (recorded, by) == (digest, "ann@ops-1")
    assert at >= before  # type: ignore[operator]
    assert stage.rows("SELECT DISTINCT approved, kind FROM change WHERE customer < 8 AND kind = 'remove'") == [
        (True, "remove")
    ]
    assert stage.rows("SELECT count(*) FROM change WHERE approved") == [(7,)]


async def test_approved_removals_and_what_vanished_keep_nobody_waiting_for_the_listing(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0))
    stage.crm.drop(*range(1, 13))
    assert "12 of 20 open records would go" in (await stage.once()).sentence()
    await approve(stage)
    stage.crm.want(31)
    assert (await stage.once(observe=False)).sentence() == "9 desired; 1 added"
    assert (await stage.once()).sentence() == "9 desired; 12 removed"

    stage.tenant.campaigns[CAMPAIGN].drop(range(13, 21))
    await stage.once()
    assert "8 of 9 records of ours are gone" in (await stage.once()).sentence()
    await approve(stage)
    stage.crm.want(32)
    assert (await stage.once(observe=False)).sentence() == "10 desired; 1 added"
    await stage.once()
    assert stage.listed == {*range(13, 21), 31, 32}


# --- refused ---------------------------------------------------------------------------------------------------------


async def test_a_wrong_digest_is_refused_with_the_one_that_is_held(stage: Stage) -> None:
    digest = await holding_removals(stage)
    with pytest.raises(ApprovalRefused) as refused:
        await approve(stage, "0123456789ab")
    assert refused.value.sentence() == (
        f"campaign renewals: 0123456789ab cannot be approved: the plan that is held is {digest}; "
        "see `syncd held renewals`"
    )
    assert await held_digest(stage) == digest


async def test_a_digest_where_nothing_is_held_is_refused(stage: Stage) -> None:
    await filled(stage)
    with pytest.raises(ApprovalRefused, match="the campaign holds nothing; see `syncd held renewals`"):
        await approve(stage, "0123456789ab")


async def test_a_used_digest_is_refused_with_who_approved_it_and_when(stage: Stage) -> None:
    digest = await holding_removals(stage)
    await approve(stage, digest, by="bob")
    with pytest.raises(ApprovalRefused) as refused:
        await approve(stage, digest)
    assert re.fullmatch(
        rf"campaign renewals: {digest} cannot be approved: it was approved already, by bob at \d{{4}}-\d\d-\d\d "
        r"\d\d:\d\d UTC; its changes are sent as the next passes come; see `syncd held renewals`",
        refused.value.sentence(),
    )
    await stage.once()
    with pytest.raises(ApprovalRefused, match="it was approved already, by bob"):
        await approve(stage, digest)
    assert stage.rows("SELECT count(*) FROM approval") == [(1,)]


async def test_an_expired_digest_is_refused_until_the_plan_is_held_again(stage: Stage) -> None:
    digest = await holding_removals(stage)
    await approve(stage, digest, by="bob")
    stage.clock.move(hours=25)
    with pytest.raises(ApprovalRefused, match=r"it was approved already, by bob at .*; that approval has expired"):
        await approve(stage, digest)
    await stage.once()
    assert await held_digest(stage) == digest, "the same changes have the same digest"
    await approve(stage, digest)
    assert (await stage.once()).sentence() == "13 desired; 7 removed"


async def test_the_digest_of_a_plan_that_has_changed_is_refused(stage: Stage) -> None:
    digest = await holding_removals(stage)
    stage.crm.want(7)
    await stage.once()
    with pytest.raises(ApprovalRefused, match=f"the plan that is held is {await held_digest(stage)}"):
        await approve(stage, digest)
    await stage.once()
    assert removed(stage) == []


# --- what was read becomes the baseline ------------------------------------------------------------------------------


async def test_a_campaign_that_grew_for_good_is_approved_once(stage: Stage) -> None:
    await filled(stage, GuardSettings(few=0, max_growth_percent=100))
    stage.crm.want(*range(21, 62))
    report = await stage.once()
    assert "61 customers are desired where the largest good pass had 20 (max_growth_percent = 100)" in report.sentence()
    await approve(stage)
    stage.crm.want(62)
    assert (await stage.once()).sentence() == "62 desired; 42 added"
    stage.crm.want(*range(63, 123))
    assert (await stage.once()).sentence() == "122 desired; 60 added"


async def test_a_suppression_list_that_shrank_for_good_is_approved_once(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.run("DELETE FROM do_not_call WHERE customer_id > 1005")
    stage.crm.want(31)
    assert (await stage.once()).result is Result.HELD
    await approve(stage)
    stage.crm.want(32)
    assert (await stage.once()).sentence() == "22 desired; 2 added"
    stage.crm.want(33)
    assert (await stage.once()).sentence() == "23 desired; 1 added"


async def test_a_column_that_is_gone_for_good_is_approved_once(stage: Stage) -> None:
    await filled(stage)
    stage.settings(query="SELECT customer_id FROM due")
    stage.crm.want(31)
    assert (await stage.once()).result is Result.HELD
    await approve(stage)
    assert (await stage.once()).sentence() == "21 desired; 1 added"
    stage.crm.want(32)
    assert (await stage.once()).sentence() == "22 desired; 1 added"


async def test_an_edited_query_is_approved_once(stage: Stage) -> None:
    await filled(stage)
    stage.settings(query="SELECT * FROM due WHERE customer_id > 0")
    stage.crm.want(*range(101, 151))
    assert (await stage.once()).result is Result.HELD
    await approve(stage)
    stage.crm.want(*range(151, 181))
    assert (await stage.once()).sentence() == "100 desired; 80 added"


async def test_what_was_approved_is_not_sent_to_whom_the_suppression_list_names_by_now(stage: Stage) -> None:
    stage.crm.want(*range(1, 1002))
    await stage.once()
    await approve(stage)
    stage.crm.suppress(5, 6)
    report = await stage.once()
    assert report.sentence() == "1,001 desired; 999 added"
    assert stage.listed == set(range(1, 1002)) - {5, 6}
