"""On which line of a TOML text each key stands; the standard library's parser tells it for syntax errors only."""

import re
import tomllib
from bisect import bisect_left

from syncd.config.problems import KeyPath

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING = re.compile(
    r'"""(?:\\[\s\S]|[^\\])*?""""{0,2}'  # the text itself may end in up to two quotes
    r"|'''[\s\S]*?''''{0,2}"
    r'|"(?:\\.|[^"\\\n])*"'
    r"|'[^'\n]*'"
)
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BARE_VALUE = re.compile(r"[^,\]}#\n]+")


def key_lines(text: str) -> dict[KeyPath, int]:
    """Given a TOML text that parses, return the line, from 1, of every table, key and list element in it."""
    return _Scanner(text).document()


class _Scanner:
    def __init__(self, text: str) -> None:
        self._text = text
        self._position = 0
        self._line_ends = [match.start() for match in re.finditer("\n", text)]
        self._written: dict[KeyPath, int] = {}
        self._implied: dict[KeyPath, int] = {}
        """Tables that are only mentioned on the way to another; a header of their own comes before that."""

    def document(self) -> dict[KeyPath, int]:
        table: KeyPath = ()
        while self._peek():
            if self._take("["):
                many = self._take("[")
                start = self._position
                table = self._key()
                self._record((), table, start)
                self._take("]")
                if many:
                    self._take("]")
            else:
                self._pair(table)
        return self._implied | self._written

    def _pair(self, table: KeyPath) -> None:
        self._peek()
        start = self._position
        key = self._key()
        self._record(table, key, start)
        self._take("=")
        self._value(table + key)

    def _key(self) -> KeyPath:
        parts: list[str] = []
        while not parts or self._take("."):
            quoted = self._peek() in "\"'"
            raw = self._match(_STRING if quoted else _BARE_KEY)
            parts.append(tomllib.loads(f"key = {raw}")["key"] if quoted else raw)
        return tuple(parts)

    def _value(self, path: KeyPath) -> None:
        if self._peek() in "\"'":
            self._match(_STRING)
        elif self._take("["):
            index = 0
            while not self._take("]"):
                self._peek()
                self._record(path, (index,), self._position)
                self._value((*path, index))
                self._take(",")
                index += 1
        elif self._take("{"):
            while not self._take("}"):
                self._pair(path)
                self._take(",")
        else:
            self._match(_BARE_VALUE)

    def _record(self, table: KeyPath, key: KeyPath, position: int) -> None:
        line = bisect_left(self._line_ends, position) + 1
        self._written.setdefault(table + key, line)
        for length in range(1, len(key)):
            self._implied.setdefault(table + key[:length], line)

    def _peek(self) -> str:
        """Skip blanks, line ends and comments; return the character that follows, nothing at the end."""
        self._match(_BLANK)
        return self._text[self._position : self._position + 1]

    def _take(self, character: str) -> bool:
        """Skip blanks and step over ``character`` if it follows; say whether it did."""
        follows = self._peek() == character
        self._position += follows
        return follows

    def _match(self, pattern: re.Pattern[str]) -> str:
        match = pattern.match(self._text, self._position)
        if match is None:
            raise ValueError("not a TOML text")
        self._position = match.end()
        return match.group()
