"""Calls that a test keeps on their way, and sleepers whom it wakes, when it needs them to be."""

import asyncio
from collections import defaultdict
from datetime import timedelta

from pass_story import good_pass, until

from syncd.simulator import Call, Fault, FaultKind
from tests.stage import MovedClock, Stage


class Gate(MovedClock):
    """A tenant's clock: whom a fault delays by so many seconds waits until the gate of that name is opened."""

    def __init__(self) -> None:
        super().__init__()
        self._gates: defaultdict[float, asyncio.Event] = defaultdict(asyncio.Event)

    async def sleep(self, seconds: float) -> None:
        if seconds:
            await self._gates[seconds].wait()

    def open(self, seconds: float) -> None:
        self._gates[seconds].set()


async def hold_up_a_reschedule(stage: Stage) -> Gate:
    """Let the next pass reschedule customer 7; return the clock of a tenant at whose gate 1 its delete waits."""
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(7, at=soon)
    await good_pass(stage)
    stage.crm.update(7, at=soon + timedelta(hours=1))
    stage.tenant.clock = gate = Gate()
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.DELETE}), seconds=1))
    return gate


class Alarm(MovedClock):
    """A clock whose sleepers are woken by hand."""

    def __init__(self) -> None:
        super().__init__()
        self.woken = asyncio.Event()
        self.asked: list[float] = []
        """For how long each sleep was meant."""

    async def sleep(self, seconds: float) -> None:
        self.asked.append(seconds)
        await self.woken.wait()
        self.woken.clear()


async def read_again(alarm: Alarm) -> None:
    """Have the list read anew, and wait until what it says is in force."""
    asked = len(alarm.asked)
    alarm.woken.set()
    await until(lambda: len(alarm.asked) > asked)
