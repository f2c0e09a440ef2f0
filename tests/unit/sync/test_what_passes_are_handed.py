"""What passes are handed: the parts that a campaign names, and of the outside world what they share."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from syncd.clock import SystemClock
from syncd.config import CampaignSettings, Config, Secret, SourceSettings, StateSettings, TenantSettings
from syncd.state.database import Database
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, NoProgress
from syncd.sync.worlds import Worlds


def tenant(name: str) -> TenantSettings:
    return TenantSettings(
        name=name,
        base_url="https://api.example",
        username=f"{name}01",
        action_token=Secret("action"),
        data_token=Secret("data"),
    )


CONFIG = Config(
    path=Path("config.toml"),
    state=StateSettings(directory=Path("state"), keep=timedelta(days=7), keep_suppressions=timedelta(days=70)),
    tenants={name: tenant(name) for name in ("acme", "initech")},
    sources={name: SourceSettings(name=name, url=f"sqlite:///{name}") for name in ("crm", "legal")},
    campaigns={
        "renewals": CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query="q"),
        "surveys": CampaignSettings(
            name="surveys", id=126, tenant="initech", source="crm", query="q", suppress="s", suppress_source="legal"
        ),
    },
)


@pytest.fixture
def workplaces() -> Workplaces:
    return Workplaces(Database("postgresql://nowhere/syncd", "syncd"))


def test_a_campaign_has_the_tenant_and_the_sources_that_it_names(workplaces: Workplaces) -> None:
    worlds = Worlds(CONFIG, workplaces)
    assert worlds.campaign("surveys") == Campaign(
        settings=CONFIG.campaigns["surveys"],
        tenant=CONFIG.tenants["initech"],
        source=CONFIG.sources["crm"],
        suppress_source=CONFIG.sources["legal"],
    )
    renewals = worlds.campaign("renewals")
    assert renewals.suppress_source is CONFIG.sources["crm"], "none is named"
    assert (renewals.name, renewals.account) == ("renewals", "acme01")


def test_a_pass_is_handed_its_tenant_and_what_all_share(workplaces: Workplaces) -> None:
    clock, stop, progress = SystemClock(), asyncio.Event(), NoProgress()
    worlds = Worlds(CONFIG, workplaces, clock=clock, stop=stop)
    world = worlds.world("surveys", progress)
    assert world.tenant is worlds.tenants["initech"]
    assert world.workplaces is workplaces
    assert world.clock is clock
    assert world.stop is worlds.stop is stop
    assert world.progress is progress
    assert (world.keeping.passes, world.keeping.suppressions) == (timedelta(days=7), timedelta(days=70))


def test_what_is_not_given_is_the_machines_clock_a_stop_of_their_own_and_nobody_who_wants_to_know(
    workplaces: Workplaces,
) -> None:
    worlds = Worlds(CONFIG, workplaces)
    world = worlds.world("renewals")
    assert isinstance(world.clock, SystemClock)
    assert world.stop is worlds.stop
    assert not world.stop.is_set()
    assert isinstance(world.progress, NoProgress)


def test_a_tenant_keeps_its_pace_over_a_reload_unless_its_settings_change(workplaces: Workplaces) -> None:
    before = Worlds(CONFIG, workplaces)
    faster = replace(CONFIG.tenants["acme"], requests_per_second=20.0)
    third = tenant("hooli")
    changed = replace(CONFIG, tenants={"acme": faster, "initech": CONFIG.tenants["initech"], "hooli": third})
    after = Worlds(changed, workplaces, before=before)
    assert after.tenants["initech"] is before.tenants["initech"]
    assert after.tenants["acme"] is not before.tenants["acme"]
    assert {name: one.settings for name, one in after.tenants.items()} == changed.tenants
