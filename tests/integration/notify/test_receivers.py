"""Receivers that are down, refuse, hang or are none, and processes that tell at the same time."""

import asyncio
import sys
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from watching import Watch

from syncd.report import notify
from syncd.report.notify import Notifier
from syncd.report.post import MISSING
from syncd.state.database import Database, connect
from syncd.state.notices import turn
from syncd.sync import PassReport
from syncd.vendor import CampaignState
from tests.receiving import receiving
from tests.stage import CAMPAIGN

SECRET = "T0123/B4567/hook-secret"


async def blocked_pass(watch: Watch) -> PassReport:
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    return await watch.once()


async def test_a_receiver_that_is_down_is_told_once_it_is_up_again(watch: Watch) -> None:
    watch.receiver.down()
    await blocked_pass(watch)
    [complaint] = watch.complaints
    assert complaint["why"] == "the receiver refused it or did not answer"
    watch.restart()
    await watch.once()
    assert len(watch.complaints) == 2
    watch.receiver.up()
    await watch.once()
    await watch.once()
    assert watch.told == ["is blocked"]
    assert len(watch.complaints) == 2


async def test_a_recovery_that_nobody_took_is_told_later(watch: Watch) -> None:
    await blocked_pass(watch)
    watch.receiver.status = 500
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_RUNNING)
    await watch.once()
    assert watch.told == ["is blocked"]
    watch.receiver.status = 200
    await watch.once()
    assert watch.told == ["is good again"]


async def test_of_several_receivers_the_one_that_refused_alone_is_told_again(watch: Watch) -> None:
    with receiving() as other:
        watch.urls = (watch.receiver.notices(), other.notices())
        other.status = 403
        await blocked_pass(watch)
        assert watch.told == ["is blocked"]
        other.status = 200
        watch.restart()
        await watch.once()
        assert watch.told == []
        assert other.titles == ["syncd: campaign renewals is blocked"]


async def test_a_receiver_that_is_added_is_told_of_what_lasts_and_one_that_goes_is_forgotten(watch: Watch) -> None:
    await blocked_pass(watch)
    with receiving() as other:
        watch.urls = (watch.receiver.notices(), other.notices())
        await watch.once()
        assert len(other.titles) == 1
    watch.urls = watch.urls[:1]
    await watch.once()
    assert watch.stage.rows("SELECT receiver FROM notice") == [(1,)]


async def test_a_receiver_that_was_not_told_of_trouble_is_not_told_of_its_end(watch: Watch) -> None:
    watch.receiver.down()
    await blocked_pass(watch)
    watch.receiver.up()
    watch.stage.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_RUNNING)
    await watch.once()
    assert watch.told == []


async def test_a_receiver_that_hangs_keeps_nobody_waiting(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notify, "SEND_SECONDS", 3)
    watch.receiver.hanging = threading.Event()
    with receiving() as other:
        watch.urls = (watch.receiver.notices(), other.notices())
        began = time.monotonic()
        await blocked_pass(watch)
        assert time.monotonic() - began < 30
        assert other.titles == ["syncd: campaign renewals is blocked"]
    [complaint] = watch.complaints
    assert complaint["url"] == 1
    assert str(complaint["why"]).startswith("it was not taken within")
    assert watch.stage.rows("SELECT receiver FROM notice") == [(2,)]


async def test_a_line_of_the_log_has_no_address_in_it(watch: Watch, caplog: pytest.LogCaptureFixture) -> None:
    watch.receiver.status = 500
    watch.urls = (watch.receiver.notices(f"/{SECRET}"), f"slack://{SECRET}", f"nonsense://{SECRET}")
    await blocked_pass(watch)
    assert watch.receiver.paths == [f"/{SECRET}"]
    refused, unknown = "the receiver refused it or did not answer", "it is no address that Apprise knows"
    assert {line["url"]: line["why"] for line in watch.complaints} == {1: refused, 2: unknown, 3: unknown}
    for part in SECRET.split("/"):
        assert part not in str(watch.logged)
        assert part not in caplog.text


async def test_without_apprise_the_log_says_how_to_get_it(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    await blocked_pass(watch)
    [complaint] = watch.complaints
    assert complaint["why"] == MISSING
    monkeypatch.undo()
    await watch.once()
    assert watch.told == ["is blocked"]


async def test_two_processes_do_not_tell_the_same_twice(watch: Watch) -> None:
    watch.urls = ()
    report = await blocked_pass(watch)
    watch.urls = (watch.receiver.notices(),)
    second = Notifier(watch.stage.clock)
    async with (
        connect(watch.stage.database) as connection,
        turn(connection, "acmecorp01", CAMPAIGN) as ours,
    ):
        assert ours
        await watch.tell_of(report)
        assert watch.told == []
    await asyncio.gather(
        watch.tell_of(report),
        second.after_pass(watch.config, watch.stage.campaign, report, watch.stage.database),
    )
    assert watch.told == ["is blocked"]


async def test_a_state_that_is_lost_is_told_once_it_has_lasted_and_when_it_is_back(watch: Watch) -> None:
    watch.notify = replace(watch.notify, remind=timedelta(hours=1))
    report = await watch.once()
    lost = Database("postgresql://syncd@127.0.0.1:1/syncd", "syncd")
    await watch.tell_of(report, database=lost)
    assert watch.told == []
    watch.stage.clock.move(minutes=16)
    await watch.tell_of(report, database=lost)
    await watch.tell_of(report, database=lost)
    [body] = watch.receiver.bodies
    assert "`syncd check`" in body["message"]
    assert "for 16m" in body["message"]
    watch.stage.clock.move(minutes=61)
    await watch.tell_of(report, database=lost)
    await watch.tell_of(report)
    await watch.tell_of(report)
    assert watch.told == [
        "syncd: the state database is out of reach",
        "syncd: the state database is still out of reach",
        "syncd: the state database is back",
    ]
