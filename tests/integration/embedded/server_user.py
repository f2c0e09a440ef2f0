"""A process of its own that uses the embedded PostgreSQL, as the daemon or a command does.

As a script it joins the server in a directory, says the URL, answers each statement from its standard input on one
lasting connection, and leaves at the end of the input. An error that it can explain is its last line.
"""

import asyncio
import json
import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg

from syncd.errors import StateUnavailable
from syncd.state.embedded import embedded_postgres


class ServerUser:
    """Such a process, seen from the test that started it."""

    def __init__(
        self,
        directory: Path,
        *,
        before: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        user: int | None = None,
    ) -> None:
        self._process = subprocess.Popen(
            [*before, sys.executable, __file__, str(directory), *([] if user is None else [str(user)])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self) -> str:
        """Return the next line that the process says: its URL at first, an answer later."""
        assert self._process.stdout
        return self._process.stdout.readline().rstrip("\n")

    def asked(self, statement: str) -> object:
        """Return the value that the statement has in the process's own session."""
        assert self._process.stdin
        self._process.stdin.write(statement + "\n")
        self._process.stdin.flush()
        return json.loads(self.said())

    def leave(self) -> str:
        """Let the process end in an orderly way, and return what it still said."""
        rest, _ = self._process.communicate(timeout=90)
        return rest.strip()

    def kill(self) -> None:
        """Kill the process, if it has not ended."""
        self._process.kill()
        self._process.communicate()


Start = Callable[..., ServerUser]


def wait_until(condition: Callable[[], bool], limit: float = 60.0) -> None:
    """Return when the condition holds; fail when it does not within so many seconds."""
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, f"not within {limit} s"
        time.sleep(0.02)


def server_pid(directory: Path) -> int:
    """Return the process id of the server that runs in the directory."""
    (lock,) = (directory / "postgres").glob("*/postmaster.pid")
    return int(lock.read_text().split("\n")[0])


def keeper_pid(directory: Path) -> int:
    """Return the process id of the keeper, which is the server's parent."""
    return int(Path(f"/proc/{server_pid(directory)}/stat").read_text().rpartition(")")[2].split()[1])


def lives(pid: int) -> bool:
    """Return whether there is such a process that is not a zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def answers(url: str) -> bool:
    """Return whether the server takes connections."""
    try:
        psycopg.connect(url, connect_timeout=20).close()
    except psycopg.OperationalError:
        return False
    return True


async def _use(directory: Path) -> None:
    try:
        async with embedded_postgres(directory) as url:
            print(url, flush=True)
            async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
                while statement := await asyncio.to_thread(sys.stdin.readline):
                    cursor = await connection.execute(statement.encode())
                    row = await cursor.fetchone() if cursor.description else None
                    print(json.dumps(row and row[0]), flush=True)
    except StateUnavailable as error:
        print(error.sentence())


def _become(user: int) -> None:
    """Cease to be root, with everything loaded that root's Python may hide from others."""
    asyncio.run(asyncio.to_thread(pwd.getpwuid, user))
    os.setgroups([])
    os.setgid(user)
    os.setuid(user)


if __name__ == "__main__":
    for user in sys.argv[2:]:
        _become(int(user))
    asyncio.run(_use(Path(sys.argv[1])))
