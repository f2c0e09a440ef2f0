"""What is wrong with the file, gathered until all of it is known."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

from syncd.errors import ConfigProblem

KeyPath: TypeAlias = tuple[str | int, ...]
"""Where a value stands: names of tables and keys, and positions in lists."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong with the value of a key; never the value itself, which may be a secret.

    ``right`` left empty means that an example of the key says enough. ``within`` leads from the key to the part of its
    value that is meant.
    """

    wrong: str
    right: str = ""
    within: KeyPath = ()


class SettingError(ValueError):
    """A value cannot be used; every fault in it is given."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(fault.wrong for fault in faults))
        self.faults = faults


class Problems:
    """The problems of one file, each once, in the order of its lines."""

    def __init__(self, file: str, lines: Mapping[KeyPath, int]) -> None:
        self._file = file
        self._lines = lines
        self._found: dict[ConfigProblem, None] = {}

    def add(self, path: KeyPath, wrong: str, right: str) -> None:
        """Note what is wrong at ``path``; a key that is not in the file has the line of its section."""
        self._found[ConfigProblem(self._file, self._line(path), shown(path), wrong, right)] = None

    def all(self) -> tuple[ConfigProblem, ...]:
        """Return what was found, by line."""
        return tuple(sorted(self._found, key=lambda problem: problem.line or 0))

    def _line(self, path: KeyPath) -> int | None:
        for length in range(len(path), 0, -1):
            if (line := self._lines.get(path[:length])) is not None:
                return line
        return None


def shown(path: KeyPath) -> str:
    """Return a path as a person would write it in the file; positions in a list are left to the line."""
    return ".".join(_quoted(part) for part in path if isinstance(part, str))


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name, ensure_ascii=not name.isprintable())
