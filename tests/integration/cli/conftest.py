"""A desk for each test of the commands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import CommandLine, answering, new_tenant, state_of

from tests.stage import Crm


@pytest.fixture
def desk(
    tmp_path: Path, database: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[CommandLine]:
    tenant = new_tenant()
    with answering(tenant) as url:
        desk = CommandLine(tmp_path, url, tenant, Crm(tmp_path / "crm.sqlite"), capsys, state_of(database))
        for name, token in desk.tokens.items():
            monkeypatch.setenv(name, token)
        yield desk


@pytest.fixture(autouse=True)
def _logs_as_before(logs_as_before: None) -> None:
    """Commands set up the logs of the process."""
