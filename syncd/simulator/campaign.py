"""One simulated campaign: its records, and what adding and deleting make of them. Pure: no wire format, no texts."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import Enum, auto

from syncd.clock import Clock
from syncd.simulator.crm import Crm, Mark
from syncd.simulator.listing import Listing, SimulatedRecord
from syncd.simulator.manner import Manner
from syncd.vendor import SCHEDULE_AHEAD_DAYS, CampaignState, Disposition, RecordStatus, StatusCode

OPEN = frozenset({RecordStatus.NEW, RecordStatus.QUEUED, RecordStatus.SCHEDULED})
STOPPED = frozenset({CampaignState.MANUAL_STOPPED, CampaignState.COMPLETED, CampaignState.SCHEDULE_STOPPED})
PURGED = frozenset({CampaignState.MANUAL_PURGED, CampaignState.SCHEDULE_PURGED})

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_DIGITS = re.compile(r"[1-9]\d{0,18}", re.ASCII)


class Added(Enum):
    """What adding makes of one customer."""

    DONE = auto()
    DUPLICATE = auto()
    BAD_TIME = auto()
    BAD_ID = auto()
    NOT_IN_CRM = auto()
    PAST = auto()
    OUTSIDE = auto()
    TOO_FAR = auto()
    SCHEDULE_LIMIT = auto()
    DO_NOT_CALL = auto()
    FULL = auto()


class Deleted(Enum):
    """What deleting makes of one customer."""

    DONE = auto()
    NEVER_THERE = auto()
    GONE = auto()
    WITH_AGENT = auto()
    COMPLETED = auto()


class Refused(Enum):
    """Why a whole request is refused."""

    NO_CAMPAIGN = auto()
    STOPPED = auto()
    NOT_STARTED = auto()
    NOT_DYNAMIC = auto()
    NOT_ENABLED = auto()
    INVALID_LIST = auto()
    TOO_LARGE = auto()


@dataclass(frozen=True, slots=True)
class PhoneCall:
    """A customer whose phone rang, and when an agent took the call."""

    customer: int
    at: datetime


@dataclass(slots=True, kw_only=True)
class Properties:
    """What somebody set up for a campaign, and may change while it runs."""

    name: str
    state: int = CampaignState.MANUAL_RUNNING
    enabled: bool = True
    dynamic: bool = True
    opens: datetime | None = None
    """Start of the campaign's schedule, aware."""
    closes: datetime | None = None
    """End of it, for good."""
    retry_interval: int = 30
    """Minutes between two attempts."""
    max_retry: int = 1
    calls_per_minute: float = 0.0


class Campaign:
    """The records of one campaign. The dialer's truth is here; what the statistics show of it is the listing."""

    def __init__(self, *, vendor_id: int, properties: Properties, crm: Crm, manner: Manner, clock: Clock) -> None:
        self.vendor_id = vendor_id
        self.properties = properties
        self.listing = Listing(clock=clock, manner=manner)
        self.calls: list[PhoneCall] = []
        """Every call that reached an agent: nobody should be in here twice unasked."""
        self.by_status: Counter[int] = Counter()
        self._crm = crm
        self._manner = manner
        self._clock = clock
        self._records: dict[int, SimulatedRecord] = {}
        self._deleted: set[int] = set()
        self._serial = 0

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[SimulatedRecord]:
        return iter(self._records.values())

    def record(self, customer: int) -> SimulatedRecord | None:
        """Return a customer's record as it is, whatever the listing shows yet."""
        return self._records.get(customer)

    def refusal(self, *, deleting: bool = False) -> Refused | None:
        """Return why the campaign takes no changes, None where it takes them."""
        properties = self.properties
        if not properties.dynamic:
            return Refused.NOT_DYNAMIC
        if not properties.enabled:
            return Refused.NOT_ENABLED
        if properties.state in STOPPED:
            return Refused.STOPPED
        if properties.state == CampaignState.NEW and not deleting:
            return Refused.NOT_STARTED
        return None

    def add(self, customer: object, time: object = None) -> Added:
        """Add one customer as a request names them; ``time`` is the text of schedule-date-time."""
        number = parse_customer(customer)
        if number is None:
            return Added.BAD_ID
        call_at = None
        if time is not None:
            call_at = parse_time(time)
            if call_at is None:
                return Added.BAD_TIME
        verdict = self._judge(number, call_at)
        if verdict is Added.DONE:
            self.upload(number, call_at)
        return verdict

    def upload(self, customer: int, call_at: datetime | None = None) -> None:
        """Put a record in as somebody else's upload does, unasked and unchecked; an old one goes."""
        if (old := self._records.get(customer)) is not None:
            self._take_out(old)
        status = RecordStatus.NEW if call_at is None else RecordStatus.SCHEDULED
        record = SimulatedRecord(
            serial=self._serial,
            customer=customer,
            status=int(status),
            status_code=int(StatusCode.DEFAULT),
            disposition=int(Disposition.NONE),
            call_at=call_at,
            attempts=0,
        )
        self._serial += 1
        self._records[customer] = record
        self._deleted.discard(customer)
        self.by_status[record.status] += 1
        self._show(record)

    def delete(self, customer: int) -> Deleted:
        """Delete one customer's record, as a request asks for it."""
        record = self._records.get(customer)
        if record is None:
            return Deleted.GONE if customer in self._deleted else Deleted.NEVER_THERE
        if record.status == RecordStatus.ACCEPTED:
            return Deleted.WITH_AGENT
        if record.status == RecordStatus.COMPLETED and not self._manner.deletes_completed:
            return Deleted.COMPLETED
        self._take_out(record)
        return Deleted.DONE

    def change(
        self,
        customer: int,
        *,
        status: int | None = None,
        status_code: int | None = None,
        disposition: int | None = None,
        call_at: datetime | None = None,
        attempts: int | None = None,
    ) -> SimulatedRecord:
        """Change a record by hand; what is None stays, except ``call_at``. Raise KeyError where there is none."""
        old = self._records[customer]
        new = replace(
            old,
            status=old.status if status is None else int(status),
            status_code=old.status_code if status_code is None else int(status_code),
            disposition=old.disposition if disposition is None else int(disposition),
            call_at=call_at,
            attempts=old.attempts if attempts is None else attempts,
        )
        self._records[customer] = new
        self.by_status[old.status] -= 1
        self.by_status[new.status] += 1
        self._show(new)
        return new

    def drop(self, customers: Iterable[int]) -> None:
        """Take records out, whatever their status, as the dialer does after a last attempt."""
        for customer in customers:
            if (record := self._records.get(customer)) is not None:
                self._take_out(record)

    def empty(self) -> None:
        """Take every record out, as a person does by hand."""
        self.drop(list(self._records))

    def stop_when_closed(self) -> None:
        """Stop for good once ``closes`` has passed."""
        closes = self.properties.closes
        if closes is not None and self._clock.now() > closes and self.properties.state not in STOPPED:
            self.set_state(CampaignState.SCHEDULE_STOPPED)

    def set_state(self, state: int) -> None:
        """Set the status. Purging takes the open records out of the listing, resuming brings them back."""
        was, now = self.properties.state in PURGED, state in PURGED
        self.properties.state = state
        if was != now:
            for record in self._records.values():
                self._show(record)

    def _judge(self, customer: int, call_at: datetime | None) -> Added:
        if customer not in self._crm:
            return Added.NOT_IN_CRM
        if self._crm.marked(customer) is Mark.DO_NOT_CALL:
            return Added.DO_NOT_CALL
        if customer in self._records:
            return Added.DUPLICATE
        if len(self._records) >= self._manner.max_records:
            return Added.FULL
        return Added.DONE if call_at is None else self._judge_time(call_at)

    def _judge_time(self, call_at: datetime) -> Added:
        now = self._clock.now()
        properties = self.properties
        if call_at < now:
            return Added.PAST
        if call_at > now + timedelta(days=SCHEDULE_AHEAD_DAYS):
            return Added.TOO_FAR
        early = properties.opens is not None and call_at < properties.opens
        if early or (properties.closes is not None and call_at > properties.closes):
            return Added.OUTSIDE
        limit = self._manner.max_scheduled
        if limit is not None and self.by_status[RecordStatus.SCHEDULED] >= limit:
            return Added.SCHEDULE_LIMIT
        return Added.DONE

    def _show(self, record: SimulatedRecord) -> None:
        if self.properties.state in PURGED and record.status in OPEN:
            self.listing.hide(record)
        else:
            self.listing.show(record)

    def _take_out(self, record: SimulatedRecord) -> None:
        del self._records[record.customer]
        self._deleted.add(record.customer)
        self.by_status[record.status] -= 1
        self.listing.hide(record)


def parse_customer(value: object) -> int | None:
    """Return the customer that a request names by number or by digits, None where it names none."""
    if isinstance(value, int) and not isinstance(value, bool) and value > 0:
        return value
    return int(value) if isinstance(value, str) and _DIGITS.fullmatch(value) else None


def parse_time(value: object) -> datetime | None:
    """Return the time of "2022-07-14T09:00:00.000Z", the one format that the guide shows; None for any other."""
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        return None
    try:
        return datetime.strptime(value, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def format_time(value: datetime) -> str:
    """Return an aware time as the vendor writes it: ISO 8601, UTC, milliseconds, Z."""
    return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{value.microsecond // 1000:03}Z"
