"""After a kill -9 of whichever part, the server is there again and has kept what was committed."""

import os
import signal
import subprocess
from pathlib import Path

import psycopg
import pytest
from server_user import Start, answers, keeper_pid, lives, server_pid, wait_until

from syncd.state.embedded import embedded_postgres, ensure_running


def _kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not lives(pid))


async def test_a_killed_server_is_started_anew_for_those_who_use_it(state: Path) -> None:
    async with embedded_postgres(state) as url:
        with psycopg.connect(url) as connection:
            connection.execute("DROP TABLE IF EXISTS kept")
            connection.execute("CREATE TABLE kept AS SELECT 42 AS number")
        killed = server_pid(state)
        _kill(killed)
        await ensure_running(state)
        assert server_pid(state) != killed
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT number FROM kept").fetchall() == [(42,)]


async def test_a_killed_keeper_takes_its_server_down_and_both_come_back(state: Path) -> None:
    async with embedded_postgres(state) as url:
        server = server_pid(state)
        _kill(keeper_pid(state))
        wait_until(lambda: not lives(server))
        await ensure_running(state)
        assert answers(url)


async def test_a_keeper_that_is_told_to_end_shuts_the_server_down_in_order(state: Path) -> None:
    async with embedded_postgres(state) as url:
        server = server_pid(state)
        os.kill(keeper_pid(state), signal.SIGTERM)
        wait_until(lambda: not lives(server))
        assert "database system is shut down" in (state / "postgres" / "log").read_text().splitlines()[-1]
        await ensure_running(state)
        assert answers(url)


async def test_a_killed_session_is_ridden_out(state: Path) -> None:
    async with embedded_postgres(state) as url:
        with psycopg.connect(url) as connection:
            _kill(connection.info.backend_pid)
            with pytest.raises(psycopg.OperationalError):
                connection.execute("SELECT 1")
        await ensure_running(state)
        assert answers(url)


async def test_nobodys_exit_stops_the_server_under_another_after_a_crash_either(state: Path, start: Start) -> None:
    other = start(state)
    url = other.said()
    assert other.asked("SELECT 1") == 1
    async with embedded_postgres(state):
        _kill(server_pid(state))
        await ensure_running(state)
    wait_until(lambda: answers(url))
    server = server_pid(state)
    other.kill()
    wait_until(lambda: not lives(server))


def test_everything_is_killed_at_once_and_the_next_start_has_what_was_committed(state: Path, start: Start) -> None:
    user = start(state)
    user.said()
    user.asked("DROP TABLE IF EXISTS kept")
    user.asked("CREATE TABLE kept AS SELECT 43 AS number")
    keeper, server = keeper_pid(state), server_pid(state)
    for pid in (keeper, server, user.pid):
        os.kill(pid, signal.SIGKILL)
    user.leave()
    wait_until(lambda: not lives(server) and not lives(keeper))
    assert list(state.glob("postgres/*/postmaster.pid")), "a killed server leaves its file"
    after = start(state)
    after.said()
    assert after.asked("SELECT number FROM kept") == 43
    after.leave()


def test_a_process_id_that_went_to_a_stranger_blocks_nothing(state: Path, start: Start) -> None:
    user = start(state)
    url = user.said()
    (lock,) = state.glob("postgres/*/postmaster.pid")
    text, owner = lock.read_text(), lock.stat()
    socket_lock = Path(url.partition("host=")[2]) / ".s.PGSQL.5432.lock"
    user.leave()
    as_owner = owner.st_uid if os.geteuid() == 0 else None
    with subprocess.Popen(["sleep", "60"], user=as_owner) as stranger:
        for file in (lock, socket_lock):
            file.write_text(text.replace(text.split("\n")[0], str(stranger.pid), 1))
            os.chown(file, owner.st_uid, owner.st_gid)
        after = start(state)
        assert after.said() == url
        assert stranger.poll() is None
        after.leave()
        stranger.kill()


def test_a_first_start_that_was_killed_in_the_middle_is_begun_again(fresh: Path, start: Start) -> None:
    user = start(fresh)
    wait_until(lambda: bool(list(fresh.glob("postgres/*.new/base"))))
    user.kill()
    assert not [path for path in fresh.glob("postgres/*") if path.name.isdigit()]
    after = start(fresh)
    after.said()
    assert after.asked("SELECT 1") == 1
    after.leave()


async def test_only_a_user_of_the_server_can_have_it_kept_running(fresh: Path) -> None:
    with pytest.raises(ValueError, match="does not use the server"):
        await ensure_running(fresh)
