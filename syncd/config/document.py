"""The file as written: its values, and on which line each of them stands."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from syncd.config.lines import key_lines
from syncd.config.problems import KeyPath
from syncd.errors import ConfigError, ConfigProblem


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed TOML file."""

    values: Mapping[str, Any]
    lines: Mapping[KeyPath, int]


def read_document(path: Path) -> Document:
    """Return what the file says. Raise ConfigError where it cannot be read, or is not TOML in UTF-8."""
    found = _parsed(path)
    if isinstance(found, ConfigProblem):
        raise ConfigError(found)
    return found


def _parsed(path: Path) -> Document | ConfigProblem:
    """A problem is returned, not raised: no traceback leads through a frame that holds the text of the file."""

    def problem(wrong: str, right: str, line: int | None = None) -> ConfigProblem:
        return ConfigProblem(str(path), line, "", wrong, right)

    try:
        content = path.read_bytes()
    except OSError as error:
        return problem(f"cannot be read ({error.strerror})", "name a readable file with --config or $SYNCD_CONFIG")
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
        return Document(tomllib.loads(text), key_lines(text))
    except UnicodeDecodeError as error:
        return problem("is not UTF-8 text", "save the file as UTF-8", content.count(b"\n", 0, error.start) + 1)
    except ValueError as error:
        what, line = _syntax_error(str(error), text)
        return problem(f"is not TOML: {what}", "texts stand in quotes, and each key = value on a line of its own", line)
    except RecursionError:
        return problem("is not TOML that can be read: it is nested too deeply", "lists and tables need no such depth")


def _syntax_error(message: str, text: str) -> tuple[str, int | None]:
    """Given the parser's message, return it without the place that it names, and the line of that place."""
    match = re.fullmatch(r"(?P<what>.*) \(at (?:line (?P<line>\d+), column \d+|end of document)\)", message, re.DOTALL)
    if match is None:
        return "a value is out of range", None
    line = int(match["line"]) if match["line"] else text.count("\n") + 1
    return match["what"][:1].lower() + match["what"][1:], line
