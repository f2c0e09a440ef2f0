"""The chart of a campaign's last passes: one bar each, the latest on the right."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from syncd.report.words import ago
from syncd.state.campaigns import Result
from syncd.state.overview import RecentPass

BAR: Final = 4
GAP: Final = 2
HEIGHT: Final = 24

_TONES: Final[dict[str, str]] = {
    Result.GOOD: "good",
    Result.PARTIAL: "warn",
    Result.HELD: "warn",
    Result.STOPPED: "rest",
    Result.PAUSED: "rest",
    Result.BLOCKED: "bad",
    Result.FAILED: "bad",
    Result.DIED: "bad",
}

_HEIGHTS: Final = {"rest": 8, "good": 14, "warn": 19, "bad": HEIGHT}
"""What is worse stands higher, so that it is told without colours too."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One pass, or several without news that are on record together."""

    x: int
    y: int
    width: int
    height: int
    tone: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """All bars, and what they say in words."""

    bars: Sequence[Bar]
    width: int
    height: int
    label: str
    caption: str


def chart(recent: Sequence[RecentPass], now: datetime) -> Chart | None:
    """Return the chart of past passes, given the oldest first; None where there is none."""
    if not recent:
        return None
    results: Counter[str] = Counter()
    for one in recent:
        results[one.result] += one.passes
    return Chart(
        bars=[_bar(one, place * (BAR + GAP), now) for place, one in enumerate(recent)],
        width=len(recent) * (BAR + GAP) - GAP,
        height=HEIGHT,
        label=", ".join(f"{passes:,} {result}" for result, passes in results.most_common()),
        caption=f"{_counted(results.total())}, the first {ago(recent[0].began, now)}",
    )


def _counted(passes: int) -> str:
    return "1 pass" if passes == 1 else f"{passes:,} passes"


def _bar(one: RecentPass, x: int, now: datetime) -> Bar:
    tone = _TONES.get(one.result, "rest")
    height = _HEIGHTS[tone]
    several = f", the last of {one.passes:,} without news" if one.passes > 1 else ""
    return Bar(x, HEIGHT - height, BAR, height, tone, f"{one.result}, {ago(one.ended or one.began, now)}{several}")
