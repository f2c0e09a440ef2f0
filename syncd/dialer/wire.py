"""The wire format: what is sent, and what of the answers is understood.

The vendor makes its JSON from XML: numbers may come as strings of digits, one thing in place of a list of one, and
nothing as ``{}``, ``""``, null or an empty body. Unknown fields are ignored, unset ones are ``""``.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import orjson

from syncd.dialer import verdicts
from syncd.dialer.api import Addition, CampaignStatus, Record
from syncd.dialer.verdicts import Block
from syncd.vendor import CampaignState

_LONGEST_TEXT: Final = 300
_LONGEST_PHONES: Final = 2000
_BIGINT: Final = 2**63
_HTTP: Final = range(100, 600)

_STATES: Final = {
    CampaignState.NEW: verdicts.NOT_STARTED,
    CampaignState.MANUAL_STOPPED: verdicts.STOPPED,
    CampaignState.COMPLETED: verdicts.STOPPED,
    CampaignState.SCHEDULE_STOPPED: verdicts.STOPPED,
    CampaignState.MANUAL_PURGED: verdicts.PURGED,
    CampaignState.SCHEDULE_PURGED: verdicts.PURGED,
}
_PURGED: Final = (CampaignState.MANUAL_PURGED, CampaignState.SCHEDULE_PURGED)


class UnreadableError(Exception):
    """An answer is not what the vendor documents; the text says what it is instead, and quotes none of it."""


class Entry(NamedTuple):
    """One entry of the answer to an add."""

    customer: int
    http_status: int | None
    message: str


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the listing."""

    records: tuple[Record, ...]
    size: int
    """Records that came, those that are left out included."""
    keys: frozenset[int]
    """What tells the records of this page from those of another."""
    foreign: int
    """Records of another campaign."""
    unusable: int
    """Records without a usable ``record-id``."""


def write_batch(batch: Sequence[Addition]) -> bytes:
    """Return the body of an add: an array without an envelope, times in UTC with milliseconds."""
    return orjson.dumps([_customer(addition) for addition in batch])


def _customer(addition: Addition) -> dict[str, object]:
    if addition.call_at is None:
        return {"customer-id": addition.customer}
    at = addition.call_at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds")
    return {"customer-id": addition.customer, "schedule-date-time": f"{at}Z"}


def read_entries(body: bytes) -> dict[int, Entry]:
    """Return the entries of the answer to an add by customer. Raise UnreadableError.

    A customer with two entries that disagree has none: which of them is true is not for us to guess.
    """
    content = _load(body)
    if isinstance(content, dict):
        content = [content]
    if not isinstance(content, list):
        raise UnreadableError("not a list of customers")
    entries: dict[int, Entry] = {}
    doubtful: set[int] = set()
    for item in content:
        if not isinstance(item, dict) or (customer := number(item.get("customer-id"))) is None:
            continue
        status = number(item.get("http-status"))
        entry = Entry(customer, status if status in _HTTP else None, clean(item.get("message")))
        if entries.setdefault(customer, entry).http_status != entry.http_status:
            doubtful.add(customer)
    return {customer: entry for customer, entry in entries.items() if customer not in doubtful}


def read_text(body: bytes) -> str:
    """Return what an answer says: its ``message``, or plain text; nothing for a page of HTML."""
    stripped = body.strip()
    if not stripped or stripped[:1] == b"<":
        return ""
    try:
        content = orjson.loads(stripped)
    except orjson.JSONDecodeError:
        return "" if stripped[:1] in b"{[" else clean(stripped[: 4 * _LONGEST_TEXT].decode(errors="replace"))
    return clean(content.get("message") if isinstance(content, dict) else content)


def clean(text: object) -> str:
    """Return a vendor's text on one line, without control characters, cut to 300; anything else is no text."""
    if not isinstance(text, str):
        return ""
    text = "".join(character if character.isprintable() else " " for character in text[: 4 * _LONGEST_TEXT])
    return " ".join(text.split())[:_LONGEST_TEXT]


def number(value: object) -> int | None:
    """Return a number that came as one or as a string of digits; None for anything else."""
    if type(value) is int:  # and no bool, which is one too
        return value
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,19}\s*", value):
        return int(value)
    return None


def read_status(body: bytes, vendor_id: int) -> CampaignStatus:
    """Return the campaign's status. Raise UnreadableError.

    A ``status`` number that the vendor does not document blocks nothing: a campaign that may be dialing must not lose
    its suppressions over it, and one that takes no changes says so itself.
    """
    campaign = _load(body)
    campaign = campaign.get("campaign") if isinstance(campaign, dict) else None
    if isinstance(campaign, list) and len(campaign) == 1:
        campaign = campaign[0]
    if not isinstance(campaign, dict) or not campaign:
        raise UnreadableError("not the status of a campaign")
    if number(campaign.get("campaign-id")) not in (vendor_id, None):
        raise UnreadableError("the status of another campaign")
    block, records = _block(campaign), number(campaign.get("no-of-records"))
    return CampaignStatus(
        vendor_id=vendor_id,
        name=clean(campaign.get("campaign-name")),
        records=records if records is not None and records >= 0 else None,
        blocked=f"{block.why}; {block.advice}" if block else None,
        purged=number(campaign.get("status")) in _PURGED,
        ends_at=_read_time(campaign.get("end-time"), campaign.get("timezone")),
    )


def _block(campaign: Mapping[str, object]) -> Block | None:
    if not _yes(campaign.get("dynamic-campaign")):
        return verdicts.NOT_DYNAMIC
    if not _yes(campaign.get("enabled")):
        return verdicts.NOT_ENABLED
    state = number(campaign.get("status"))
    return next((block for stopped, block in _STATES.items() if stopped == state), None)


def _yes(value: object) -> bool:
    return isinstance(value, str) and value.strip().upper() == "Y"


def _read_time(value: object, timezone: object) -> datetime | None:
    """Return a time of the campaign, aware; one without an offset is read in the campaign's own time zone.

    The vendor names time zones of its own making ("EST5EST") too: with such a one the time is not known.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        time = datetime.fromisoformat(value.strip())
        return time.replace(tzinfo=ZoneInfo(str(timezone))) if time.tzinfo is None else time
    except (ValueError, ZoneInfoNotFoundError, OSError):
        return None


def read_page(body: bytes, vendor_id: int) -> Page:
    """Return one page of the listing. Raise UnreadableError: garbage is never taken for an empty page."""
    entries = _record_entries(body)
    records: list[Record] = []
    keys: set[int] = set()
    foreign = unusable = 0
    for entry in entries:
        record_id = number(entry.get("record-id")) if isinstance(entry, dict) else None
        if record_id is None or not 0 < record_id < _BIGINT:
            keys.add(_key_of(entry))
            unusable += 1
            continue
        keys.add(record_id)
        if number(entry.get("campaign-id")) not in (vendor_id, None):
            foreign += 1
            continue
        records.append(_record(record_id, entry))
    return Page(tuple(records), len(entries), frozenset(keys), foreign, unusable)


def _key_of(entry: object) -> int:
    try:
        return hash(orjson.dumps(entry))
    except orjson.JSONEncodeError:  # it reads deeper than it writes
        raise UnreadableError("a record nested beyond measure") from None


def _record_entries(body: bytes) -> list[Any]:
    content = _load(body) if body.strip() else None
    if content in (None, "", {}):
        return []
    if not isinstance(content, dict) or "records" not in content:
        raise UnreadableError("not a list of records")
    records = content["records"]
    if isinstance(records, dict) and records:
        if "record" not in records:
            raise UnreadableError("not a list of records")
        records = records["record"]
    if records in (None, "", {}):
        return []
    if isinstance(records, dict):
        return [records]
    if not isinstance(records, list):
        raise UnreadableError("not a list of records")
    return records


def _record(record_id: int, entry: Mapping[str, object]) -> Record:
    external = entry.get("ext-trans-data")
    return Record(
        record_id=record_id,
        status=number(entry.get("status")),
        status_code=number(entry.get("status-code")),
        disposition=number(entry.get("disposition-code")),
        phones=read_phones(entry.get("phone-list")),
        ext_trans_data=str(external) if isinstance(external, str | int | float) else "",
    )


def read_phones(value: object) -> tuple[str, ...]:
    """Return the numbers of a ``phone-list``, digits only: ``*Label|5551234567``, once or several times."""
    if isinstance(value, list):
        return tuple(phone for item in value if isinstance(item, str | int) for phone in read_phones(item))
    if isinstance(value, int):
        return (str(value),)
    if not isinstance(value, str) or not value:
        return ()
    value = value[:_LONGEST_PHONES]
    _, _, phone = value.partition("|")
    if phone.isdigit() and phone.isascii():  # nearly every list is one number
        return (phone,)
    # A label may hold digits of its own ("Phone 2"), so only what follows a bar counts where there is one.
    parts = re.findall(r"\|([^|*,;\n]*)", value) if "|" in value else re.split(r"[,;\n]", value)
    numbers = (re.sub(r"[^0-9]", "", part) for part in parts)
    return tuple(phone for phone in numbers if phone)


def _load(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableError("not JSON" if body.strip() else "an empty body") from None
