"""Heartbeats: pinged while all is well, and only then."""

import asyncio
import socket
from dataclasses import replace
from datetime import timedelta

import pytest
from watching import Watch

from syncd.report import heartbeat
from syncd.report.heartbeat import ping
from syncd.simulator import Call
from syncd.state.database import connect
from syncd.state.lock import Keeping, hold
from syncd.words import Exit
from tests.stage import CAMPAIGN


@pytest.fixture(autouse=True)
def _addresses(watch: Watch) -> None:
    watch.notify = replace(watch.notify, heartbeat=watch.receiver.address("/all"))
    watch.stage.settings(heartbeat=watch.receiver.address("/renewals"))


def pings(watch: Watch) -> list[str]:
    """Return what was pinged since it was asked last."""
    found = [path for path in watch.receiver.paths if path != "/"]
    watch.receiver.paths.clear()
    return found


async def test_each_good_pass_pings_the_heartbeat_of_its_campaign(watch: Watch) -> None:
    await watch.once()
    await watch.once()
    assert pings(watch) == ["/renewals", "/renewals"]


async def test_a_pass_that_is_not_good_pings_nothing(watch: Watch) -> None:
    watch.strike(Call.STATUS)
    assert (await watch.once()).exit_status is Exit.FAILED
    await watch.pulse()
    assert pings(watch) == []


async def test_a_pass_that_found_the_lock_held_pings_nothing(watch: Watch) -> None:
    stage = watch.stage
    world = stage.world
    async with hold(
        world.workplaces, "acmecorp01", CAMPAIGN, "renewals", stage.clock, patience=timedelta(), keeping=Keeping()
    ):
        assert (await watch.once()).exit_status is Exit.LOCKED
    assert pings(watch) == []


async def test_the_heartbeat_of_all_is_pinged_while_every_enabled_campaign_is_good(watch: Watch) -> None:
    await watch.pulse()
    assert pings(watch) == [], "no pass has run yet"
    await watch.once()
    await watch.pulse()
    assert pings(watch) == ["/renewals", "/all"]
    good = watch.config
    never_run = replace(watch.stage.campaign.settings, name="winback", id=126)
    two = replace(good, campaigns={**good.campaigns, "winback": never_run})
    await watch.notifier.pulse(two, watch.stage.database)
    assert pings(watch) == []
    disabled = replace(two, campaigns={**good.campaigns, "winback": replace(never_run, enabled=False)})
    await watch.notifier.pulse(disabled, watch.stage.database)
    assert pings(watch) == ["/all"]


async def test_the_heartbeat_of_all_stops_when_a_campaign_is_overdue(watch: Watch) -> None:
    await watch.once()
    watch.stage.clock.move(minutes=14)
    await watch.pulse()
    assert pings(watch) == ["/renewals", "/all"]
    watch.stage.clock.move(minutes=2)
    await watch.pulse()
    assert pings(watch) == []


async def test_a_long_pass_is_not_overdue_while_it_runs(watch: Watch) -> None:
    await watch.once()
    pings(watch)
    watch.stage.clock.move(hours=3)
    stage = watch.stage
    async with hold(
        stage.world.workplaces, "acmecorp01", CAMPAIGN, "renewals", stage.clock, patience=timedelta(), keeping=Keeping()
    ):
        await watch.pulse()
    assert pings(watch) == ["/all"]
    await watch.pulse()
    assert pings(watch) == []


async def test_a_planned_pass_says_when_a_campaign_is_overdue(watch: Watch) -> None:
    await watch.once()
    pings(watch)
    async with connect(watch.stage.database) as connection:
        await connection.execute("UPDATE campaign SET due_at = %s", (watch.stage.clock.now() + timedelta(hours=10),))
    watch.stage.clock.move(hours=10, minutes=9)
    await watch.pulse()
    assert pings(watch) == ["/all"]
    watch.stage.clock.move(minutes=2)
    await watch.pulse()
    assert pings(watch) == []


@pytest.mark.parametrize(
    ("status", "why"), [(404, "it answers HTTP 404"), (301, "redirect (HTTP 301): write the address that it leads to")]
)
async def test_a_heartbeat_that_is_refused_is_logged_without_its_address(
    watch: Watch, status: int, why: str, caplog: pytest.LogCaptureFixture
) -> None:
    watch.receiver.status = status
    watch.receiver.location = watch.receiver.address("/elsewhere")
    await watch.once()
    assert pings(watch) == ["/renewals"], "a redirect is not followed"
    [complaint] = watch.complaints
    assert complaint["campaign"] == "renewals"
    assert str(complaint["why"]).endswith(why)
    assert str(watch.receiver.port) not in str(complaint)


async def test_a_heartbeat_that_is_down_or_no_address_is_logged_and_not_raised(watch: Watch) -> None:
    watch.receiver.down()
    assert await ping(watch.receiver.address("/renewals")) is False
    assert await ping("http://") is False
    assert [line["why"] for line in watch.complaints] == ["no connection", "UnsupportedProtocol"]


async def test_a_heartbeat_that_hangs_is_given_up(watch: Watch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heartbeat, "SECONDS", 0.2)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        async with asyncio.timeout(60):
            assert await ping(f"http://127.0.0.1:{silent.getsockname()[1]}/") is False
    [complaint] = watch.complaints
    assert complaint["why"] == "no answer within 0.2 s"
