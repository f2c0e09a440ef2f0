"""What a check finds: of what, whether it is well, and what to do where it is not."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum

from syncd.errors import CampaignBlocked, DialerError, SourceError, StateUnavailable, SyncdError


class Mark(Enum):
    """How a thing is."""

    GOOD = "ok"
    ADVICE = "advice"
    """It works; it could be better, or may be a mistake."""
    WRONG = "wrong"

    @property
    def tick(self) -> str:
        """Return the sign that stands for it on a terminal."""
        return {Mark.GOOD: "✓", Mark.ADVICE: "!", Mark.WRONG: "✗"}[self]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    mark: Mark
    what: str
    advice: str = ""

    @classmethod
    def of_error(cls, subject: str, error: SyncdError) -> "Finding":
        """Return what an error says of a subject that is named already."""
        match error:
            case SourceError() | StateUnavailable() | DialerError():
                return cls(subject, Mark.WRONG, error.what, error.advice)
            case CampaignBlocked():
                return cls(subject, Mark.WRONG, error.why, error.advice)
            case _:
                return cls(subject, Mark.WRONG, error.sentence())

    @property
    def sentence(self) -> str:
        """Return what was found and what to do, in one line."""
        return f"{self.what}; {self.advice}" if self.advice else self.what

    def document(self) -> Mapping[str, str]:
        """Return it for ``--json``."""
        return {"subject": self.subject, "result": self.mark.value, "what": self.what, "advice": self.advice}
