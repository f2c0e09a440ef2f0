"""What the vendor's numbers mean, in the words of the state's views; a number that nobody defines stays one."""

import re
from collections.abc import Mapping
from typing import Final

from syncd.state.suppressions import Suppression
from syncd.vendor import Disposition, RecordStatus, StatusCode

STATUSES: Final[Mapping[int, str]] = {
    RecordStatus.NEW: "new",
    RecordStatus.QUEUED: "queued",
    RecordStatus.ACCEPTED: "with an agent",
    RecordStatus.COMPLETED: "completed",
    RecordStatus.SCHEDULED: "scheduled",
}

STATUS_CODES: Final[Mapping[int, str]] = {
    StatusCode.DEFAULT: "default",
    StatusCode.MAX_ATTEMPT_REACHED: "max attempts reached",
    StatusCode.SKIPPED: "skipped",
    StatusCode.NO_PHONE_NUMBER: "no phone number",
    StatusCode.INVALID_PHONE_NUMBER: "invalid phone number",
}

DISPOSITIONS: Final[Mapping[int, str]] = {
    0: "none",
    Disposition.NONE: "none",
    Disposition.TRY_AGAIN: "try again",
    Disposition.SCHEDULED_CALL_BACK: "scheduled call back",
}

_BY_AGENT: Final = re.compile("disposition ([0-9]+)")
"""What the state has for a reason where an agent said never again."""


def status(number: int | None) -> str | None:
    """Return a record's status in words."""
    return None if number is None else STATUSES.get(number, str(number))


def status_code(number: int | None) -> str | None:
    """Return in words why a record is in its status."""
    return None if number is None else STATUS_CODES.get(number, str(number))


def disposition(number: int | None, own: Mapping[int, str]) -> str | None:
    """Return in words how a call ended; ``own`` are the tenant's words, which come first."""
    return None if number is None else own.get(number) or DISPOSITIONS.get(number, str(number))


def why_suppressed(one: Suppression, own: Mapping[int, str]) -> str:
    """Return why the state has a customer suppressed: what a person wrote, or in words how an agent ended a call."""
    by_agent = _BY_AGENT.fullmatch(one.reason) if one.origin == "disposition" else None
    return f"disposition: {disposition(int(by_agent[1]), own)}" if by_agent else one.reason


def record(number: int | None, code: int | None, ended: int | None, own: Mapping[int, str]) -> str:
    """Return what a record shows, on one line: ``completed, max attempts reached; disposition: Promise to pay``.

    What every record begins with is left out.
    """
    why = f", {status_code(code)}" if code else ""
    how = disposition(ended, own)
    return f"{status(number) or 'in an unknown status'}{why}" + (
        f"; disposition: {how}" if how not in (None, "none") else ""
    )
