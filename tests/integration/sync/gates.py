"""Calls that a test keeps on their way for as long as it needs."""

import asyncio
from collections import defaultdict

from tests.stage import MovedClock


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
