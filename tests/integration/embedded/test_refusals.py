"""Where the server cannot run, one line says why and what to do."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest
from server_user import Start, wait_until

from syncd.errors import StateUnavailable
from syncd.state.embedded import embedded_postgres

IS_ROOT = os.geteuid() == 0
NOBODY = 65534
DAEMON = 1
as_root = pytest.mark.skipif(not IS_ROOT, reason="only root can arrange this")


async def _refusal(directory: Path) -> str:
    with pytest.raises(StateUnavailable) as caught:
        async with embedded_postgres(directory):
            pass
    sentence = caught.value.sentence()
    assert "\n" not in sentence
    assert sentence.startswith("state database: ")
    return sentence


def _runs(start: Start, directory: Path) -> bool:
    user = start(directory)
    user.said()
    answer = user.asked("SELECT 1")
    return answer == 1 and user.leave() == ""


def test_a_directory_that_may_not_be_written_is_named(fresh: Path, start: Start) -> None:
    fresh.chmod(0o555)
    said = start(fresh, user=NOBODY if IS_ROOT else None).leave()
    fresh.chmod(0o711)
    assert said.startswith(f"state database: {fresh}/postgres: Permission denied; let this user write there")


@as_root
def test_the_data_of_another_user_is_not_touched(fresh: Path, start: Start) -> None:
    os.chown(fresh, DAEMON, DAEMON)
    owner = start(fresh)
    owner.said()
    assert "belongs to daemon, and this is nobody; run syncd as daemon" in start(fresh, user=NOBODY).leave()
    assert owner.asked("SELECT 1") == 1
    owner.leave()


@as_root
def test_root_shares_the_server_of_the_directorys_owner(fresh: Path, start: Start) -> None:
    os.chown(fresh, NOBODY, NOBODY)
    first = start(fresh)  # as root, who leaves the running to the owner
    url = first.said()
    second = start(fresh, user=NOBODY)
    assert second.said() == url
    assert (fresh / "postgres").stat().st_uid == NOBODY
    first.leave()
    third = start(fresh)
    assert third.said() == url
    for user in (second, third):
        assert user.asked("SELECT 1") == 1
        user.leave()


async def test_a_file_is_no_directory(fresh: Path) -> None:
    file = fresh / "file"
    file.touch()
    assert f"{file}/postgres: Not a directory; set [state] directory to a directory" in await _refusal(file)


@as_root
async def test_a_folder_that_the_servers_user_cannot_pass_is_named(fresh: Path) -> None:
    closed = fresh / "closed"
    closed.mkdir(mode=0o700)
    (closed / "state").mkdir(mode=0o755)
    assert f"cannot reach {closed}/state/postgres; let it pass {closed}" in await _refusal(closed / "state")


@as_root
def test_a_root_who_can_become_nobody_else_is_told_so(fresh: Path, start: Start) -> None:
    namespace = ("unshare", "--user", "--map-root-user")
    if subprocess.run([*namespace, "true"], check=False).returncode:
        pytest.skip("user namespaces are not to be had here")
    said = start(fresh, before=namespace).leave()
    assert "PostgreSQL does not run as root, and root cannot become " in said
    assert said.endswith("run syncd as another user, or name a PostgreSQL server in [state] url")


@as_root
def test_a_full_disk_is_said_and_room_on_it_is_enough(fresh: Path, start: Start) -> None:
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs", fresh], check=False).returncode:
        pytest.skip("no small disk can be mounted here")
    try:
        assert "PostgreSQL needs 100 MB to begin with" in start(fresh).leave()
        subprocess.run(["mount", "-o", "remount,size=200m", fresh], check=True)
        assert _runs(start, fresh)
        full = fresh / "full"
        subprocess.run(["dd", "if=/dev/zero", f"of={full}", "bs=1M"], check=False, capture_output=True)
        assert "No space left on device" in start(fresh).leave()
        full.unlink()
        assert _runs(start, fresh)
    finally:
        subprocess.run(["umount", "--lazy", fresh], check=True)


async def test_data_of_another_version_is_named_with_the_way_out(fresh: Path) -> None:
    (fresh / "postgres" / "17").mkdir(parents=True)
    if IS_ROOT:
        for folder in (fresh, fresh / "postgres"):
            os.chown(folder, NOBODY, NOBODY)
    sentence = await _refusal(fresh)
    assert f"{fresh}/postgres/17 was written by PostgreSQL 17, and this is 18; dump it" in sentence


def test_damaged_data_is_reported_in_the_servers_words(fresh: Path, start: Start) -> None:
    assert _runs(start, fresh)
    (control,) = fresh.glob("postgres/*/global/pg_control")
    control.write_bytes(b"")
    said = start(fresh).leave()
    assert 'PostgreSQL does not start: PANIC:  could not read file "global/pg_control"' in said
    assert f"see {fresh}/postgres/log" in said


def test_a_package_without_programs_is_named(fresh: Path, start: Start) -> None:
    packages = fresh / "packages"
    (packages / "embedded_postgres").mkdir(parents=True)
    (packages / "embedded_postgres" / "__init__.py").touch()
    path = os.pathsep.join([str(packages), os.environ.get("PYTHONPATH", "")])
    said = start(fresh, environment={**os.environ, "PYTHONPATH": path}).leave()
    assert "the package embedded-postgres brings no PostgreSQL for this platform" in said


async def test_the_log_is_limited_and_holds_nobodys_data(fresh: Path) -> None:
    log, before = fresh / "postgres" / "log", fresh / "postgres" / "log.1"
    async with embedded_postgres(fresh) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("CREATE TABLE one (phone text PRIMARY KEY)")
            connection.execute("INSERT INTO one VALUES ('4420794600')")
            with pytest.raises(psycopg.errors.UniqueViolation):
                connection.execute("INSERT INTO one VALUES (%s)", ["4420794600"])
            wait_until(lambda: "duplicate key" in log.read_text())
            assert "4420794600" not in log.read_text()
            for _ in range(3):
                connection.execute(
                    "DO $$ BEGIN FOR n IN 1..900 LOOP RAISE LOG '%', repeat('x', 1000); END LOOP; END $$"
                )
        wait_until(before.exists)
    assert log.stat().st_size <= 1_000_000
    assert before.stat().st_size <= 1_000_000
