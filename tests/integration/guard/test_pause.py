"""Pausing: obeyed up to the very batch, by every host, and never by the suppression lane."""

from dataclasses import dataclass, field, replace

import psycopg
from guard_desk import added, pause, removed, resume

from syncd.state.campaigns import Result
from syncd.words import Exit
from tests.stage import Stage


async def registered(stage: Stage) -> None:
    """Have the state know the campaign: what no pass has run over cannot be paused yet."""
    await stage.once()


async def test_a_paused_campaign_is_neither_filled_nor_emptied(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    await registered(stage)
    assert await pause(stage)
    stage.crm.drop(1)
    stage.crm.want(4)
    report = await stage.once()
    assert report.sentence() == "nothing was read; paused"
    assert (report.result, report.exit_status) == (Result.PAUSED, Exit.GOOD)
    assert stage.writes == []
    assert stage.rows("SELECT condition FROM campaign") == [("paused",)]


async def test_a_resumed_campaign_catches_up(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    await registered(stage)
    await pause(stage)
    stage.crm.drop(1)
    stage.crm.want(4)
    await stage.once()
    assert await resume(stage)
    report = await stage.once()
    assert report.sentence() == "3 desired; 1 added, 1 removed"
    assert stage.rows("SELECT condition FROM campaign") == [("ok",)]


async def test_suppressions_go_on_while_a_campaign_is_paused(stage: Stage) -> None:
    stage.crm.want(1, 2, 3)
    await registered(stage)
    await pause(stage)
    stage.crm.suppress(2)
    report = await stage.once()
    assert removed(stage) == [2]
    assert report.suppressed_out == 1
    assert report.sentence() == "nothing was read; 1 removed, paused"


async def test_who_paused_first_and_why_is_kept_until_someone_resumes(stage: Stage) -> None:
    await registered(stage)
    assert await pause(stage, by="ann", reason="lunch")
    assert not await pause(stage, by="bob", reason="tea")
    assert stage.rows("SELECT paused_by, pause_reason FROM campaign") == [("ann", "lunch")]
    assert await resume(stage)
    assert not await resume(stage)
    assert stage.rows("SELECT paused_at, paused_by, pause_reason FROM campaign") == [(None, None, None)]


@dataclass(slots=True)
class Impatient:
    """Somebody on another host who pauses the campaign, and suppresses a customer, at the first change sent."""

    stage: Stage
    seen: list[int] = field(default_factory=list)

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        if name != "sending changes":
            return
        self.seen.append(done)
        if len(self.seen) == 1:
            with psycopg.connect(self.stage.url, options="-c search_path=syncd") as connection:
                connection.execute("UPDATE campaign SET paused_at = now(), paused_by = 'ann', pause_reason = 'stop!'")


async def test_a_pause_in_mid_pass_is_obeyed_before_the_next_batch(stage: Stage) -> None:
    await registered(stage)
    stage.settings(batch_size=10)
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=1))
    stage.crm.want(*range(1, 101))
    stage.world.progress = Impatient(stage)
    report = await stage.once()
    assert report.result is Result.PAUSED
    assert report.sentence() == "100 desired; 10 added, paused"
    assert len(added(stage)) == 10
    assert report.open_claims == 0

    await resume(stage)
    report = await stage.once()
    assert report.sentence() == "100 desired; 90 added"
    assert stage.listed == set(range(1, 101))


async def test_a_pause_does_not_forget_what_is_held(stage: Stage) -> None:
    stage.crm.want(*range(1, 1002))
    await stage.once()
    before = stage.rows("SELECT digest, since FROM held_plan")
    assert len(before) == 1
    await pause(stage)
    await stage.once()
    assert stage.rows("SELECT digest, since FROM held_plan") == before


async def test_a_dry_run_of_a_paused_campaign_says_what_would_be_done(stage: Stage) -> None:
    await registered(stage)
    await pause(stage)
    stage.crm.want(1, 2)
    report = await stage.rehearse()
    assert report.plan is not None
    assert report.plan.changes == 2
