"""The keeper: the small process that starts the embedded PostgreSQL, counts its users, and stops it after the last.

:mod:`syncd.state.embedded` starts it as a script, isolated and without site packages, so it imports the standard
library alone: nothing that a user of the server has on its path or in its environment reaches the keeper or the server.

What is said over a connection: the keeper answers ``ready``, or ``failed`` with what is wrong and what to do, a line
each. Nothing follows. A user leaves by closing its side, or by dying; the keeper closes its own at once if others
remain, and otherwise when the server is down.
"""

import contextlib
import ctypes
import os
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DATABASE: Final = "syncd"
READY: Final = b"ready\n"
FAILED: Final = b"failed\n"

_PR_SET_PDEATHSIG: Final = 1
_SOCKET_PATH_LIMIT: Final = 107
_FIRST_SPACE: Final = 100 << 20
_LOG_LIMIT: Final = 1_000_000
_READY_POLL: Final = 0.02

# Beside these the defaults stand: what is committed is on disk.
_SETTINGS: Final = {
    "listen_addresses": "",
    # Root passes whatever the permission is, so root's commands share the server of a plain user's daemon.
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    # Code made at run time is what a service manager forbids that is told so (MemoryDenyWriteExecute).
    "jit": "off",
    "huge_pages": "off",
    # Containers give /dev/shm 64 MB or nothing, and a login manager empties it when its user logs out.
    "dynamic_shared_memory_type": "mmap",
    # The log must hold no row of anybody's data: no statements, no details of errors.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    "log_checkpoints": "off",
    "log_timezone": "UTC",
}


class CannotRunError(Exception):
    """The server cannot run: what is wrong, and what to do."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.what, self.advice = what, advice


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of the server: its data by major version, its log, and where its sockets are."""

    path: Path

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def socket_record(self) -> Path:
        """The file that names the folder of the sockets, which is elsewhere when the path here is too long."""
        return self.path / "socket-directory"

    def socket_directory(self) -> Path | None:
        """Return the folder of the sockets, or None if there is none that the server's own user made."""
        try:
            folder = Path(os.fsdecode(self.socket_record.read_bytes()))
            return folder if folder.lstat().st_uid == self.path.stat().st_uid and not folder.is_symlink() else None
        except OSError:
            return None

    def last_words(self) -> str:
        """Return the last line of the log, or an empty text."""
        try:
            return self.log.read_text(errors="replace").rstrip().rpartition("\n")[2]
        except OSError:
            return ""


def keeper_socket(directory: Path) -> str:
    """Return the path at which the keeper listens, for sockets in ``directory``."""
    return str(directory / "keeper")


def telling_line(lines: Sequence[str]) -> str:
    """Given what PostgreSQL wrote, return its first complaint, from which the others follow, else its last line."""
    complaints = (re.search(r"\b(FATAL|PANIC|error):(?!.*the database system is).*", line) for line in lines)
    first = next((found[0] for found in complaints if found), "")
    return first or next((line.strip() for line in reversed(lines) if line.strip()), "")


def cannot_become(who: str, error: OSError) -> tuple[str, str]:
    """Return what is wrong, and what to do, when root may not become ``who``."""
    return (
        f"PostgreSQL does not run as root, and root cannot become {who} here: {error.strerror}",
        "run syncd as another user, or name a PostgreSQL server in [state] url",
    )


class Log:
    """The server's log: one file and its predecessor, each of a megabyte at most."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.tail: deque[str] = deque(maxlen=20)

    def write(self, text: bytes) -> None:
        """Append ``text``. On a full disk it is lost, which must not stop the server."""
        self.tail.extend(text.decode(errors="replace").splitlines())
        with contextlib.suppress(OSError):
            if self._path.exists() and self._path.stat().st_size + len(text) > _LOG_LIMIT:
                self._path.replace(self._path.with_suffix(".1"))
            with self._path.open("ab") as file:
                file.write(text)


class Keeper:
    """One server, from its start to the departure of its last user."""

    def __init__(self, home: Home, binaries: Path, lock: int, first_user: socket.socket) -> None:
        self._home = home
        self._binaries = binaries
        self._lock = lock
        self._log = Log(home.log)
        self._users = {first_user}
        self._listener = socket.socket(socket.AF_UNIX)
        self._selector = selectors.DefaultSelector()
        self._server: subprocess.Popen[bytes] | None = None
        self._data = Path()
        self._ready = self._stopping = False

    def keep(self) -> None:
        """Start the server, serve its users, return when it is down."""
        try:
            self._become_the_servers_user()
            self._listen()
            self._data = self._data_of_this_version()
            self._server = self._start()
            self._serve(self._server)
        except CannotRunError as trouble:
            self._fail(trouble)
        except OSError as error:
            self._fail(CannotRunError(f"{error.filename or self._home.path}: {error.strerror}"))
        except Exception as error:  # whatever it is, the users are waiting to hear of it
            self._fail(CannotRunError(f"the keeper of PostgreSQL failed: {error!r}"))

    def _fail(self, trouble: CannotRunError) -> None:
        self._log.write(f"syncd: {trouble.what}\n".encode())
        self._accept_all()
        text = "\n".join(part.replace("\n", " ") for part in (trouble.what, trouble.advice))
        for user in self._users:
            _say(user, FAILED + text.encode())

    def _become_the_servers_user(self) -> None:
        """PostgreSQL refuses root, so root becomes the owner of the server's folder."""
        owner = self._home.path.stat()
        if os.geteuid() == 0:
            try:
                os.setgroups([])
                os.setgid(owner.st_gid)
                os.setuid(owner.st_uid)
            except OSError as error:
                raise CannotRunError(*cannot_become(f"user {owner.st_uid}", error)) from None
        for path, mode in ((self._home.path, os.R_OK | os.W_OK | os.X_OK), (self._program("postgres"), os.X_OK)):
            if not os.access(path, mode, effective_ids=True):
                raise CannotRunError(
                    f"user {os.geteuid()}, as whom PostgreSQL runs, cannot reach {path}",
                    f"let it pass {_first_closed(path)}, or move what it needs to where it can",
                )

    def _program(self, name: str) -> Path:
        return self._binaries / name

    def _listen(self) -> None:
        directory = self._make_socket_directory()
        path = keeper_socket(directory)
        # Whoever has the lock is the only keeper: these are left from one that was killed.
        for stale in (path, directory / ".s.PGSQL.5432", directory / ".s.PGSQL.5432.lock"):
            Path(stale).unlink(missing_ok=True)
        self._listener.bind(path)
        self._listener.listen(1024)
        self._listener.setblocking(False)
        self._sockets = directory

    def _make_socket_directory(self) -> Path:
        """Return the folder for the sockets: in the server's folder, or in a short one if that path is too long.

        It is recorded and stays the same, so that a server that comes back answers under the address it had.
        """
        own = self._home.path / "run"
        short = len(os.fsencode(own / ".s.PGSQL.5432")) <= _SOCKET_PATH_LIMIT
        if short and "," not in str(own):  # a comma separates hosts, for PostgreSQL and for its clients
            own.mkdir(mode=0o700, exist_ok=True)
            directory = own
        else:
            directory = self._recorded_directory() or _short_directory()
        written = self._home.socket_record.with_suffix(".new")
        written.write_bytes(os.fsencode(directory))
        written.replace(self._home.socket_record)
        return directory

    def _recorded_directory(self) -> Path | None:
        with contextlib.suppress(OSError):
            recorded = Path(os.fsdecode(self._home.socket_record.read_bytes()))
            with contextlib.suppress(FileExistsError):
                recorded.mkdir(mode=0o700)
            return self._home.socket_directory()
        return None

    def _data_of_this_version(self) -> Path:
        """Return the data directory, made if need be. Raise CannotRunError if the data is of another version."""
        version = subprocess.run(  # noqa: S603 - the package's own program
            [self._program("postgres"), "--version"], capture_output=True, text=True, check=False
        )
        found = re.search(r"\) (\d+)", version.stdout)
        if not found:
            raise CannotRunError(
                f"the PostgreSQL of the package does not run here: {telling_line(version.stderr.splitlines())}"
            )
        major = found[1]
        data = self._home.path / major
        if not data.exists():
            others = sorted(path.name for path in self._home.path.iterdir() if path.name.isdigit())
            if others:
                raise CannotRunError(
                    f"{self._home.path / others[-1]} was written by PostgreSQL {others[-1]}, and this is {major}",
                    "dump it with the syncd that wrote it (pg_dump), move it away, and restore the dump into the new "
                    "one; without it syncd does not know who was called",
                )
            self._initialise(data)
        # Every process of a server holds the lock that is the keeper's now, so none lives: whatever process has the
        # number that this file names, perhaps a stranger who got it anew, is no server of this directory.
        (data / "postmaster.pid").unlink(missing_ok=True)
        return data

    def _initialise(self, data: Path) -> None:
        """Make the data directory and its database under another name, so that half of it is never taken for whole."""
        free = shutil.disk_usage(self._home.path).free
        if free < _FIRST_SPACE:
            raise CannotRunError(
                f"PostgreSQL needs {_FIRST_SPACE >> 20} MB to begin with, and the disk of {self._home.path} has "
                f"{free >> 20} MB left",
                "make room on it, or set another [state] directory",
            )
        fresh = data.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        # Trust, because root's commands are not the server's user: the folder of the socket lets in only the two.
        how = ["--username=syncd", "--auth=trust", "--no-instructions", "--encoding=UTF8"]
        locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        self._run([self._program("initdb"), "-D", fresh, *how, *locale])
        self._run(
            [self._program("postgres"), "--single", "-D", fresh, "-c", "exit_on_error=on", "postgres"],
            f"CREATE DATABASE {DATABASE};\n",
        )
        fresh.rename(data)

    def _run(self, command: Sequence[str | Path], statements: str = "") -> None:
        done = subprocess.run(  # noqa: S603 - the package's own programs
            command,
            input=statements.encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
            pass_fds=(self._lock,),
            preexec_fn=_end_with(os.getpid()),
        )
        if done.returncode:
            self._log.write(done.stdout)
            raise CannotRunError(f"PostgreSQL cannot make its data directory: {telling_line(tuple(self._log.tail))}")

    def _start(self) -> subprocess.Popen[bytes]:
        settings = {**_SETTINGS, "unix_socket_directories": str(self._sockets)}
        options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
        server = subprocess.Popen(  # noqa: S603 - the package's own program
            [self._program("postgres"), "-D", self._data, *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            pass_fds=(self._lock,),  # so the lock is free only when the last process of the server is gone
            preexec_fn=_end_with(os.getpid()),
        )
        signal.signal(signal.SIGTERM, lambda *_: self._stop())
        return server

    def _serve(self, server: subprocess.Popen[bytes]) -> None:
        """Let users come and go until the server's end, which is the end of its log."""
        log = server.stderr.fileno() if server.stderr else -1
        self._selector.register(log, selectors.EVENT_READ)
        self._selector.register(self._listener, selectors.EVENT_READ)
        for user in self._users:
            self._selector.register(user, selectors.EVENT_READ)
        while True:
            events = self._selector.select(None if self._ready else _READY_POLL)
            for key, _ in events:
                if key.fileobj is self._listener:
                    self._welcome()
                elif isinstance(key.fileobj, socket.socket):
                    self._bid_farewell(key.fileobj)
                elif text := os.read(log, 65536):
                    self._log.write(text)
                else:
                    server.wait()
                    if not self._ready and not self._stopping:
                        raise CannotRunError(
                            f"PostgreSQL does not start: {telling_line(tuple(self._log.tail))}", self._see_log()
                        )
                    return
            if not self._ready and self._says_ready(server.pid):
                self._ready = True
                for user in self._users:
                    _say(user, READY)

    def _see_log(self) -> str:
        return f"see {self._home.log}; if its data is damaged, restore {self._data} from a backup"

    def _says_ready(self, pid: int) -> bool:
        try:
            lines = (self._data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return len(lines) > 7 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _accept_all(self) -> set[socket.socket]:
        """Return the users who came since the last look."""
        came = set()
        with contextlib.suppress(OSError):
            while True:
                user, _ = self._listener.accept()
                came.add(user)
        self._users |= came
        return came

    def _welcome(self) -> None:
        for user in self._accept_all():
            self._selector.register(user, selectors.EVENT_READ)
            if self._ready:
                _say(user, READY)

    def _bid_farewell(self, user: socket.socket) -> None:
        """Let a user go; the last one is kept waiting until the server is down, unless another came meanwhile."""
        self._selector.unregister(user)
        self._welcome()
        if self._users == {user}:
            self._stop()
        else:
            self._users.remove(user)
            user.close()

    def _stop(self) -> None:
        """Take no more users and shut the server down; its sessions are ended, its data is written."""
        if self._stopping or self._server is None:
            return
        self._stopping = True
        with contextlib.suppress(KeyError):
            self._selector.unregister(self._listener)
        Path(keeper_socket(self._sockets)).unlink(missing_ok=True)
        self._listener.close()
        self._server.send_signal(signal.SIGINT)


def _say(user: socket.socket, text: bytes) -> None:
    with contextlib.suppress(OSError):  # gone meanwhile
        user.sendall(text)


def _short_directory() -> Path:
    """Return a new folder for sockets with a short path that only this user may enter."""
    runtime = os.environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    # The service's own folder is first, because under systemd /tmp may be one that no command sees.
    base = runtime if runtime and os.access(runtime, os.W_OK | os.X_OK) else None
    return Path(tempfile.mkdtemp(prefix="syncd-", dir=base))


def _first_closed(path: Path) -> Path:
    """Return the first folder on the way to ``path`` that this user may not enter, or ``path`` itself."""
    path = Path(os.path.realpath(path))
    return next((parent for parent in reversed(path.parents) if not os.access(parent, os.X_OK)), path)


_LIBC: Final = ctypes.CDLL(None)


def _end_with(keeper: int) -> Callable[[], None]:
    """Return what a child does first: have the kernel shut it down fast if the keeper is killed.

    That signal comes when the thread that started the child ends, which here is the keeper's only one.
    """
    kind, fast_shutdown = ctypes.c_int(_PR_SET_PDEATHSIG), ctypes.c_ulong(signal.SIGINT)

    def arrange() -> None:
        _LIBC.prctl(kind, fast_shutdown)
        if os.getppid() != keeper:
            os._exit(1)

    return arrange


def main(home: str, binaries: str, lock: str, first_user: str) -> None:
    """Leave the starter's session, so that no ^C or hangup meant for it comes here, and keep the server."""
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    os.chdir("/")
    os.dup2(os.open(os.devnull, os.O_RDWR), sys.stderr.fileno())  # the starter waits for this end of its pipe
    user = socket.socket(fileno=int(first_user))
    user.set_inheritable(False)
    Keeper(Home(Path(home)), Path(binaries), int(lock), user).keep()


if __name__ == "__main__":
    main(*sys.argv[1:])
