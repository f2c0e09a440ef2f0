"""What many tests share: one embedded PostgreSQL for the whole run, and a database of its own for each test."""

import logging
import os
import shutil
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import pytest_asyncio
import structlog
from hypothesis import settings

from syncd.state.embedded import embedded_postgres
from tests.careless import let_go_of_the_disk

# How fast an example is depends on what else the machine does. Speed is measured by `make bench`.
settings.register_profile("syncd", deadline=None)
settings.load_profile("syncd")

# A shell starts what it puts into the background with SIGINT ignored, and children would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def postgres_directory() -> Iterator[Path]:
    """A state directory with a short path, as sockets need it. The user of a server that root starts may pass it."""
    directory = Path(tempfile.mkdtemp(prefix="syncd-tests-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_url(postgres_directory: Path) -> AsyncIterator[str]:
    """The URL of a PostgreSQL that lives as long as the run of the tests."""
    async with embedded_postgres(postgres_directory) as url:
        let_go_of_the_disk(url)
        yield url


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """Gives the process its logs back, whatever a test sets up."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def database(postgres_url: str) -> Iterator[str]:
    """The URL of an empty database that is this test's alone, dropped with its sessions when the test is over."""
    name = f"test_{os.getpid()}_{uuid4().hex[:12]}"
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} STRATEGY file_copy")
        yield postgres_url.replace("/syncd?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
