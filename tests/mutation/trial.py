"""Trying mutants: the tests of their file, for each in a process that imports the mutant in place of the file.

One pytest starts, and before it loads anything of the tests or of syncd forks a process for each mutant, so that what
all have in common is loaded once. Nothing is written: a mutant exists in the memory of its process alone. All share
one PostgreSQL, whose template has the state's schema. Programs that a test starts run the file as it is.
"""

import importlib
import importlib.abc
import importlib.util
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

import hypothesis
import pytest
from hypothesis import HealthCheck, Phase

from tests.mutation.edits import Mutant

NICE = 15
FIRST_LIMIT = 600.0
"""Seconds within which the tests pass as the files are; a mutant's limit is a multiple of what they took."""
LOADED = ("aiohttp", "alembic.command", "httpx", "httpx_aiohttp", "psycopg", "pydantic", "sqlalchemy")
"""What each process would load anew."""
BRIEFLY = ("-x", "-q", "-s", "--assert=plain", "--tb=no")
"""Nobody reads what the tests say, so that it need not be found out."""
PLAINLY = hypothesis.settings(
    deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), phases=(Phase.explicit, Phase.generate)
)
"""A slow machine is no mistake of a mutant's, and nobody reads the smallest example that kills it."""
POLL = 0.02


class Fate(StrEnum):
    """What became of a mutant."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMEOUT = "timeout"
    """The tests did not end in time, which a person would have noticed."""


Told = Callable[[Mutant, Fate], None]


def try_all(mutants: Sequence[Mutant], tests: Sequence[str], server: str, jobs: int, told: Told) -> None:
    """Run the tests against each mutant until one fails, and tell its fate. Raise SystemExit if they fail as it is."""
    for name in LOADED:
        importlib.import_module(name)
    hypothesis.settings.register_profile("mutants", PLAINLY)
    hypothesis.settings.load_profile("mutants")
    os.nice(NICE)
    try:
        result = pytest.main([*BRIEFLY, *tests], plugins=[_Forks(mutants, server, jobs, told)])
    except _AllTried:
        return
    os._exit(result)


class _AllTried(Exception):
    """Raised in the process that forks, which itself runs no test."""


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    mutant: Mutant | None
    ends: float


class _Forks:
    """Forks before anything of syncd is imported: a child goes on with its mutant, the parent never does."""

    def __init__(self, mutants: Sequence[Mutant], server: str, jobs: int, told: Told) -> None:
        self._mutants = mutants
        self._server = server
        self._jobs = jobs
        self._told = told

    @pytest.hookimpl(tryfirst=True)
    def pytest_load_initial_conftests(self) -> None:
        began = time.monotonic()
        first = self._fork(None, FIRST_LIMIT)
        if first is None:
            return
        if self._ended(first) is not Fate.SURVIVED:
            raise SystemExit("the tests fail as the files are")
        limit = 20 + 5 * self._jobs * (time.monotonic() - began)
        print(f"{len(self._mutants)} mutants, {time.monotonic() - began:.0f} s for all tests", flush=True)
        if self._each(limit):
            raise _AllTried

    def _each(self, limit: float) -> bool:
        """Try every mutant, some side by side; return whether this is the parent."""
        running: list[_Process] = []
        for mutant in self._mutants:
            while len(running) >= self._jobs:
                running = list(self._still(running))
            forked = self._fork(mutant, limit)
            if forked is None:
                return False
            running.append(forked)
        while running:
            running = list(self._still(running))
        return True

    def _still(self, running: Iterable[_Process]) -> Iterator[_Process]:
        """Tell who has ended, and return the others after a moment."""
        time.sleep(POLL)
        for process in running:
            fate = self._fate(process)
            if fate is None:
                yield process
            elif process.mutant is not None:
                self._told(process.mutant, fate)

    def _ended(self, process: _Process) -> Fate:
        while (fate := self._fate(process)) is None:
            time.sleep(POLL)
        return fate

    def _fate(self, process: _Process) -> Fate | None:
        pid, status = os.waitpid(process.pid, os.WNOHANG)
        if pid:
            return Fate.SURVIVED if status == 0 else Fate.KILLED
        if time.monotonic() < process.ends:
            return None
        os.killpg(process.pid, signal.SIGKILL)
        os.waitpid(process.pid, 0)
        return Fate.TIMEOUT

    def _fork(self, mutant: Mutant | None, limit: float) -> _Process | None:
        sys.stdout.flush()
        if pid := os.fork():
            return _Process(pid, mutant, time.monotonic() + limit)
        os.setpgid(0, 0)
        for stream in (1, 2):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream)
        if mutant is not None:
            sys.meta_path.insert(0, _Mutated(mutant))
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_fixture_setup(self, fixturedef: pytest.FixtureDef[str], request: pytest.FixtureRequest) -> str | None:
        """Give the tests the one server in place of one that they would start."""
        if fixturedef.argname != "postgres_url":
            return None
        fixturedef.cached_result = (self._server, fixturedef.cache_key(request), None)
        return self._server


class _Mutated(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports one module from its mutant, and leaves the others to Python."""

    def __init__(self, mutant: Mutant) -> None:
        self._path = Path(mutant.path)
        self._text = mutant.text
        parts = self._path.with_suffix("").parts
        self._package = parts[-1] == "__init__"
        self._name = ".".join(parts[:-1] if self._package else parts)

    def find_spec(self, fullname: str, path: object, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        within = [str(self._path.parent.absolute())] if self._package else None
        return importlib.util.spec_from_file_location(
            fullname, self._path, loader=self, submodule_search_locations=within
        )

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._text, self._path, "exec"), module.__dict__)  # noqa: S102 - the mutant
