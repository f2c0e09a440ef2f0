"""A stage for each property; its examples share the database."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stage import Stage, open_stage


@pytest.fixture
async def stage(tmp_path: Path, database: str) -> AsyncIterator[Stage]:
    async with open_stage(tmp_path, database) as opened:
        yield opened
