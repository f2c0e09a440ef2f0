"""A thread that runs one call after another for the event loop."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any, TypeVar

T = TypeVar("T")


class Worker:
    """One daemon thread: drivers want all calls of a connection from one thread.

    It is no pool of the standard library, because a pool's threads keep the process from ending when a driver hangs.
    """

    def __init__(self, name: str) -> None:
        self.idle = threading.Event()
        """Set while no call is being run."""
        self.idle.set()
        self._jobs: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    def submit(self, call: Callable[[], T]) -> Future[T]:
        """Have a call run after those before it, and return its future."""
        future: Future[T] = Future()

        def job() -> None:
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)

        self._jobs.put(job)
        return future

    def stop(self) -> None:
        """Let the thread end after the calls that it has."""
        self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self.idle.clear()
            job()
            self.idle.set()


async def settled(call: Future[Any], *others: asyncio.Future[Any], timeout: float | None = None) -> None:
    """Wait until a call or one of the others is done, so many seconds at most. Nothing is cancelled, nothing raised."""
    arrival = asyncio.wrap_future(call)
    arrival.add_done_callback(_seen)
    await asyncio.wait({arrival, *others}, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)


def _seen(future: asyncio.Future[Any]) -> None:
    """Look at the error of a future that nobody may ask any more, so that the loop does not complain of it."""
    if not future.cancelled():
        future.exception()
