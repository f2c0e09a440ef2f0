"""The timetable: what bites in APScheduler and in clocks, each by name, under a clock that the test moves."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from apscheduler.job import Job
from apscheduler.jobstores.memory import MemoryJobStore
from structlog.testing import capture_logs

from syncd.config import Crontab
from syncd.daemon import timetable
from syncd.daemon.rhythm import Cron, Every, Rhythm
from syncd.daemon.timetable import Timetable
from tests.clocks import SteeredClock

MINUTE = timedelta(minutes=1)
EARLY = timedelta(seconds=0.2)


def cron(times: str, zone: str = "UTC") -> Rhythm:
    return Cron(Crontab.parse(times), ZoneInfo(zone), 0)


@dataclass
class Bell:
    """A timetable, and when it rang whom."""

    clock: SteeredClock
    rang: list[tuple[str, datetime]] = field(default_factory=list)
    set: int = 0
    """How often it was told that the clock was set."""
    answer: Callable[[str], None] = lambda name: None

    def __post_init__(self) -> None:
        self.timetable = Timetable(self.clock, self._ring)

    async def _ring(self, name: str) -> None:
        self.rang.append((name, self.clock.now()))
        self.answer(name)

    async def was_set(self) -> None:
        self.set += 1

    async def rings(self, count: int) -> None:
        """Wait until it has rung so often."""
        async with asyncio.timeout(60):
            while len(self.rang) < count:  # noqa: ASYNC110 - what is waited for happens in the scheduler
                await asyncio.sleep(0.005)

    async def is_silent(self) -> None:
        """Give it time to ring, and see that it does not."""
        before = len(self.rang)
        await asyncio.sleep(0.3)
        assert len(self.rang) == before, self.rang

    async def leap_to_alarm(self) -> None:
        """Let time pass until the scheduler's timer rings."""
        count = len(self.rang)
        await asyncio.sleep(0.001)
        self.clock.leap(timedelta(seconds=self.clock.alarm - self.clock.monotonic()))
        await self.rings(count + 1)


@pytest.fixture
async def bell(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bell]:
    clock = SteeredClock(datetime(2026, 11, 24, 2, 41, 7, tzinfo=UTC))
    clock.govern(monkeypatch)
    monkeypatch.setattr(timetable, "WATCH_SECONDS", 0.02)
    bell = Bell(clock)
    bell.timetable.begin()
    watch = asyncio.create_task(bell.timetable.watch(bell.was_set))
    yield bell
    bell.timetable.end()
    watch.cancel()
    with suppress(asyncio.CancelledError):
        await watch


@pytest.mark.parametrize("back", [timedelta(seconds=30), timedelta(hours=1)])
async def test_a_wall_clock_set_back_stalls_nobody(bell: Bell, back: timedelta) -> None:
    bell.timetable.keep({"renewals": Every(timedelta(seconds=0.3), 0.5)})
    await bell.rings(1)
    with capture_logs() as logged:
        bell.clock.set(-back)
        await bell.rings(4)
    assert [line["event"] for line in logged] == ["the clock was set"]
    assert bell.set == 1
    assert bell.rang[-1][1] < bell.rang[0][1], "by the new time, not when the old one has come round again"


async def test_a_wall_clock_set_forward_rings_once_for_all_that_was_missed(bell: Bell) -> None:
    bell.timetable.keep({"renewals": Every(MINUTE, 0.5), "win-back": Every(MINUTE, 0.7)})
    bell.clock.set(timedelta(hours=1))
    await bell.rings(2)
    assert {name for name, _ in bell.rang} == {"renewals", "win-back"}
    await bell.is_silent()
    await bell.leap_to_alarm()
    assert bell.rang[2][1].second in (30, 42), "the next one is at its own time again"
    assert bell.set == 1


async def test_a_clock_that_is_led_gently_is_not_taken_for_set(bell: Bell) -> None:
    bell.timetable.keep({"renewals": Every(MINUTE, 0.5)})
    for _ in range(5):
        bell.clock.set(timedelta(seconds=0.5))
        await asyncio.sleep(0.05)
    assert (bell.set, bell.rang) == (0, [])


async def test_late_runs_are_one_however_late_they_are(bell: Bell) -> None:
    bell.timetable.keep({"renewals": Every(5 * MINUTE, 0.5)})
    await asyncio.sleep(0.001)
    bell.clock.leap(timedelta(hours=9))
    await bell.rings(1)
    await bell.is_silent()


async def test_an_interval_does_not_drift(bell: Bell) -> None:
    bell.timetable.keep({"renewals": Every(5 * MINUTE, 0.25)})
    for _ in range(100):
        await bell.leap_to_alarm()
    late = [(moment.minute % 5 * 60 + moment.second + moment.microsecond / 1e6) - 75 for _, moment in bell.rang]
    assert all(0 <= seconds < 60 for seconds in late), late
    assert min(late[-10:]) < 1, "a machine may be late now and then; what drifts is late each time"


async def test_sunday_is_sunday(bell: Bell) -> None:
    bell.timetable.keep({"zero": cron("0 9 * * 0"), "seven": cron("0 9 * * 7"), "one": cron("0 9 * * 1")})
    bell.clock.leap_to(datetime(2026, 11, 29, 9, tzinfo=UTC) - EARLY)
    await bell.rings(2)
    await bell.is_silent()
    assert {name for name, _ in bell.rang} == {"zero", "seven"}
    bell.clock.leap_to(datetime(2026, 11, 30, 9, tzinfo=UTC) - EARLY)
    await bell.rings(3)
    assert bell.rang[-1][0] == "one"


async def test_half_past_two_rings_once_in_the_night_in_which_summer_time_ends(bell: Bell) -> None:
    bell.clock.leap_to(datetime(2027, 10, 30, 12, tzinfo=UTC))
    bell.timetable.keep({"renewals": cron("30 2 * * *", "Europe/Berlin")})
    bell.clock.leap_to(datetime(2027, 10, 31, 0, 30, tzinfo=UTC) - EARLY)
    await bell.rings(1)
    bell.clock.leap_to(datetime(2027, 10, 31, 1, 30, tzinfo=UTC) - EARLY)
    await bell.is_silent()
    bell.clock.leap_to(datetime(2027, 11, 1, 1, 30, tzinfo=UTC) - EARLY)
    await bell.rings(2)


async def test_half_past_two_is_not_left_out_in_the_night_in_which_summer_time_begins(bell: Bell) -> None:
    bell.clock.leap_to(datetime(2027, 3, 27, 12, tzinfo=UTC))
    bell.timetable.keep({"renewals": cron("30 2 * * *", "Europe/Berlin")})
    bell.clock.leap_to(datetime(2027, 3, 28, 1, tzinfo=UTC) - EARLY)
    await bell.rings(1)
    bell.clock.leap_to(datetime(2027, 3, 28, 1, 30, tzinfo=UTC) - EARLY)
    await bell.is_silent()


@pytest.mark.parametrize("error", [ValueError, SystemExit])
async def test_a_ring_that_raises_leaves_the_timer_alive(bell: Bell, error: type[BaseException]) -> None:
    def answer(name: str) -> None:
        if name == "wrong":
            raise error

    bell.answer = answer
    bell.timetable.keep({"wrong": Every(timedelta(seconds=0.1), 0), "right": Every(timedelta(seconds=0.1), 0.5)})
    await bell.rings(8)
    assert {name for name, _ in bell.rang[4:]} == {"wrong", "right"}


async def test_a_timer_that_an_error_of_the_job_store_lost_is_started_anew_for_whoever_is_late(
    bell: Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised = asyncio.Event()

    def update_job(store: MemoryJobStore, job: Job) -> None:
        raised.set()
        raise OSError

    bell.timetable.keep({"renewals": Every(timedelta(seconds=0.2), 0)})
    await bell.rings(1)
    asyncio.get_running_loop().set_exception_handler(lambda loop, context: None)
    with monkeypatch.context() as patched:
        patched.setattr(MemoryJobStore, "update_job", update_job)
        async with asyncio.timeout(60):
            await raised.wait()
    await bell.is_silent()
    bell.timetable.ring_at("renewals", bell.clock.now() + EARLY)
    await bell.rings(4)


async def test_the_end_rings_nobody_any_more_and_cancels_nothing_that_was_begun(bell: Bell) -> None:
    done = asyncio.Event()
    passes = []

    async def run() -> None:
        await asyncio.sleep(0.1)
        done.set()

    bell.answer = lambda name: passes.append(asyncio.create_task(run()))
    bell.timetable.keep({"renewals": Every(timedelta(seconds=0.2), 0)})
    await bell.rings(1)
    bell.timetable.end()
    async with asyncio.timeout(60):
        await done.wait()
    await bell.is_silent()


async def test_a_campaign_whose_rhythm_is_the_same_keeps_its_next_time_and_one_that_is_gone_is_not_rung(
    bell: Bell,
) -> None:
    daily = {"same": Every(timedelta(days=1), 0.5), "gone": Every(timedelta(days=1), 0.5), "other": cron("0 9 * * *")}
    bell.timetable.keep(daily)
    await asyncio.sleep(0.001)
    for name in daily:
        bell.timetable.ring_at(name, bell.clock.now() + EARLY)
    bell.timetable.keep({"same": Every(timedelta(days=1), 0.5), "other": cron("0 10 * * *")})
    await bell.rings(1)
    await bell.is_silent()
    assert [name for name, _ in bell.rang] == ["same"]


async def test_a_ring_can_be_brought_forward_and_not_put_off(bell: Bell) -> None:
    bell.timetable.keep({"renewals": Every(timedelta(days=1), 0.5)})
    await asyncio.sleep(0.001)
    bell.timetable.ring_at("renewals", bell.clock.now() + EARLY)
    bell.timetable.ring_at("renewals", bell.clock.now() + timedelta(hours=1))
    bell.timetable.ring_at("somebody else", bell.clock.now())
    await bell.rings(1)
    assert bell.rang[0][0] == "renewals"
    await bell.leap_to_alarm()
    assert bell.rang[1][1].hour == 12, "and then at its own time"
