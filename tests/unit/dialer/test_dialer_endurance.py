"""When a pass gives a tenant up."""

from dialer_clock import VirtualClock

from syncd.dialer.endurance import Endurance


async def after(clock: VirtualClock, seconds: float) -> None:
    await clock.run(clock.sleep(seconds))


async def test_a_blip_that_meets_many_calls_at_once_is_none_too_many() -> None:
    """A long while in which nothing was asked does not count as failing."""
    clock = VirtualClock()
    endurance = Endurance(clock)
    await after(clock, 600)
    assert not any(endurance.try_failed() for _ in range(16))
    await after(clock, 1)
    assert not any(endurance.try_failed() for _ in range(16))
    endurance.answered()
    await after(clock, 20)
    assert not endurance.try_failed()


async def test_tries_that_fail_side_by_side_for_more_than_ten_seconds_are_too_many() -> None:
    clock = VirtualClock()
    endurance = Endurance(clock)
    for _ in range(11):
        assert not endurance.try_failed()
        await after(clock, 1)
    assert endurance.try_failed()


async def test_the_third_call_in_a_row_that_fails_is_too_many_and_an_answer_starts_anew() -> None:
    clock = VirtualClock()
    endurance = Endurance(clock)
    failed = [endurance.call_failed(0, pushed_back=False) for _ in range(2)]
    endurance.answered()
    failed += [endurance.call_failed(0, pushed_back=False) for _ in range(3)]
    assert failed == [False, False, False, False, True]


async def test_one_call_that_was_pushed_back_to_the_end_is_too_many_unless_others_were_answered() -> None:
    clock = VirtualClock()
    endurance = Endurance(clock)
    await after(clock, 5)
    began = clock.monotonic()
    await after(clock, 5)
    endurance.answered()
    assert not endurance.call_failed(began, pushed_back=True)
    endurance = Endurance(clock)
    assert endurance.call_failed(clock.monotonic(), pushed_back=True)
