"""A watch for each test of the notices."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from watching import Watch

from syncd.report.notify import Notifier
from tests.receiving import Receiver, receiving
from tests.stage import open_stage


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
async def watch(tmp_path: Path, database: str, receiver: Receiver) -> AsyncIterator[Watch]:
    async with open_stage(tmp_path, database) as stage:
        with structlog.testing.capture_logs() as logged:
            yield Watch(stage, receiver, Notifier(stage.clock), (receiver.notices(),), logged)
