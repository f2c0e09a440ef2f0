"""What a pass tells of itself: its steps, its counts, and what ended it, whatever that was."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pass_story import Told, good_pass, requests, upload

from syncd.errors import AuthRefused, SourceError
from syncd.simulator import Call, Fault, FaultKind
from syncd.sync import NoProgress, observing, run_pass
from syncd.vendor import CampaignState
from syncd.words import Exit
from tests.stage import CAMPAIGN, Crm, Stage

STEPS = ["lock", "preflight", "protect", "observe", "read", "plan", "guard", "apply", "tell"]


async def test_a_pass_tells_its_steps_in_their_order_and_how_long_each_took(stage: Stage) -> None:
    reached: list[str] = []
    stage.world.reached = reached.append
    report = await good_pass(stage)
    assert reached == list(report.steps) == STEPS
    assert report.ended is not None
    assert 0 < sum(report.steps.values()) <= (report.ended - report.began).total_seconds() + 1
    assert min(report.steps.values()) >= 0


async def test_who_waits_for_a_pass_is_told_what_is_read_and_how_much_of_it(stage: Stage) -> None:
    stage.world.progress = told = Told()
    upload(stage, *range(11, 16))
    stage.crm.want(1, 2, 3)
    stage.crm.suppress(9)
    await good_pass(stage)
    assert list(dict.fromkeys(name for name, _, _ in told.steps)) == [
        "reading the suppression list",
        "listing the campaign",
        "reading who needs a call",
        "sending changes",
    ]
    assert told.steps[:4] == [
        ("reading the suppression list", 0, None),
        ("reading the suppression list", 1, None),
        ("listing the campaign", 0, 5),
        ("listing the campaign", 5, 5),
    ]
    assert told.steps[-3:] == [
        ("reading who needs a call", 0, None),
        ("reading who needs a call", 3, None),
        ("sending changes", 3, 3),
    ]


async def test_a_listing_is_learned_block_by_block_to_its_last_record(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(observing, "BLOCK", 2)
    stage.tenant.manner.page_size = 1
    upload(stage, *range(11, 16))
    report = await good_pass(stage)
    assert report.observation is not None
    assert (report.observation.records, report.observation.whole) == (5, True)
    assert stage.rows("SELECT customer FROM ledger ORDER BY customer") == [(n,) for n in range(11, 16)]


async def test_a_dry_run_has_an_end_as_well(stage: Stage) -> None:
    report = await stage.rehearse()
    assert report.ended is not None
    assert report.ended >= report.began


async def test_how_many_are_suppressed_is_told_by_the_list_that_was_read_last(stage: Stage) -> None:
    stage.world.reached = lambda point: stage.crm.suppress(8, 9) if point == "observe" else None
    assert (await good_pass(stage)).counts()["suppressed"] == 2
    assert (await stage.rehearse()).counts()["suppressed"] == 2


async def test_the_campaigns_end_is_told(stage: Stage) -> None:
    closes = (stage.clock.now() + timedelta(days=2)).replace(microsecond=0)
    stage.tenant.campaigns[CAMPAIGN].properties.closes = closes
    assert (await good_pass(stage)).ends_at == closes


async def test_failures_in_a_row_are_counted_and_a_good_pass_begins_anew(stage: Stage) -> None:
    stage.crm.run("ALTER TABLE due RENAME TO hidden")
    assert [(await stage.once()).failures for _ in range(3)] == [1, 2, 3]
    stage.crm.run("ALTER TABLE hidden RENAME TO due")
    assert (await good_pass(stage)).failures == 0


async def test_a_pass_that_is_not_told_to_observes_only_when_it_is_due(stage: Stage) -> None:
    stage.settings(list_every=timedelta(days=1))
    await good_pass(stage)
    assert (await run_pass(stage.campaign, stage.world, kind="timer")).observation is None


async def test_a_pass_that_takes_the_suppressed_out_and_comes_no_further_tells_of_them(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    stage.crm.suppress(1)
    stage.rows("UPDATE campaign SET paused_at = now(), paused_by = 'ann'")
    report = await stage.once()
    assert report.sentence() == "nothing was read; 1 removed, paused"
    assert report.suppressed_out == 1
    assert report.longest_suppression > timedelta()
    assert report.counts()["suppressed"] == 1


async def test_a_login_that_is_refused_for_the_suppressed_ends_the_pass_at_once(stage: Stage) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    stage.crm.suppress(1)
    stage.tenant.faults.add(Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.DELETE}), status=401, count=None))
    report = await stage.once()
    assert isinstance(report.error, AuthRefused)
    assert requests(stage, Call.LIST) == 0


async def test_a_dry_run_of_a_blocked_campaign_is_blocked(stage: Stage) -> None:
    stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    stage.crm.want(1)
    assert (await stage.rehearse()).exit_status is Exit.BLOCKED


async def test_a_dry_run_without_a_suppression_list_fails_and_says_what_it_would_have_done(stage: Stage) -> None:
    stage.settings(suppress="SELECT customer_id FROM no_such_table")
    stage.crm.want(1)
    report = await stage.rehearse()
    assert isinstance(report.error, SourceError)
    assert report.plan is not None


class Broken(NoProgress):
    """Something that fails while changes are being sent."""

    def __init__(self, *errors: Exception) -> None:
        self._errors = errors

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        if name == "sending changes":
            raise ExceptionGroup("at once", self._errors)


async def test_what_ended_a_worker_ends_the_pass_and_is_told(stage: Stage) -> None:
    error = SourceError("crm", "is away", "wait")
    stage.world.progress = Broken(error)
    stage.crm.want(1)
    report = await stage.once()
    assert report.error is error
    assert report.exit_status is Exit.FAILED


async def test_a_mistake_of_syncds_own_is_not_hidden_by_what_can_be_explained_beside_it(stage: Stage) -> None:
    stage.world.progress = Broken(SourceError("crm", "is away", "wait"), ZeroDivisionError())
    stage.crm.want(1)
    with pytest.raises(ExceptionGroup):
        await stage.once()


class Meanwhile(NoProgress):
    """Somebody who writes to the source between the reading of the one query and that of the other."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        if name == "reading who needs a call" and not done:
            self._stage.crm.want(2)
            self._stage.crm.suppress(2)


async def test_both_queries_show_one_moment_of_their_source(stage: Stage) -> None:
    stage.world.progress = Meanwhile(stage)
    stage.crm.want(1)
    report = await good_pass(stage)
    assert (report.counts()["desired"], stage.listed) == (1, {1})


async def test_the_suppression_list_is_read_from_the_source_that_has_it(stage: Stage, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = Crm(tmp_path / "other" / "crm.sqlite")
    other.suppress(2)
    settings = replace(stage.campaign.source, name="other", url=f"sqlite:///{other.path}")
    stage.campaign = replace(stage.campaign, suppress_source=settings)
    stage.crm.run("DROP TABLE do_not_call")
    stage.crm.want(1, 2)
    report = await good_pass(stage)
    assert stage.listed == {1}
    assert report.counts()["suppressed"] == 1


async def test_without_a_suppression_query_none_is_read(stage: Stage) -> None:
    stage.settings(suppress=None)
    stage.world.progress = told = Told()
    stage.crm.want(1)
    report = await good_pass(stage)
    assert "reading the suppression list" not in {name for name, _, _ in told.steps}
    assert report.suppressed is not None
    assert (report.suppressed.rows, report.suppressed.invalid, report.suppressed.samples) == (0, 0, ())
