"""How fast a tenant is asked: one rate and one number of requests in flight, over all campaigns of the tenant.

Whoever wants to send waits for a turn. Turns are given in the order of the lanes (suppressions first), within a lane
to the campaigns by rotation, within a campaign first come, first served.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from syncd.clock import Clock
from syncd.errors import DialerUnavailable, SyncdError
from syncd.words import Lane

_SLACK: Final = 0.25
"""Seconds of unused rate that may be caught up: what timers that wake late and short pauses would lose."""

_RECOVERY: Final = 60.0
"""Seconds from nothing to the full rate, in even steps, after the tenant pushed back."""

_FLOOR: Final = 0.2
"""Requests a second that remain however often the tenant pushes back."""

_LONGEST_CLOSURE: Final = 86400.0
"""Seconds for which a ``Retry-After`` is believed: a nonsensical date must not silence suppressions for years."""

_log = structlog.get_logger(__name__)

_Waiter = asyncio.Future[float]


class Pace:
    """The turns of one tenant."""

    def __init__(self, tenant: str, *, ceiling: float, concurrency: int, clock: Clock) -> None:
        self.in_use = 0
        """Requests in flight."""
        self.waiting = 0
        """Requests that wait for their turn."""
        self._tenant, self._ceiling, self._concurrency, self._clock = tenant, ceiling, concurrency, clock
        self._floor = min(ceiling, _FLOOR)
        self._lowered_to, self._lowered_at = ceiling, float("-inf")
        self._next = self._paused_until = self._closed_until = float("-inf")
        self._lanes: dict[Lane, OrderedDict[str, deque[_Waiter]]] = {lane: OrderedDict() for lane in sorted(Lane)}
        self._alarm: asyncio.Task[None] | None = None

    @property
    def rate(self) -> float:
        """Requests a second that are allowed now: the ceiling, or less while the tenant pushes back."""
        since = self._clock.monotonic() - self._lowered_at
        return min(self._ceiling, self._lowered_to + since * self._ceiling / _RECOVERY)

    @asynccontextmanager
    async def turn(self, lane: Lane, campaign: str) -> AsyncIterator[float]:
        """Wait for a turn and hold it; yields the monotonic time at which it was given.

        Raise DialerUnavailable, with ``retry_after``, while the tenant asks to wait longer than a call waits.
        """
        given_at = await self._enter(lane, campaign)
        try:
            yield given_at
        finally:
            self.in_use -= 1
            self._give_turns()

    def push_back(self, given_at: float) -> None:
        """Halve the rate, because the request whose turn was given at this time was one too many.

        Requests that were under way already when the rate was lowered say nothing about the lower rate.
        """
        if given_at <= self._lowered_at:
            return
        self._lowered_to = max(self._floor, self.rate / 2)
        self._lowered_at = self._clock.monotonic()
        _log.info("dialer.rate_lowered", tenant=self._tenant, requests_per_second=round(self._lowered_to, 2))

    def pause(self, seconds: float) -> None:
        """Give no turn for so long."""
        self._paused_until = max(self._paused_until, self._clock.monotonic() + seconds)

    def close(self, seconds: float) -> DialerUnavailable:
        """Turn everybody away for so long, those who wait included; return what they are told."""
        until = self._clock.monotonic() + min(seconds, _LONGEST_CLOSURE)
        self._closed_until = max(self._closed_until, until)
        self._paused_until = max(self._paused_until, self._closed_until)
        for campaign in {campaign for queues in self._lanes.values() for campaign in queues}:
            self.dismiss(campaign, self._closed())
        return self._closed()

    def dismiss(self, campaign: str, error: SyncdError) -> None:
        """Tell those of a campaign who wait that its pass is over, in place of a turn that they would not use."""
        for queues in self._lanes.values():
            for waiter in queues.pop(campaign, ()):
                if not waiter.done():
                    waiter.set_exception(error)
                    self.waiting -= 1

    def _closed(self) -> DialerUnavailable:
        left = self._closed_until - self._clock.monotonic()
        return DialerUnavailable(self._tenant, f"asks to be left alone for {left:.0f} s", retry_after=left)

    async def _enter(self, lane: Lane, campaign: str) -> float:
        now = self._clock.monotonic()
        if now < self._closed_until:
            raise self._closed()
        if not self.waiting and self.in_use < self._concurrency and self._delay(now) <= 0:
            return self._take(now)
        waiter: _Waiter = asyncio.get_running_loop().create_future()
        self._lanes[lane].setdefault(campaign, deque()).append(waiter)
        self.waiting += 1
        self._give_turns()
        try:
            return await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self.waiting -= 1
            elif waiter.exception() is None:
                self.in_use -= 1
            self._give_turns()
            raise

    def _delay(self, now: float) -> float:
        return max(self._next, self._paused_until) - now

    def _take(self, now: float) -> float:
        self._next = max(self._next, now - _SLACK) + 1 / self.rate
        self.in_use += 1
        return now

    def _give_turns(self) -> None:
        while self.waiting and self.in_use < self._concurrency:
            now = self._clock.monotonic()
            if self._delay(now) > 0:
                if self._alarm is None or self._alarm.done():
                    self._alarm = asyncio.get_running_loop().create_task(self._ring(), name=f"pace {self._tenant}")
                return
            waiter = self._pop()
            if waiter is None:
                return
            self.waiting -= 1
            waiter.set_result(self._take(now))
        if self._alarm is not None and not self.waiting:
            self._alarm.cancel()
            self._alarm = None

    async def _ring(self) -> None:
        while (delay := self._delay(self._clock.monotonic())) > 0:
            await self._clock.sleep(delay)
        self._alarm = None
        self._give_turns()

    def _pop(self) -> _Waiter | None:
        """Return whose turn it is, None where all who waited have just gone away."""
        for queues in self._lanes.values():
            while queues:
                campaign, queue = next(iter(queues.items()))
                waiter = queue.popleft()
                if queue:
                    queues.move_to_end(campaign)
                else:
                    del queues[campaign]
                if not waiter.done():
                    return waiter
        return None
