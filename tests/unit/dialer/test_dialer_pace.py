"""The turns of one tenant: rate, lanes, fairness, pushing back."""

import asyncio
import time

import pytest
from dialer_clock import VirtualClock

from syncd.dialer.pace import Pace
from syncd.errors import DialerUnavailable
from syncd.words import Lane


def pace_of(clock: VirtualClock, ceiling: float = 10, concurrency: int = 1000) -> Pace:
    return Pace("acme", ceiling=ceiling, concurrency=concurrency, clock=clock)


async def go(pace: Pace, clock: VirtualClock, seen: list, lane: Lane = Lane.PAGE, campaign: str = "a", take: float = 0):
    async with pace.turn(lane, campaign):
        seen.append((clock.monotonic(), lane, campaign))
        if take:
            await clock.sleep(take)


@pytest.mark.parametrize("ceiling", [0.5, 1, 10, 50, 500])
@pytest.mark.parametrize("lateness", [0.0, 0.0011, 0.015])
async def test_the_configured_rate_is_used_to_98_percent_and_never_passed(ceiling: float, lateness: float) -> None:
    clock, seen = VirtualClock(lateness), []
    pace = pace_of(clock, ceiling)
    requests = int(max(20, ceiling * 4))
    await clock.run(asyncio.gather(*(go(pace, clock, seen) for _ in range(requests))))
    times = [at for at, _, _ in seen]
    assert len(times) == requests
    assert requests / (times[-1] - times[0] + 1 / ceiling) >= 0.98 * ceiling
    for start in range(0, requests, max(1, requests // 50)):
        within = sum(1 for at in times if times[start] <= at < times[start] + 1)
        assert within <= ceiling + ceiling * 0.3 + 1


async def test_a_tenant_that_was_left_alone_gets_no_burst_beyond_one_seconds_worth() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 10)
    await clock.run(clock.sleep(3600))
    await clock.run(asyncio.gather(*(go(pace, clock, seen) for _ in range(30))))
    at_once = [at for at, _, _ in seen if at == 3600]
    assert 1 <= len(at_once) <= 10


async def test_suppressions_go_before_removals_before_additions_before_pages_however_they_came() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, concurrency=1)
    running = asyncio.ensure_future(go(pace, clock, [], take=1))
    await clock.settle()
    came = [Lane.PAGE, Lane.ADDITION, Lane.REMOVAL, Lane.SUPPRESSION] * 3
    await clock.run(asyncio.gather(running, *(go(pace, clock, seen, lane) for lane in came)))
    assert [lane for _, lane, _ in seen] == sorted(came)


async def test_a_suppression_overtakes_a_thousand_pages_that_wait() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 10)
    pages = [asyncio.ensure_future(go(pace, clock, seen)) for _ in range(1000)]
    await clock.settle()
    before = len(seen)
    await clock.run(go(pace, clock, seen, Lane.SUPPRESSION))
    assert [lane for _, lane, _ in seen[before:]] == [Lane.SUPPRESSION]
    assert pace.waiting == 1000 - before
    for page in pages:
        page.cancel()
    await asyncio.gather(*pages, return_exceptions=True)
    assert (pace.waiting, pace.in_use) == (0, 0)


async def test_campaigns_take_turns_within_a_lane_and_each_is_served_in_order() -> None:
    clock, order = VirtualClock(), []

    async def numbered(campaign: str, number: int) -> None:
        async with pace.turn(Lane.ADDITION, campaign):
            order.append((campaign, number))

    pace = pace_of(clock, 1)
    await clock.run(numbered("first", 0))
    large = [numbered("large", number) for number in range(100)]
    await clock.run(asyncio.gather(*large, *(numbered("small", number) for number in range(3))))
    assert [number for campaign, number in order if campaign == "large"] == list(range(100))
    assert order.index(("small", 2)) <= 7


async def test_no_more_requests_than_the_concurrency_are_in_flight() -> None:
    clock = VirtualClock()
    pace, most = pace_of(clock, 1000, concurrency=4), 0

    async def busy() -> None:
        nonlocal most
        async with pace.turn(Lane.PAGE, "a"):
            most = max(most, pace.in_use)
            await clock.sleep(1)

    await clock.run(asyncio.gather(*(busy() for _ in range(40))))
    assert most == 4
    assert pace.in_use == 0
    assert clock.monotonic() == pytest.approx(10, abs=0.5)


async def test_being_pushed_back_halves_the_rate_once_for_all_that_were_under_way() -> None:
    clock = VirtualClock()
    pace = pace_of(clock, 10)

    async def refused() -> None:
        async with pace.turn(Lane.PAGE, "a") as given_at:
            await clock.sleep(1)
            pace.push_back(given_at)

    await clock.run(asyncio.gather(*(refused() for _ in range(3))))
    assert 5 <= pace.rate < 5.2
    await clock.run(clock.sleep(0.01))
    await clock.run(refused())
    assert pace.rate < 3


async def test_the_rate_comes_back_step_by_step_and_stops_at_the_ceiling() -> None:
    clock = VirtualClock()
    pace = pace_of(clock, 10)
    pace.push_back(clock.monotonic())
    rates = []
    for _ in range(7):
        rates.append(pace.rate)
        await clock.run(clock.sleep(6))
    assert rates == pytest.approx([5, 6, 7, 8, 9, 10, 10])


async def test_a_rate_that_was_pushed_back_for_ever_still_lets_something_through() -> None:
    clock = VirtualClock()
    pace = pace_of(clock, 10)
    for _ in range(50):
        pace.push_back(clock.monotonic())
        await clock.run(clock.sleep(0.001))
    assert pace.rate >= 0.2
    slow = pace_of(clock, 0.1)
    slow.push_back(clock.monotonic())
    assert slow.rate == pytest.approx(0.1)


async def test_a_pause_holds_every_campaign_of_the_tenant() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 10)
    pace.pause(5)
    await clock.run(asyncio.gather(go(pace, clock, seen), go(pace, clock, seen, campaign="b")))
    assert [at for at, _, _ in seen] == pytest.approx([5, 5], abs=0.2)


async def test_a_closed_tenant_turns_away_who_waits_and_who_comes_until_it_opens() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 1)
    waiting = [asyncio.ensure_future(go(pace, clock, seen)) for _ in range(5)]
    await clock.settle()
    pace.close(120)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [result for result in results if isinstance(result, DialerUnavailable)]
    assert len(refused) == 5 - len(seen)
    assert refused[0].retry_after == pytest.approx(120)
    with pytest.raises(DialerUnavailable) as caught:
        await go(pace, clock, seen)
    assert caught.value.retry_after == pytest.approx(120)
    await clock.run(clock.sleep(121))
    await clock.run(go(pace, clock, seen))
    assert seen[-1][0] == 121
    assert pace.waiting == 0


async def test_a_date_of_the_far_future_closes_the_tenant_for_a_day_at_most() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock)
    pace.close(10**9)
    await clock.run(clock.sleep(86401))
    await clock.run(go(pace, clock, seen))
    assert len(seen) == 1


async def test_cancelled_waiters_leave_nothing_behind_whenever_they_are_cancelled() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 1000, concurrency=1)
    holder = asyncio.ensure_future(go(pace, clock, seen, take=1))
    await clock.settle()
    waiters = [asyncio.ensure_future(go(pace, clock, seen)) for _ in range(10)]
    await clock.settle()
    for waiter in waiters[::2]:
        waiter.cancel()
    holder.cancel()
    await asyncio.gather(holder, *waiters[::2], return_exceptions=True)
    await clock.run(asyncio.gather(*waiters[1::2]))
    assert len(seen) == 6
    assert (pace.waiting, pace.in_use) == (0, 0)


async def test_who_is_cancelled_just_when_closed_or_given_a_turn_does_not_upset_the_count() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 1, concurrency=1)
    holder = asyncio.ensure_future(go(pace, clock, seen, take=1))
    await clock.settle()
    waiters = [asyncio.ensure_future(go(pace, clock, seen)) for _ in range(4)]
    await clock.settle()
    waiters[0].cancel()
    pace.close(60)
    waiters[1].cancel()
    await asyncio.gather(*waiters, return_exceptions=True)
    assert pace.waiting == 0
    await clock.run(holder)
    assert pace.in_use == 0


async def test_twenty_thousand_waiters_cost_little_each() -> None:
    clock, seen = VirtualClock(), []
    pace = pace_of(clock, 1_000_000, concurrency=1)
    holder = asyncio.ensure_future(go(pace, clock, seen, take=1))
    await clock.settle()
    began = time.process_time()
    waiters = [go(pace, clock, seen, campaign=str(number % 50)) for number in range(20_000)]
    await clock.run(asyncio.gather(holder, *waiters))
    assert len(seen) == 20_001
    assert time.process_time() - began < 5
