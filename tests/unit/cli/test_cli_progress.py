"""How far a pass is, on a terminal."""

import asyncio
import io

import pytest
from rich.console import Console

from syncd.cli import progress
from syncd.cli.progress import TerminalProgress, shown
from syncd.sync import NoProgress


def test_the_step_and_how_much_of_it_is_done_are_shown() -> None:
    screen = io.StringIO()
    told = TerminalProgress("renewals", Console(file=screen, force_terminal=True, width=80))
    told.start()
    told.step("listing the campaign", 50, 1000)
    told.stop()
    assert "renewals: listing the campaign" in screen.getvalue()
    assert "50/1000" in screen.getvalue()


async def test_what_takes_less_than_its_time_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = io.StringIO()
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=screen, force_terminal=True, width=80))
    with shown("renewals") as told:
        told.step("listing the campaign", 50, 1000)
    assert "listing" not in screen.getvalue()

    monkeypatch.setattr(progress, "AFTER", 0.0)
    with shown("renewals") as told:
        await asyncio.sleep(0.01)
        told.step("listing the campaign", 50, 1000)
    assert "listing" in screen.getvalue()


async def test_what_is_no_terminal_gets_no_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "Console", lambda **_: Console(file=io.StringIO()))
    with shown("renewals") as told:
        assert isinstance(told, NoProgress)
