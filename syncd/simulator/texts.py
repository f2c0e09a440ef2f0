"""The vendor's texts, word for word, in the dialect of the current guide and in that of an older page."""

from syncd.simulator.campaign import Added, Deleted, Refused
from syncd.simulator.manner import Dialect, Manner

Text = tuple[int, str | None]
"""HTTP status and message."""

_ADDED_GUIDE: dict[Added, Text] = {
    Added.DONE: (200, None),
    Added.DUPLICATE: (400, "Duplicate customer"),
    Added.BAD_TIME: (400, "Invalid schedule-date-time format - please use ISO 8601 format"),
    Added.BAD_ID: (400, "Invalid customer-id"),
    Added.NOT_IN_CRM: (404, "The customer-id has not been found."),
    Added.PAST: (400, "The subject schedule-date-time is in the past."),
    Added.OUTSIDE: (400, "The subject schedule-date-time is outside the campaign schedule from {opens} to {closes}."),
    Added.TOO_FAR: (400, "The subject schedule-date-time must be within 7 days ahead of a future period."),
    # The guide is silent on the next three; the first two are the older page's, the last is nobody's.
    Added.SCHEDULE_LIMIT: (
        400,
        "Maximum limit of scheduled customers has been reached. Please try call again later on.",
    ),
    Added.DO_NOT_CALL: (400, "Invalid customer provided, customer is wrong or in DNC list."),
    Added.FULL: (400, "The campaign takes no more records."),
}

_ADDED_OLDER: dict[Added, Text] = _ADDED_GUIDE | {
    Added.DONE: (200, "Campaign customer added."),
    Added.DUPLICATE: (400, "Duplicated customer."),
    Added.BAD_TIME: (400, "Invalid schedule-date format, please use ISO 8601."),
    Added.BAD_ID: (400, "Invalid customer provided, customer is wrong or in DNC list."),
    Added.NOT_IN_CRM: (404, "Customer not found."),
    Added.PAST: (400, "Schedule date is in the past."),
    Added.OUTSIDE: (400, "Schedule date outside campaign schedule period."),
    Added.TOO_FAR: (400, "schedule-date-time must be within 7 days ahead in future period."),
}

_REFUSED_GUIDE: dict[Refused, Text] = {
    Refused.NO_CAMPAIGN: (404, "Campaign not found."),
    Refused.STOPPED: (400, "The campaign has stopped. No additional customers can be added."),
    Refused.NOT_STARTED: (400, "The operation is invalid for a campaign that has not started."),
    Refused.NOT_DYNAMIC: (400, "This is not a dynamic campaign."),
    Refused.NOT_ENABLED: (400, "The campaign is not enabled."),
    Refused.INVALID_LIST: (400, "The provided customer list is invalid."),
    Refused.TOO_LARGE: (413, "Request entity too large."),
}

_REFUSED_DELETE_GUIDE: dict[Refused, Text] = _REFUSED_GUIDE | {
    Refused.STOPPED: (400, "The campaign has stopped. No customers can be deleted."),
    Refused.NOT_ENABLED: (400, "This campaign is not enabled."),
}

_REFUSED_OLDER: dict[Refused, Text] = _REFUSED_GUIDE | {
    Refused.STOPPED: (400, "Campaign is already stopped or completed. No operation is allowed."),
    Refused.NOT_STARTED: (400, "Operation invalid on a non started campaign."),
    Refused.NOT_DYNAMIC: (400, "Not a dynamic campaign."),
    Refused.NOT_ENABLED: (400, "Campaign is not enabled."),
    Refused.INVALID_LIST: (400, "Invalid customer list provided."),
}

_UNAVAILABLE = {
    Deleted.GONE: "because the record is deleted already.",
    Deleted.WITH_AGENT: "because an agent has connected to the phone line.",
    Deleted.COMPLETED: "because the record is marked as completed.",
}


def added(verdict: Added, dialect: Dialect) -> Text:
    """Return what the entry of one customer in a 207 says; ``{opens}`` and ``{closes}`` are left to the caller."""
    return (_ADDED_GUIDE if dialect is Dialect.GUIDE else _ADDED_OLDER)[verdict]


def refused(refusal: Refused, manner: Manner, *, deleting: bool = False) -> Text:
    """Return the refusal of a whole request."""
    if manner.dialect is Dialect.OLDER:
        return _REFUSED_OLDER[refusal]
    return (_REFUSED_DELETE_GUIDE if deleting else _REFUSED_GUIDE)[refusal]


def deleted(verdict: Deleted, manner: Manner) -> Text:
    """Return the answer to a DELETE. Both dialects use 404 for what is not there and for what cannot be deleted."""
    guide = manner.dialect is Dialect.GUIDE
    if verdict is Deleted.DONE:
        return (204, None) if guide else (200, "Customer deleted.")
    if manner.terse_deletes:
        return 404, "Customer not available for deletion."
    if verdict is Deleted.NEVER_THERE:
        return 404, "Customer not found."
    status = 404 if verdict is Deleted.GONE else manner.unavailable_status
    subject = "The customer is not available for deletion" if guide else "Customer not available for deletion"
    return status, f"{subject} {_UNAVAILABLE[verdict]}"
