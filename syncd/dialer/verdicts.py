"""What the vendor's texts mean: one table, matched loosely, for adding and for deleting.

The same thing is said in other words by the current guide and by an older page of the vendor, so a text is compared by
its telling words, without case and punctuation. The first row that fits counts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from syncd.words import Outcome, Reason


@dataclass(frozen=True, slots=True)
class Ruling:
    """What an answer makes of one customer."""

    outcome: Outcome
    reason: Reason | None = None

    @property
    def known(self) -> bool:
        """The text was understood."""
        return self.reason is not Reason.UNKNOWN_TEXT


@dataclass(frozen=True, slots=True)
class Block:
    """An answer that says that the campaign takes no changes."""

    why: str
    advice: str


@dataclass(frozen=True, slots=True)
class Saying:
    """One row of the table: telling words, and what they mean for an add and for a delete."""

    words: re.Pattern[str]
    add: Ruling | Block | None = None
    delete: Ruling | Block | None = None


STOPPED: Final = Block("it has stopped, which is final", "make a new campaign and put its id in the file")
NOT_STARTED: Final = Block("it has not been started", "start it in Configuration Manager")
NOT_DYNAMIC: Final = Block("it is not a dynamic campaign", "make it dynamic, or put the id of one that is in the file")
NOT_ENABLED: Final = Block("it is not enabled", "enable it in Configuration Manager")
NOT_FOUND: Final = Block("the tenant knows no campaign with this id", "check the id and the tenant in the file")
PURGED: Final = Block("its calls were purged from the queue", "resume it in Configuration Manager")

DONE: Final = Ruling(Outcome.DONE)
UNANSWERED: Final = Ruling(Outcome.UNKNOWN, Reason.NO_ANSWER)
NOT_SENT: Final = Ruling(Outcome.FAILED, Reason.NOT_SENT)
UNKNOWN_REFUSAL: Final = Ruling(Outcome.REFUSED, Reason.UNKNOWN_TEXT)
UNKNOWN_ANSWER: Final = Ruling(Outcome.UNKNOWN, Reason.UNKNOWN_TEXT)

_INVALID: Final = Ruling(Outcome.REFUSED, Reason.INVALID_VALUE)
_GONE: Final = Ruling(Outcome.ALREADY, Reason.NOT_FOUND)
_NOT_IN_CRM: Final = Ruling(Outcome.REFUSED, Reason.NOT_IN_CRM)


def _row(words: str, add: Ruling | Block | None = None, delete: Ruling | Block | None = None) -> Saying:
    return Saying(re.compile(words), add, delete)


_NOT_FOUND: Final = r"( id)?( has| was| is)?( not| not been) found\b"

SAYINGS: Final = (
    # The whole campaign.
    _row(r"\bcampaign" + _NOT_FOUND, NOT_FOUND, NOT_FOUND),
    _row(r"\bcampaign\b.*\bstopped\b", STOPPED, STOPPED),
    _row(r"\b(not|not been|non|not yet) started\b", NOT_STARTED, NOT_STARTED),
    _row(r"\bnot (a )?dynamic\b", NOT_DYNAMIC, NOT_DYNAMIC),
    _row(r"\bcampaign\b.*\b(not enabled|disabled)\b", NOT_ENABLED, NOT_ENABLED),
    # Both verbs, one customer.
    _row(r"\b(customer|record)" + _NOT_FOUND, _NOT_IN_CRM, _GONE),
    # Adding.
    _row(r"\bduplicated?\b", Ruling(Outcome.ALREADY, Reason.DUPLICATE)),
    _row(r"\b(dnc|do not call)\b", Ruling(Outcome.REFUSED, Reason.VENDOR_DNC)),
    _row(r"\blimit\b.*\bscheduled\b", Ruling(Outcome.DEFERRED, Reason.SCHEDULE_LIMIT)),
    _row(r"\b(invalid\b.*\bformat|iso 8601)\b", _INVALID),
    _row(r"\bin the past\b", Ruling(Outcome.REFUSED, Reason.IN_THE_PAST)),
    _row(r"\boutside\b.*\bschedule\b", Ruling(Outcome.REFUSED, Reason.OUTSIDE_SCHEDULE)),
    _row(r"\b7 days\b", Ruling(Outcome.DEFERRED, Reason.TOO_FAR_AHEAD)),
    _row(r"\binvalid customer\b|\bcustomer (list|id) is invalid\b", _INVALID),
    # Deleting. "The record is deleted already" before any other word about deletion.
    _row(r"\b(deleted already|already deleted)\b", delete=_GONE),
    _row(r"\bagents?\b", delete=Ruling(Outcome.DEFERRED, Reason.WITH_AGENT)),
    _row(r"\bcompleted\b", delete=Ruling(Outcome.ALREADY, Reason.COMPLETED)),
)

_DELETED: Final = re.compile(r"^(?!.*\bnot\b).*\bdeleted\b")
_ABOUT_DELETION: Final = re.compile(r"\bdelet(e|ed|ion|ing)\b")
_CAMPAIGN_SCHEDULE: Final = re.compile(r"\bfrom\s+(.+?)\s+to\s", re.IGNORECASE)


def telling_words(text: str) -> str:
    """Return a text in lower case with single blanks in place of everything that is no letter or digit."""
    return " ".join(re.findall(r"\w+", text.casefold()))


def judge_add(http_status: int, text: str) -> Ruling | Block:
    """Return what one entry of the answer to an add means, or the refusal of a whole request."""
    if http_status in (200, 201, 204):
        return DONE
    if http_status < 400 or http_status >= 500:
        return UNANSWERED
    if http_status in (401, 403, 429):
        return NOT_SENT
    words = telling_words(text)
    for saying in SAYINGS:
        if saying.add is not None and saying.words.search(words):
            return saying.add
    return UNKNOWN_REFUSAL


def judge_entry(http_status: int, text: str) -> Ruling | Block:
    """Return what one entry of a 207 means: a 404 there is about the customer, whatever its text."""
    ruling = judge_add(http_status, text)
    return _NOT_IN_CRM if http_status == 404 and ruling is UNKNOWN_REFUSAL else ruling


def judge_delete(http_status: int, text: str) -> Ruling | Block:
    """Return what the answer to a delete means. Its status alone does not tell, apart from 204."""
    if http_status == 204:
        return DONE
    if http_status < 200 or http_status >= 500 or http_status in (202, 206):
        return UNANSWERED
    words = telling_words(text)
    for saying in SAYINGS:
        if saying.delete is not None and saying.words.search(words):
            return saying.delete
    if http_status == 200 and _DELETED.search(words):
        return DONE
    if http_status == 400 and _ABOUT_DELETION.search(words):
        return Ruling(Outcome.DEFERRED, Reason.UNKNOWN_TEXT)
    return UNKNOWN_ANSWER


def opens_at(text: str) -> datetime | None:
    """Return A out of "outside the campaign schedule from A to B", aware, in UTC; None where it cannot be read.

    A without an offset is taken as UTC, which is what the API speaks.
    """
    found = _CAMPAIGN_SCHEDULE.search(text)
    if found is None:
        return None
    try:
        opens = datetime.fromisoformat(found[1])
        return opens.replace(tzinfo=UTC) if opens.tzinfo is None else opens.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
