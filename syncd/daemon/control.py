"""Control: how a command finds a configuration's daemon, has it read the file anew, and hears what came of it.

Each daemon keeps a small file in the runtime directory, else in the state directory, locked for as long as it lives:
whoever can lock it knows that its process is gone, whatever number the kernel has given away since.
"""

import fcntl
import json
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from syncd.config import Config
from syncd.errors import ConfigError, ConfigProblem

SYSTEM_DIRECTORY: Final = Path("/run/syncd")
"""Where a service of this name has its runtime directory, for whoever asks from outside of it."""

_FILE: Final = "daemon-{}.json"
"""What a daemon's file is called, by its number or by ``*`` for those of all."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a daemon says of itself."""

    pid: int
    config: str
    """The file, as an absolute path."""
    reloads: int = 0
    """How often it has been told to read it anew."""
    problem: str = ""
    """Why the last reading was not taken over; empty: it was."""


class Control:
    """The daemon's own end."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self._descriptor = descriptor
        self._told = Told(os.getpid(), str(path.absolute()))
        self._write()

    def reloaded(self, problem: str = "") -> None:
        """Say that the file was read anew, and why it was not taken over, if it was not."""
        self._told = replace(self._told, reloads=self._told.reloads + 1, problem=problem)
        self._write()

    def _write(self) -> None:
        content = json.dumps(asdict(self._told)).encode()
        os.pwrite(self._descriptor, content, 0)
        os.ftruncate(self._descriptor, len(content))


@contextmanager
def control(config: Config, environ: Mapping[str, str]) -> Iterator[Control]:
    """Be found by commands for as long as the context lasts. Raise ConfigError where there is no place for the file."""
    directory = _directories(config, environ)[0]
    file = directory / _FILE.format(os.getpid())
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        _clear(directory)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        wrong = f"{directory} cannot be written to: {error.strerror}"
        right = "name one that belongs to the user that syncd runs as"
        raise ConfigError(ConfigProblem(str(config.path), None, "[state] directory", wrong, right)) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield Control(descriptor, config.path)
    finally:
        file.unlink(missing_ok=True)
        os.close(descriptor)


@dataclass(frozen=True, slots=True)
class Found:
    """A daemon that runs."""

    file: Path
    told: Told

    def signal(self) -> None:
        """Tell it to read its file anew. Raise OSError where that is not allowed, or it has just ended."""
        os.kill(self.told.pid, signal.SIGHUP)

    def answer(self) -> Told | None:
        """Return what it says once it has read its file anew; None as long as it has not. Raise ProcessLookupError."""
        if not _alive(self.file):
            raise ProcessLookupError(self.told.pid)
        told = _read(self.file)
        return told if told is not None and told.reloads > self.told.reloads else None


def find(config: Config, environ: Mapping[str, str]) -> list[Found]:
    """Return the daemons that run with the file of a configuration, as far as this user can see."""
    found: dict[Path, Found] = {}
    for directory in _directories(config, environ):
        for file in sorted(directory.glob(_FILE.format("*"))):
            with suppress(OSError):
                told = _read(file)
                if told is not None and told.config == str(config.path.absolute()) and _alive(file):
                    found[file.resolve()] = Found(file, told)
    return list(found.values())


def _directories(config: Config, environ: Mapping[str, str]) -> list[Path]:
    runtime = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return [*([Path(runtime)] if runtime else []), config.state.directory, SYSTEM_DIRECTORY]


def _read(file: Path) -> Told | None:
    """Return what a file says; None where it is just being written."""
    try:
        return Told(**json.loads(file.read_bytes()))
    except (ValueError, TypeError):
        return None


def _clear(directory: Path) -> None:
    """Remove what daemons left that were killed."""
    for file in directory.glob(_FILE.format("*")):
        told = _read(file)
        if told is not None and not _alive(file):
            try:
                os.kill(told.pid, 0)
            except ProcessLookupError:
                file.unlink(missing_ok=True)
            except PermissionError:
                continue  # another's process by now; it is no matter of ours


def _alive(file: Path) -> bool:
    """Return whether the daemon that keeps a file still lives."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
