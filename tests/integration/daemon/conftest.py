"""A company for each test of the daemon."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from company import Company, open_company

from syncd.clock import SystemClock
from syncd.daemon import fleet
from tests.clocks import SteeredClock


@pytest.fixture
async def company(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    """A company in the time that passes, whose hosts ask often who is due."""
    monkeypatch.setattr(fleet, "LOOK_SECONDS", 0.1)
    async with open_company(tmp_path, database, SystemClock()) as opened:
        yield opened


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SteeredClock:
    clock = SteeredClock(datetime(2026, 11, 24, 2, 41, 7, tzinfo=UTC))
    clock.govern(monkeypatch)
    return clock


@pytest.fixture
async def steered(tmp_path: Path, database: str, clock: SteeredClock) -> AsyncIterator[Company]:
    """A company whose time the test moves."""
    async with open_company(tmp_path, database, clock) as opened:
        yield opened
