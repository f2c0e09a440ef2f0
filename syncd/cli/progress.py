"""How far a pass is, on a terminal, once it takes longer than a second."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar

from syncd.sync import NoProgress, Progress

AFTER: Final = 1.0
"""Seconds before there is anything to see."""


@contextmanager
def shown(title: str) -> Iterator[Progress]:
    """Yield a progress that is shown on the standard error where that is a terminal, and gone at exit."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield NoProgress()
        return
    progress = TerminalProgress(title, console)
    timer = asyncio.get_running_loop().call_later(AFTER, progress.start)
    try:
        yield progress
    finally:
        timer.cancel()
        progress.stop()


class TerminalProgress:
    """One line with the step of a pass, and a bar where it is known how much is to be done."""

    def __init__(self, title: str, console: Console) -> None:
        self._title = title
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._task = self._bar.add_task(title, total=None)
        self._step = ""

    def start(self) -> None:
        """Begin to show it."""
        self._bar.start()

    def stop(self) -> None:
        """Take it off the terminal."""
        self._bar.stop()

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        if name != self._step:
            self._step = name
            self._bar.reset(self._task, description=f"{self._title}: {name}")
        self._bar.update(self._task, completed=done, total=total)
