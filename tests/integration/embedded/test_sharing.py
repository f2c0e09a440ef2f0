"""One server for all who use it, from the first of them to the last."""

import asyncio
import fcntl
import os
import signal
from pathlib import Path

import psycopg
import pytest
from server_user import Start, answers, lives, server_pid, wait_until

from syncd.state.embedded import embedded_postgres


async def test_the_first_start_makes_a_database_in_unicode(fresh: Path) -> None:
    async with embedded_postgres(fresh) as url, await psycopg.AsyncConnection.connect(url) as connection:
        row = await (
            await connection.execute("SELECT current_database(), current_setting('server_encoding'), upper('ä')")
        ).fetchone()
    assert row == ("syncd", "UTF8", "Ä")


async def test_the_server_is_deaf_to_the_network_and_durable(state: Path) -> None:
    async with embedded_postgres(state) as url, await psycopg.AsyncConnection.connect(url) as connection:
        names = ("listen_addresses", "jit", "fsync", "synchronous_commit", "full_page_writes")
        values = [(await (await connection.execute("SELECT current_setting(%s)", [name])).fetchone()) for name in names]
    assert values == [("",), ("off",), ("on",), ("on",), ("on",)]


def test_two_processes_share_one_server(state: Path, start: Start) -> None:
    first, second = start(state), start(state)
    assert first.said() == second.said()
    start_time = "SELECT pg_postmaster_start_time()::text"
    assert first.asked(start_time) == second.asked(start_time)
    assert first.asked("SELECT pg_backend_pid()") != second.asked("SELECT pg_backend_pid()")
    first.leave()
    second.leave()


def test_who_leaves_last_leaves_no_server_behind(state: Path, start: Start) -> None:
    user = start(state)
    user.said()
    server = server_pid(state)
    assert lives(server)
    assert user.leave() == ""
    assert not lives(server)


def in_use(state: Path) -> bool:
    """Return whether a keeper or anything of its server is there."""
    folder = os.open(state / "postgres", os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(folder)
    return False


async def test_who_is_stopped_while_the_server_starts_leaves_none_behind(state: Path) -> None:
    async def join() -> None:
        async with embedded_postgres(state):
            await asyncio.sleep(60)

    async with embedded_postgres(state):
        pass
    async with asyncio.timeout(60):
        while in_use(state):  # noqa: ASYNC110 - what is waited for happens in the keeper
            await asyncio.sleep(0.01)
        joining = asyncio.create_task(join())
        while not in_use(state):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    joining.cancel()
    with pytest.raises(asyncio.CancelledError):
        await joining
    assert not list((state / "postgres").glob("*/postmaster.pid"))


async def test_an_exception_stops_the_server_as_well(state: Path) -> None:
    seen = []

    async def fail() -> None:
        async with embedded_postgres(state):
            seen.append(server_pid(state))
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    assert not lives(*seen)


def test_the_starter_leaves_and_the_other_goes_on_in_its_session(state: Path, start: Start) -> None:
    starter = start(state)
    starter.said()
    other = start(state)
    other.said()
    session = other.asked("SELECT pg_backend_pid()")
    starter.leave()
    assert other.asked("SELECT pg_backend_pid()") == session
    other.leave()


def test_the_starter_is_killed_and_the_other_goes_on_in_its_session(state: Path, start: Start) -> None:
    starter = start(state)
    starter.said()
    other = start(state)
    other.said()
    session = other.asked("SELECT pg_backend_pid()")
    starter.kill()
    assert other.asked("SELECT pg_backend_pid()") == session
    other.leave()


def test_an_interrupt_for_the_starters_terminal_does_not_reach_the_server(state: Path, start: Start) -> None:
    starter = start(state)
    starter.said()
    other = start(state)
    other.said()
    session = other.asked("SELECT pg_backend_pid()")
    os.killpg(starter.pid, signal.SIGINT)
    assert "KeyboardInterrupt" in starter.leave()
    assert other.asked("SELECT pg_backend_pid()") == session
    other.leave()


def test_a_killed_last_user_takes_the_server_along(state: Path, start: Start) -> None:
    user = start(state)
    user.said()
    server = server_pid(state)
    user.kill()
    wait_until(lambda: not lives(server))


def test_twenty_processes_come_and_go_at_once(state: Path, start: Start) -> None:
    users = [start(state) for _ in range(20)]
    assert len({user.said() for user in users}) == 1
    assert len({user.asked("SELECT pg_postmaster_start_time()::text") for user in users}) == 1
    server = server_pid(state)
    for user in users[::2]:
        user.kill()
    assert lives(server)
    assert [user.leave() for user in users[1::2]] == [""] * 10
    wait_until(lambda: not lives(server))


async def test_a_process_may_use_the_server_twice(state: Path) -> None:
    async with embedded_postgres(state) as outer:
        async with embedded_postgres(state) as inner:
            assert inner == outer
        assert answers(outer)


def test_who_comes_while_the_server_goes_down_gets_the_next_one(state: Path, start: Start) -> None:
    urls = set()
    for _ in range(3):
        leaving = start(state)
        urls.add(leaving.said())
        coming = start(state)
        leaving.kill()
        urls.add(coming.said())
        assert coming.asked("SELECT 1") == 1
        coming.leave()
    assert len(urls) == 1


@pytest.mark.parametrize("name", ["long" * 30, "a,comma"])
def test_a_path_that_a_socket_cannot_have_gets_a_short_folder_that_all_find(
    fresh: Path, start: Start, name: str
) -> None:
    directory, runtime = fresh / name, fresh / "runtime"
    runtime.mkdir()
    runtime.chmod(0o777)
    daemon = start(directory, environment={**os.environ, "RUNTIME_DIRECTORY": str(runtime)})
    url = daemon.said()
    assert f"host={runtime}/syncd-" in url
    command = start(directory)
    assert command.said() == url
    command.leave()
    daemon.leave()


def test_the_server_learns_nothing_from_the_environment_of_its_starter(state: Path, start: Start) -> None:
    secrets = {
        "ACME_TOKEN": "not-for-the-server",
        "NOTIFY_SOCKET": "/run/nobody",
        "PGDATA": "/nowhere",
        "TZ": "Asia/Tokyo",
    }
    user = start(state, environment={**os.environ, **secrets})
    user.said()
    environment = Path(f"/proc/{server_pid(state)}/environ").read_bytes()
    user.leave()
    assert b"PATH=" in environment
    assert [name for name in secrets if name.encode() + b"=" in environment] == []


async def test_only_its_user_and_root_may_enter_where_data_and_sockets_are(state: Path) -> None:
    async with embedded_postgres(state):
        modes = {path.name: path.stat().st_mode & 0o777 for path in (state / "postgres").iterdir() if path.is_dir()}
        home = (state / "postgres").stat()
    assert home.st_mode & 0o777 == 0o700
    assert set(modes.values()) == {0o700}
    assert home.st_uid != 0
