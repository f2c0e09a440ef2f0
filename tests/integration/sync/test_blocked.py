"""Campaigns that take no changes: nothing is sent, nothing is concluded, and the operator is told why."""

import pytest
from pass_story import claims, good_pass, writes

from syncd.errors import CampaignBlocked
from syncd.simulator import Call
from syncd.vendor import CampaignState
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage

BLOCKED = [
    CampaignState.NEW,
    CampaignState.MANUAL_STOPPED,
    CampaignState.COMPLETED,
    CampaignState.SCHEDULE_STOPPED,
    CampaignState.MANUAL_PURGED,
    CampaignState.SCHEDULE_PURGED,
]
TAKES_CHANGES = [state for state in CampaignState if state not in BLOCKED]


async def blocked_pass(stage: Stage) -> str:
    """Run a pass that has to be blocked; return what it says."""
    report = await stage.once()
    assert report.exit_status is Exit.BLOCKED, report.sentence()
    assert isinstance(report.error, CampaignBlocked)
    assert stage.rows("SELECT condition FROM campaign") == [("blocked",)]
    return report.sentence()


@pytest.mark.parametrize("state", BLOCKED)
async def test_a_campaign_that_is_stopped_purged_or_not_started_is_sent_nothing(
    stage: Stage, state: CampaignState
) -> None:
    stage.crm.want(1, 2)
    await good_pass(stage)
    stage.tenant.campaigns[CAMPAIGN].set_state(state)
    stage.crm.drop(1)
    stage.crm.want(3)
    await blocked_pass(stage)
    assert writes(stage) == []
    assert stage.tenant.log.of(Call.LIST) == []


@pytest.mark.parametrize("state", TAKES_CHANGES)
async def test_a_campaign_that_is_started_or_paused_takes_changes(stage: Stage, state: CampaignState) -> None:
    stage.tenant.campaigns[CAMPAIGN].set_state(state)
    stage.crm.want(1)
    await good_pass(stage)
    assert stage.listed == {1}


async def test_a_campaign_that_is_not_dynamic_or_not_enabled_is_blocked_until_it_is(stage: Stage) -> None:
    properties = stage.tenant.campaigns[CAMPAIGN].properties
    stage.crm.want(1)
    properties.dynamic = False
    assert "dynamic" in await blocked_pass(stage)
    properties.dynamic, properties.enabled = True, False
    assert "enabled" in await blocked_pass(stage)
    assert writes(stage) == []
    properties.enabled = True
    await good_pass(stage)
    assert stage.listed == {1}


async def test_a_campaign_that_the_tenant_does_not_know_is_blocked(stage: Stage) -> None:
    stage.settings(id=999)
    assert "no campaign with this id" in await blocked_pass(stage)


async def test_a_campaign_that_is_stopped_in_mid_pass_leaves_no_claim_open(stage: Stage) -> None:
    stage.settings(batch_size=2)
    stage.crm.want(*range(1, 11))
    await good_pass(stage)
    stage.crm.drop(1, 2)
    stage.crm.want(*range(20, 30))
    campaign = stage.tenant.campaigns[CAMPAIGN]
    stage.world.reached = lambda point: campaign.set_state(CampaignState.MANUAL_STOPPED) if point == "guard" else None
    await blocked_pass(stage)
    assert writes(stage)
    assert claims(stage) == []
    assert stage.listed == set(range(1, 11))


async def test_records_that_a_purge_hides_have_not_vanished(stage: Stage) -> None:
    campaign = stage.tenant.campaigns[CAMPAIGN]
    stage.crm.want(*range(1, 6))
    await good_pass(stage)
    await good_pass(stage)
    stage.world.reached = lambda point: campaign.set_state(CampaignState.MANUAL_PURGED) if point == "protect" else None
    report = await stage.once()
    assert report.observation.records == 0
    assert not report.observation.whole
    assert writes(stage) == []
    stage.world.reached = lambda point: None
    await blocked_pass(stage)
    campaign.set_state(CampaignState.MANUAL_RUNNING)
    await good_pass(stage)
    assert writes(stage) == []
    assert stage.rows("SELECT count(*) FROM ledger WHERE presence = 'in'") == [(5,)]
