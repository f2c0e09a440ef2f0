"""Passes that go wrong and right again, and what people are told of them."""

from dataclasses import replace
from datetime import timedelta

from watching import Watch

from syncd.config import GuardSettings
from syncd.simulator import Call
from syncd.state import held, pausing
from syncd.state.database import connect
from syncd.state.notices import Subject
from syncd.vendor import CampaignState, RecordStatus
from syncd.words import Exit
from tests.stage import CAMPAIGN


def rows(watch: Watch, subject: Subject) -> list[tuple[object, ...]]:
    return watch.stage.rows("SELECT receiver, told FROM notice WHERE subject = %s ORDER BY receiver", subject.value)


async def test_a_good_pass_tells_nobody_anything(watch: Watch) -> None:
    watch.stage.crm.want(1)
    report = await watch.once()
    assert report.exit_status is Exit.GOOD
    assert watch.told == []
    assert watch.complaints == []


async def test_failing_is_told_once_it_has_lasted_and_once_over_restarts_and_its_end_too(watch: Watch) -> None:
    watch.strike(Call.STATUS)
    assert (await watch.once()).exit_status is Exit.FAILED
    watch.stage.clock.move(minutes=14)
    await watch.once()
    assert watch.told == []
    watch.restart()
    watch.stage.clock.move(minutes=2)
    await watch.once()
    assert watch.told == ["is failing"]
    watch.restart()
    await watch.once()
    assert watch.told == []
    watch.heal()
    assert (await watch.once()).exit_status is Exit.GOOD
    assert watch.told == ["is good again"]
    watch.restart()
    await watch.once()
    assert watch.told == []


async def test_a_failure_that_passes_by_itself_is_told_to_nobody(watch: Watch) -> None:
    watch.strike(Call.STATUS)
    await watch.once()
    watch.heal()
    watch.stage.clock.move(minutes=5)
    await watch.once()
    assert watch.told == []


async def test_what_lasts_is_told_again_each_remind(watch: Watch) -> None:
    watch.notify = replace(watch.notify, remind=timedelta(hours=2))
    watch.strike(Call.STATUS)
    for _ in range(2):
        await watch.once()
        watch.stage.clock.move(minutes=30)
    assert watch.told == ["is failing"]
    for _ in range(4):
        watch.stage.clock.move(minutes=45)
        watch.restart()
        await watch.once()
    assert watch.told == ["is still failing"]


async def test_what_becomes_due_between_passes_is_told_without_one(watch: Watch) -> None:
    watch.strike(Call.STATUS)
    await watch.once()
    watch.stage.clock.move(minutes=16)
    await watch.notifier.tell(watch.config, watch.stage.campaign, watch.stage.database)
    assert watch.told == ["is failing"]


async def test_a_blocked_campaign_is_told_at_once_with_what_to_do(watch: Watch) -> None:
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    await watch.once()
    [body] = watch.receiver.bodies
    assert (body["title"], body["type"]) == ("syncd: campaign renewals is blocked", "failure")
    assert "`syncd check`" in body["message"]
    assert f"Since {watch.stage.clock.now():%Y-%m-%d}" in body["message"]


async def test_a_held_plan_is_told_at_once_once_and_a_new_digest_in_the_reminder(watch: Watch) -> None:
    watch.stage.settings(guard=GuardSettings(max_new_query_additions=20, few=0))
    watch.stage.crm.want(*range(1, 31))
    assert (await watch.once()).exit_status is Exit.HELD
    [body] = watch.receiver.bodies
    assert "`syncd approve renewals " in body["message"]
    assert "30 additions wait for a person" in body["message"]
    assert watch.told == ["is held"]
    watch.stage.crm.drop(1)
    second = await watch.once()
    assert watch.told == []
    watch.stage.clock.move(hours=25)
    await watch.once()
    [reminder] = watch.receiver.bodies
    assert second.guarded is not None
    assert f"`syncd approve renewals {second.guarded.digest}`" in reminder["message"]
    assert watch.told == ["is still held"]


async def test_an_approved_plan_is_a_recovery(watch: Watch) -> None:
    watch.stage.settings(guard=GuardSettings(max_new_query_additions=20, few=0))
    watch.stage.crm.want(*range(1, 31))
    report = await watch.once()
    assert report.guarded is not None
    assert report.guarded.digest is not None
    async with connect(watch.stage.database) as connection:
        await held.approve(connection, 1, "renewals", report.guarded.digest, "ann", watch.stage.clock.now())
    assert (await watch.once()).exit_status is Exit.GOOD
    assert watch.told == ["is held", "is good again"]


async def test_a_pause_is_no_trouble_and_no_recovery(watch: Watch) -> None:
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    await watch.once()
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_RUNNING)
    async with connect(watch.stage.database) as connection:
        await pausing.pause(connection, 1, "ann", "lunch", watch.stage.clock.now())
        await watch.once()
        watch.stage.clock.move(days=2)
        await watch.once()
        assert watch.told == ["is blocked"]
        await pausing.resume(connection, 1)
    await watch.once()
    assert watch.told == ["is good again"]


async def test_a_late_suppression_is_told_at_once_and_when_it_is_over(watch: Watch) -> None:
    watch.stage.crm.want(1, 2)
    await watch.once()
    watch.stage.tenant.set_record(CAMPAIGN, 1, status=RecordStatus.ACCEPTED)
    watch.stage.crm.suppress(1)
    await watch.once()
    watch.stage.clock.move(minutes=59)
    await watch.once()
    assert watch.told == []
    watch.stage.clock.move(minutes=2)
    assert (await watch.once()).exit_status is Exit.PARTIAL
    assert watch.told == ["has 1 customer who must not be called"]
    watch.stage.clock.move(minutes=30)
    await watch.once()
    assert watch.told == []
    watch.stage.tenant.set_record(CAMPAIGN, 1, status=RecordStatus.QUEUED)
    await watch.once()
    assert watch.told == ["has no late suppression any more"]
    assert watch.stage.listed == {2}


async def test_a_suppression_that_is_late_because_all_fails_is_told_beside_the_failure(watch: Watch) -> None:
    watch.stage.crm.want(1)
    await watch.once()
    watch.stage.crm.suppress(1)
    watch.strike(Call.DELETE)
    await watch.once()
    watch.stage.clock.move(minutes=61)
    await watch.once()
    assert watch.told == ["has 1 customer who must not be called", "is failing"]


async def test_a_list_that_suppresses_more_than_removals_are_allowed_is_told_once_and_held_never(
    watch: Watch,
) -> None:
    watch.stage.settings(guard=GuardSettings(max_removals=5))
    watch.stage.crm.want(*range(1, 31))
    await watch.once()
    watch.stage.crm.suppress(*range(1, 6))
    await watch.once()
    assert watch.told == []
    watch.stage.crm.suppress(*range(6, 13))
    report = await watch.once()
    assert report.suppressed_out == 7
    assert watch.told == ["loses 7 customers to the suppression list"]
    await watch.once()
    assert watch.told == []


async def test_a_list_that_suppresses_many_is_told_later_where_nobody_could_be_reached(watch: Watch) -> None:
    watch.stage.settings(guard=GuardSettings(max_removals=5))
    watch.stage.crm.want(*range(1, 11))
    await watch.once()
    watch.stage.crm.suppress(*range(1, 8))
    watch.receiver.down()
    await watch.once()
    watch.receiver.up()
    watch.restart()
    await watch.once()
    assert watch.told == ["loses 7 customers to the suppression list"]


async def test_the_end_of_a_campaign_is_told_a_day_ahead_once(watch: Watch) -> None:
    ends_at = watch.stage.clock.now() + timedelta(hours=30)
    watch.stage.tenant.campaigns[CAMPAIGN].properties.closes = ends_at
    report = await watch.once()
    assert report.ends_at is not None
    assert watch.told == []
    watch.stage.clock.move(hours=7)
    await watch.once()
    assert watch.told == [f"ends at {ends_at:%Y-%m-%d %H:%M} UTC"]
    watch.restart()
    await watch.once()
    assert watch.told == []
    assert len(rows(watch, Subject.END)) == 1


async def test_no_notice_names_a_phone_number_or_a_secret(watch: Watch) -> None:
    watch.stage.settings(guard=GuardSettings(min_rows=100, few=0))
    watch.stage.crm.run("INSERT INTO due VALUES (1, NULL, NULL, '+44 20 7946 0958')")
    await watch.once()
    watch.strike(Call.STATUS)
    await watch.once()
    watch.stage.clock.move(minutes=16)
    await watch.once()
    text = str(watch.receiver.bodies)
    assert watch.told == ["is held", "is failing"]
    assert "7946" not in text
    assert "simulated-" not in text
