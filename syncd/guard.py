"""The guard: what a plan must pass before its first call. Pure code over counts."""

from dataclasses import dataclass
from enum import StrEnum


class Hold(StrEnum):
    """What a refusal holds."""

    EVERYTHING = "everything"
    REMOVALS = "removals"
    ADDITIONS = "additions"


@dataclass(frozen=True, slots=True)
class Refusal:
    """One limit that a plan did not pass."""

    limit: str
    hold: Hold
    sentence: str
