"""Running what a command does: to its end, or until it is told to stop."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any, TypeVar

from syncd.cli.screen import complain

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run to the end and return the result. SIGINT and SIGTERM cancel it: KeyboardInterrupt, after its clean-up."""
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        return asyncio.run(work)
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def stopping(stop: asyncio.Event, *, say: Callable[[str], None] = complain) -> Iterator[None]:
    """Let the first SIGINT or SIGTERM set ``stop`` and be told of, and a second one end the process at once."""
    loop = asyncio.get_running_loop()

    def told() -> None:
        if stop.is_set():
            end_at_once()
        stop.set()
        say("stopping: what is in flight is awaited and recorded; once more ends it at once")

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        loop.add_signal_handler(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


def end_at_once() -> None:
    """End the process without waiting for anything: what it had under way is settled by the next pass."""
    if sys.stderr.isatty():
        sys.stderr.write("\x1b[?25h")  # the cursor, which a progress bar hides
    sys.stderr.flush()
    os._exit(130)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    # A shell starts what it puts into the background with SIGINT ignored; SIGTERM ends it all the same.
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        raise KeyboardInterrupt
    signal.raise_signal(signal.SIGINT)
