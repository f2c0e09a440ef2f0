"""A small change to a file's text: what makes a mutant, whether of Python or of the SQL that stands in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff


@dataclass(frozen=True, slots=True)
class Edit:
    """``text[start:end]`` becomes ``new``."""

    start: int
    end: int
    new: str

    def applied(self, text: str) -> str:
        return text[: self.start] + self.new + text[self.end :]

    def shifted(self, by: int) -> "Edit":
        """Return the same edit of a longer text, in which this one begins at ``by``."""
        return Edit(self.start + by, self.end + by, self.new)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A file of syncd with one small change."""

    path: str
    before: str
    edit: Edit

    @property
    def text(self) -> str:
        return self.edit.applied(self.before)

    @property
    def place(self) -> str:
        """File and line."""
        return f"{self.path}:{self.before.count(chr(10), 0, self.edit.start) + 1}"

    @property
    def told(self) -> str:
        """The lines that differ, as in a diff without context: by them a survivor is known again."""
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        for line in unified_diff(self.before.splitlines(), self.text.splitlines(), lineterm="", n=0):
            if not line.startswith(("---", "+++", "@@")):
                yield f"{line[0]} {' '.join(line[1:].split())}"
