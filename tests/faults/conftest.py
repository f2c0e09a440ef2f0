"""A company for each test of the faults."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.company import Company, open_company


@pytest.fixture
def company(tmp_path: Path, database: str) -> Iterator[Company]:
    with open_company(tmp_path, database) as opened:
        yield opened
