"""The embedded PostgreSQL under syncd is killed, part by part, and its disk runs full."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from syncd.simulator import Call, Fault, FaultKind
from tests.faults import laws
from tests.faults.company import Company, open_company, until
from tests.integration.embedded.server_user import ServerUser, keeper_pid, server_pid


def backend_pid(directory: Path, url: str) -> int:
    """Return the process of a session of syncd."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'syncd'").fetchall()
    return int(rows[0][0])


@contextmanager
def state_directory() -> Iterator[Path]:
    """Yield a directory with a path that is short enough for sockets, and that the server's user may pass."""
    directory = Path(tempfile.mkdtemp(prefix="syncd-tests-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


@contextmanager
def server_kept(company: Company, directory: Path) -> Iterator[None]:
    """Keep the server running meanwhile, so that the tests can ask it."""
    keeping = ServerUser(directory)
    try:
        company.state_url = keeping.said()
        yield
    finally:
        keeping.leave()


@pytest.fixture
def home() -> Iterator[Path]:
    with state_directory() as directory:
        yield directory


@pytest.fixture
def embedded(tmp_path: Path, home: Path) -> Iterator[Company]:
    """A company whose syncd runs its own PostgreSQL."""
    with open_company(tmp_path, "") as company:
        company.state = f'directory = "{home}"'
        yield company


@pytest.mark.prove
@pytest.mark.parametrize("victims", [[server_pid], [backend_pid, server_pid, keeper_pid, server_pid]])
def test_a_daemon_whose_postgresql_is_killed_carries_on_by_itself(
    embedded: Company, home: Path, victims: list[Callable[..., int]]
) -> None:
    with server_kept(embedded, home):
        url = embedded.state_url
    embedded.want(*range(1, 11))
    daemon = embedded.start("run")
    try:
        until(lambda: embedded.ringing == embedded.due.keys(), daemon)
        for number, victim in enumerate(victims):
            armed = embedded.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.3))
            embedded.want(*range(20 + 10 * number, 30 + 10 * number))
            until(lambda armed=armed: armed.struck, daemon)
            os.kill(victim(home, url) if victim is backend_pid else victim(home), signal.SIGKILL)
            embedded.want(100 + number)
            until(lambda: embedded.ringing == embedded.due.keys(), daemon, limit=60)
    finally:
        daemon.send_signal(signal.SIGTERM)
        said, _ = daemon.communicate(timeout=90)
    assert daemon.returncode == 0, said
    assert "Traceback" not in said, said
    assert said.count("state database: ") >= len(victims), "nothing was killed under a pass"
    with server_kept(embedded, home):
        laws.hold(embedded)


def test_while_the_disk_of_the_state_is_full_nothing_goes_wrong_and_room_on_it_mends_all(
    embedded: Company, home: Path
) -> None:
    with small_disk(home):
        embedded.want(*range(1, 30))
        embedded.passes(2)
        ballast = home / "ballast"
        with ballast.open("wb") as file, suppress(OSError):
            while True:
                file.write(bytes(1 << 16))
                file.flush()
        embedded.want(*range(100, 700))
        embedded.suppress(1)
        failed = embedded.start("once")
        said, _ = failed.communicate(timeout=90)
        assert (failed.returncode, said.count("\n")) == (1, 1), said
        assert "state database: " in said
        ballast.unlink()
        with server_kept(embedded, home):
            laws.hold(embedded)


@contextmanager
def small_disk(directory: Path) -> Iterator[None]:
    """Mount a disk of 160 MB; only root may, and whoever runs these tests elsewhere is told so."""
    mounting = ["mount", "-t", "tmpfs", "-o", "size=160m,mode=711", "tmpfs", str(directory)]
    if subprocess.run(mounting, check=False, capture_output=True).returncode:
        pytest.fail("a small disk cannot be mounted here: run the tests of full disks as root")
    with ExitStack() as at_end:
        at_end.callback(subprocess.run, ["umount", "--lazy", str(directory)], check=True)
        yield
