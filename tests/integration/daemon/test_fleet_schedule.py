"""The fleet's schedule, in a time that the test moves: back-off, Retry-After, crontabs, clocks that are set."""

import asyncio
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from company import Company, Host, until

from syncd.errors import AuthRefused, DialerUnavailable, SourceError
from syncd.simulator import Call, FaultKind
from syncd.state.campaigns import Result
from tests.clocks import SteeredClock

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
EVERY = 5 * MINUTE
SOON = timedelta(seconds=31)
"""A crontab's campaigns begin within half a minute, each at its place."""


async def passes(host: Host, count: int) -> None:
    """Wait until a host has made so many passes and planned what comes after them."""
    await until(lambda: len(host.passes) >= count and not host.fleet.under_way)


async def no_pass(host: Host) -> None:
    """Give a host time for a pass, and see that it makes none."""
    before = len(host.passes)
    await asyncio.sleep(0.3)
    assert len(host.passes) == before
    assert not host.fleet.under_way


async def waits(company: Company, clock: SteeredClock, host: Host, count: int) -> list[float]:
    """Let so many passes come, each when it is due; return for how many minutes each was waited for."""
    minutes = []
    for _ in range(count):
        due, before = company.due_at(), len(host.passes)
        minutes.append((due - clock.now()) / MINUTE)
        clock.leap_to(due - timedelta(seconds=0.2))
        await no_pass_before(host, due, clock)
        await passes(host, before + 1)
    return minutes


async def no_pass_before(host: Host, due: datetime, clock: SteeredClock) -> None:
    before = len(host.passes)
    while clock.now() < due - timedelta(seconds=0.05):
        await asyncio.sleep(0.01)
        assert len(host.passes) == before


async def test_a_campaign_that_fails_backs_off_to_eight_intervals_and_comes_back_by_itself(
    steered: Company, clock: SteeredClock
) -> None:
    steered.begin("renewals", every=EVERY)
    steered.strike(FaultKind.ANSWER, status=401)
    async with steered.hosts() as [host]:
        await passes(host, 1)
        failing = await waits(steered, clock, host, 5)
        assert {type(report.error) for report in host.passes} == {AuthRefused}
        steered.tenant.faults.clear()
        [last, after, then] = await waits(steered, clock, host, 3)
    assert host.results("renewals")[-3:] == [Result.GOOD] * 3
    assert 0 < failing[0] <= 5
    assert [round(wait) for wait in [*failing[1:], last, after, then]] == [10, 20, 40, 40, 40, 5, 5]
    assert steered.listed() == {1250, 1251}


async def test_what_is_out_of_reach_is_asked_again_after_one_interval(steered: Company, clock: SteeredClock) -> None:
    steered.begin("renewals", every=EVERY, query="SELECT * FROM nowhere")
    async with steered.hosts() as [host]:
        await passes(host, 1)
        minutes = await waits(steered, clock, host, 4)
    assert {type(report.error) for report in host.passes} == {SourceError}
    assert [round(wait) for wait in minutes[1:]] == [5, 5, 5]


async def test_a_tenant_that_asks_to_be_left_alone_is_until_then(steered: Company, clock: SteeredClock) -> None:
    steered.begin("renewals", every=EVERY)
    steered.strike(FaultKind.ANSWER, status=429, retry_after=3600, count=1)
    async with steered.hosts() as [host]:
        await passes(host, 1)
        assert isinstance(host.passes[0].error, DialerUnavailable)
        calls = len(steered.tenant.log.of(*Call))
        [wait] = await waits(steered, clock, host, 1)
    assert calls == 1
    assert 60 <= wait <= 65
    assert host.results("renewals")[1:] == [Result.GOOD]


async def test_a_cron_that_never_ran_waits_for_its_time_and_runs_once(steered: Company, clock: SteeredClock) -> None:
    steered.begin("renewals", cron="0 9 * * *", timezone=ZoneInfo("Europe/London"))
    async with steered.hosts() as [host]:
        clock.leap(timedelta(seconds=6))
        await no_pass(host)
        clock.leap_to(datetime(2026, 11, 24, 9, tzinfo=UTC) + SOON)
        await passes(host, 1)
        clock.leap(timedelta(seconds=6))
        await no_pass(host)
        assert timedelta() <= steered.due_at() - datetime(2026, 11, 25, 9, tzinfo=UTC) < SOON


async def test_a_cron_that_was_missed_is_made_up_for_once_however_many_times_were(
    steered: Company, clock: SteeredClock
) -> None:
    steered.begin("renewals", cron="0 9 * * *")
    async with steered.hosts() as [host]:
        clock.leap_to(datetime(2026, 11, 24, 9, tzinfo=UTC) + SOON)
        await passes(host, 1)
    clock.leap_to(datetime(2026, 11, 27, 12, tzinfo=UTC))
    async with steered.hosts() as [host]:
        await passes(host, 1)
        clock.leap(timedelta(seconds=6))
        await no_pass(host)
        assert timedelta() <= steered.due_at() - datetime(2026, 11, 28, 9, tzinfo=UTC) < SOON


async def test_a_cron_that_was_changed_is_not_rung_at_the_old_hour(steered: Company, clock: SteeredClock) -> None:
    steered.begin("renewals", cron="0 9 * * *")
    async with steered.hosts() as [host]:
        clock.leap_to(datetime(2026, 11, 24, 9, tzinfo=UTC) + SOON)
        await passes(host, 1)
    steered.begin("renewals", cron="0 15 * * *")
    clock.leap_to(datetime(2026, 11, 24, 16, tzinfo=UTC))
    async with steered.hosts() as [host]:
        clock.leap(timedelta(seconds=6))
        await no_pass(host)
        clock.leap_to(datetime(2026, 11, 25, 9, tzinfo=UTC) + SOON)
        await no_pass(host)
        clock.leap_to(datetime(2026, 11, 25, 15, tzinfo=UTC) + SOON)
        await passes(host, 1)


async def test_a_cron_keeps_its_night_when_summer_time_ends(steered: Company, clock: SteeredClock) -> None:
    clock.leap_to(datetime(2027, 10, 30, 12, tzinfo=UTC))
    steered.begin("renewals", cron="30 2 * * *", timezone=ZoneInfo("Europe/Berlin"))
    async with steered.hosts() as [host]:
        clock.leap_to(datetime(2027, 10, 31, 0, 30, tzinfo=UTC) + SOON)
        await passes(host, 1)
        clock.leap_to(datetime(2027, 10, 31, 1, 30, tzinfo=UTC) + SOON)
        await no_pass(host)
        assert timedelta() <= steered.due_at() - datetime(2027, 11, 1, 1, 30, tzinfo=UTC) < SOON


@pytest.mark.parametrize("by", [-HOUR, timedelta(seconds=-30), HOUR], ids=["back 1 h", "back 30 s", "forward 1 h"])
async def test_a_clock_that_was_set_neither_stalls_nor_storms(
    steered: Company, clock: SteeredClock, by: timedelta
) -> None:
    for number in range(3):
        steered.begin(f"campaign-{number}", 130 + number, every=EVERY)
    async with steered.hosts() as [host]:
        await passes(host, 3)
        clock.set(by)
        clock.leap(timedelta(seconds=1.1))
        made_up = 3 if by > timedelta() else 0
        await passes(host, 3 + made_up)
        await no_pass(host)
        clock.leap(EVERY)
        await passes(host, 6 + made_up)
        clock.leap(EVERY)
        await passes(host, 9 + made_up)
        await no_pass(host)
    assert {report.result for report in host.passes} == {Result.GOOD}


async def test_a_turn_planned_by_a_clock_that_ran_far_ahead_is_brought_back(
    steered: Company, clock: SteeredClock
) -> None:
    steered.begin("renewals", every=EVERY)
    async with steered.hosts() as [host]:
        await passes(host, 1)
    steered.rows("UPDATE campaign SET due_at = due_at + interval '3 years'")
    async with steered.hosts() as [host]:
        await until(lambda: steered.due_at() - clock.now() <= EVERY)
        steered.rows("UPDATE campaign SET due_at = due_at + interval '3 years'")
        clock.leap(timedelta(seconds=6))
        await passes(host, 1)


async def test_a_longer_interval_counts_from_the_first_start_of_the_daemon_with_it(
    steered: Company, clock: SteeredClock
) -> None:
    steered.begin("renewals", every=timedelta(days=1))
    async with steered.hosts() as [host]:
        await passes(host, 1)
    steered.begin("renewals", every=EVERY)
    async with steered.hosts() as [host]:
        await until(lambda: steered.due_at() - clock.now() <= EVERY)
        await waits(steered, clock, host, 1)
        assert host.results("renewals") == [Result.GOOD]
