"""Directories for servers of the embedded PostgreSQL."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from server_user import ServerUser, Start, wait_until


@contextmanager
def _state_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="syncd-tests-"))
    directory.chmod(0o711)  # root's server runs as a user who has to pass
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def fresh() -> Iterator[Path]:
    """A state directory without anything in it."""
    with _state_directory() as directory:
        yield directory


@pytest.fixture(scope="session")
def _used() -> Iterator[Path]:
    with _state_directory() as directory:
        yield directory


@pytest.fixture
def state(_used: Path) -> Iterator[Path]:
    """A state directory in which servers have run before, since the first start is slow. None may run afterwards."""
    yield _used
    wait_until(lambda: not list(_used.glob("postgres/*/postmaster.pid")))


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts a process that uses the server in a directory; those that a failed test left are killed."""
    with ExitStack() as left:

        def start_one(*arguments: object, **options: object) -> ServerUser:
            user = ServerUser(*arguments, **options)
            left.callback(user.kill)
            return user

        yield start_one
