"""The lines of the benchmark and the table that goes into the README."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was measured."""

    what: str
    measured: str
    against: str = ""
    """What it is held against, measured in the same run."""
    ratio: float | None = None
    goal: str = ""
    """Of the ratio, or of what was measured where there is none."""

    def cells(self) -> tuple[str, ...]:
        return self.what, self.measured, self.against, "" if self.ratio is None else f"{self.ratio:.2f}", self.goal


HEAD = ("what", "measured", "against", "ratio", "goal")


def table(lines: Iterable[Line]) -> str:
    """Return the lines as a table in Markdown."""
    rows = [HEAD, ("---",) * len(HEAD), *(line.cells() for line in lines)]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def seconds(value: float) -> str:
    """Return a time in as many digits as it is worth."""
    return f"{value:.0f} s" if value >= 20 else f"{value:.1f} s" if value >= 2 else f"{1000 * value:.0f} ms"


def size(value: float) -> str:
    """Return a number of bytes in words."""
    return next(
        f"{value / unit:.1f} {name}"
        for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
        if value >= unit or unit == 1
    )
