"""Stopping: a pass that is told to stop gives up what it reads, and awaits and records what it has sent."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class PassStopped(Exception):
    """The pass was told to stop while nothing was in flight that has to be recorded."""


async def unless_stopped(stop: asyncio.Event, work: Coroutine[Any, Any, T]) -> T:
    """Return what ``work`` comes to. Raise PassStopped where ``stop`` is set before; the work is then cancelled."""
    working, told = asyncio.create_task(work), asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({working, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        if not working.done():
            working.cancel()
            await asyncio.wait({working})
    if working.cancelled():
        raise PassStopped
    return working.result()
