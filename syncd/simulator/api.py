"""The API's wire: requests to calls of the tenant, and verdicts to the vendor's JSON."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Final, TypeVar
from urllib.parse import parse_qsl

import orjson

from syncd.simulator import texts
from syncd.simulator.campaign import Added, Campaign, Refused, format_time
from syncd.simulator.faults import Fault, FaultKind
from syncd.simulator.listing import SimulatedRecord
from syncd.simulator.log import Call, Entry
from syncd.simulator.manner import CustomerIn, Ids, NoRecords, Token
from syncd.simulator.tenant import SimulatedTenant

JSON: Final = "application/json"
HTML: Final = "text/html; charset=utf-8"
OWN_RECORD_IDS: Final = 10_000_000
"""Where the tenant's own record ids begin, when they are not the customer's."""

_Entry = TypeVar("_Entry")

_OFFSET = re.compile(r"\d{1,18}", re.ASCII)
_ROUTES = (
    ("GET", Call.STATUS, re.compile(r"/api/stats/campaigns/(\d{1,18})\.json")),
    ("GET", Call.LIST, re.compile(r"/api/stats/campaigns/(\d{1,18})/records\.json")),
    ("POST", Call.ADD, re.compile(r"/api/tstats/campaigns/(\d{1,18})/customers")),
    ("DELETE", Call.DELETE, re.compile(r"/api/tstats/campaigns/(\d{1,18})/customers/(\d{1,18})")),
)


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request. Header names are in lower case."""

    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """What a request asks for, before anybody looked at who asks."""

    call: Call
    campaign: int | None = None
    pairs: tuple[tuple[object, object], ...] | None = ()
    """Customers and times; None is a body that is no list of customers."""
    offset: str | None = None

    def customers(self) -> frozenset[int]:
        """Return the customers named by number."""
        return frozenset(customer for customer, _ in self.pairs or () if isinstance(customer, int))


def message(status: int, text: str | None, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """Return an answer with the vendor's envelope for a text; without a text the body is empty."""
    return Answer(status, b"" if text is None else orjson.dumps({"message": text}), JSON, headers)


def read(request: Request) -> Ask:
    """Return what a request asks for."""
    for method, call, pattern in _ROUTES:
        if method != request.method or (match := pattern.fullmatch(request.path)) is None:
            continue
        campaign = int(match[1])
        if call is Call.LIST:
            return Ask(call, campaign, offset=dict(parse_qsl(request.query, keep_blank_values=True)).get("n"))
        if call is Call.ADD:
            return Ask(call, campaign, _read_customers(request.body))
        if call is Call.DELETE:
            return Ask(call, campaign, ((int(match[2]), None),))
        return Ask(call, campaign)
    return Ask(Call.OTHER)


def _read_customers(body: bytes) -> tuple[tuple[object, object], ...] | None:
    """Return customers and times of a bare array; None for anything else, and for keys that the guide has not."""
    try:
        entries = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(entries, list):
        return None
    pairs = []
    for entry in entries:
        if not isinstance(entry, dict) or "customer-id" not in entry:
            return None
        if entry.keys() - {"customer-id", "schedule-date-time"}:
            return None
        pairs.append((entry["customer-id"], entry.get("schedule-date-time")))
    return tuple(pairs)


class Api:
    """Answers the requests to one tenant."""

    def __init__(self, tenant: SimulatedTenant) -> None:
        self._tenant = tenant
        self._empty = cycle([shape for shape in NoRecords if shape is not NoRecords.ROTATE])

    def answer(self, request: Request, ask: Ask, entry: Entry, fault: Fault | None = None) -> Answer:
        """Do what is asked and return the answer; ``fault`` is one that spoils what the answer says."""
        if ask.campaign is None:
            return Answer(404, b"<html><body><h1>Not Found</h1></body></html>", HTML)
        if (refused := self._refuse_login(request, ask.call, entry)) is not None:
            return refused
        if ask.call is Call.STATUS:
            return self._status(ask.campaign)
        if ask.call is Call.LIST:
            return self._list(ask.campaign, request, ask, fault)
        if ask.call is Call.ADD:
            return self._add(ask.campaign, request, ask, entry, fault)
        return self._delete(ask.campaign, ask, entry)

    def _refuse_login(self, request: Request, call: Call, entry: Entry) -> Answer | None:
        manner = self._tenant.manner
        entry.login = self._tenant.login(request.headers.get("authorization", ""))
        wanted = {Call.ADD: manner.add_token, Call.DELETE: manner.delete_token}.get(call, Token.DATA)
        if entry.login == wanted or (wanted is Token.EITHER and entry.login in (Token.ACTION, Token.DATA)):
            return None
        known = entry.login in (Token.ACTION, Token.DATA)
        status = manner.wrong_token_status if known else 401
        headers = (("WWW-Authenticate", 'Basic realm="8x8"'),) if status == 401 else ()
        return message(status, "Unauthorized" if status == 401 else "Forbidden", headers)

    def _status(self, vendor_id: int) -> Answer:
        campaign = self._tenant.campaigns.get(vendor_id)
        if campaign is None:
            return self._refuse(Refused.NO_CAMPAIGN)
        records = self._tenant.count(vendor_id) if self._tenant.manner.tells_count else None
        return Answer(200, orjson.dumps({"campaign": _describe(campaign, records)}))

    def _list(self, campaign: int, request: Request, ask: Ask, fault: Fault | None) -> Answer:
        names = {name for name, _ in parse_qsl(request.query, keep_blank_values=True)}
        if names - {"n"} or not (ask.offset is None or _OFFSET.fullmatch(ask.offset)):
            return message(400, "Invalid parameter.")
        page = self._tenant.page(campaign, None if ask.offset is None else int(ask.offset))
        if isinstance(page, Refused):
            return self._refuse(page)
        if fault is not None and fault.kind is FaultKind.SHORT_LISTING:
            page = [record for record in page if record.serial * 61 % 100 >= fault.share * 100]
        return Answer(200, self._write_page(self._tenant.campaigns[campaign], self._shuffled(page)))

    def _write_page(self, campaign: Campaign, page: Sequence[SimulatedRecord]) -> bytes:
        manner = self._tenant.manner
        if not page:
            shape = next(self._empty) if manner.no_records is NoRecords.ROTATE else manner.no_records
            return shape.value.encode()
        records = [self._write_record(campaign, record) for record in page]
        one = len(records) == 1 and manner.one_record_as_object
        return orjson.dumps({"records": {"record": records[0] if one else records}})

    def _write_record(self, campaign: Campaign, record: SimulatedRecord) -> dict[str, object]:
        where = self._tenant.manner.customer_in
        own = where is not CustomerIn.RECORD_ID
        phone = self._tenant.crm.phone(record.customer)
        return {
            "campaign-name": campaign.properties.name,
            "campaign-id": campaign.vendor_id,
            "record-id": self._id(OWN_RECORD_IDS + record.serial if own else record.customer),
            "phone-list": f"*Phone Number|{phone}" if phone else "",
            "status": record.status,
            "status-code": record.status_code,
            "ext-trans-data": str(record.customer) if where is CustomerIn.EXT_TRANS_DATA else "",
            "disposition-code": record.disposition,
        }

    def _add(self, campaign: int, request: Request, ask: Ask, entry: Entry, fault: Fault | None) -> Answer:
        manner = self._tenant.manner
        if not request.headers.get("content-type", "").startswith(JSON):
            return message(415, "Unsupported media type.")
        if ask.pairs is None:
            entry.verdicts = (Refused.INVALID_LIST.name,)
            return self._refuse(Refused.INVALID_LIST)
        if manner.batch_limit is not None and len(ask.pairs) > manner.batch_limit:
            entry.asked = ask.pairs
            refused = Refused.TOO_LARGE if manner.batch_limit_status == 413 else Refused.INVALID_LIST
            entry.verdicts = (refused.name,)
            return self._refuse(refused)
        verdicts = self._tenant.add(campaign, ask.pairs, entry=entry)
        if isinstance(verdicts, Refused):
            if verdicts is Refused.NO_CAMPAIGN or not manner.refuses_in_207:
                return self._refuse(verdicts)
            status, text = texts.refused(verdicts, manner)
            entries = [self._write_verdict(pair, status, text) for pair in ask.pairs]
        else:
            entries = [
                self._write_verdict(pair, *self._text(verdict, campaign))
                for pair, verdict in zip(ask.pairs, verdicts, strict=True)
            ]
        entries = self._shuffled(entries)
        if fault is not None and fault.kind is FaultKind.MISSING_ENTRIES:
            entries = entries[max(1, round(len(entries) * fault.share)) :]
        return Answer(207, orjson.dumps(entries))

    def _text(self, verdict: Added, campaign: int) -> texts.Text:
        status, text = texts.added(verdict, self._tenant.manner.dialect)
        if verdict is not Added.OUTSIDE or text is None:
            return status, text
        properties = self._tenant.campaigns[campaign].properties
        opens, closes = (format_time(end) if end else "" for end in (properties.opens, properties.closes))
        return status, text.format(opens=opens, closes=closes)

    def _write_verdict(self, pair: tuple[object, object], status: int, text: str | None) -> dict[str, object]:
        customer, time = pair
        written: dict[str, object] = {"customer-id": self._id(customer)}
        if time is not None:
            written["schedule-date-time"] = time
        written["http-status"] = self._id(status)
        if text is not None:
            written["message"] = text
        return written

    def _delete(self, campaign: int, ask: Ask, entry: Entry) -> Answer:
        manner = self._tenant.manner
        (customer,) = ask.customers()
        verdict = self._tenant.delete(campaign, customer, entry=entry)
        if isinstance(verdict, Refused):
            return self._refuse(verdict, deleting=True)
        return message(*texts.deleted(verdict, manner))

    def _refuse(self, refused: Refused, *, deleting: bool = False) -> Answer:
        return message(*texts.refused(refused, self._tenant.manner, deleting=deleting))

    def _id(self, value: object) -> object:
        """Write an id or a status as the tenant does: numbers, digits, or now one and now the other."""
        ids = self._tenant.manner.ids
        if not isinstance(value, int) or ids is Ids.NUMBER:
            return value
        return str(value) if ids is Ids.STRING or value % 2 else value

    def _shuffled(self, entries: Sequence[_Entry]) -> list[_Entry]:
        shuffled = list(entries)
        if self._tenant.manner.shuffle:
            self._tenant.random.shuffle(shuffled)
        return shuffled


def _describe(campaign: Campaign, records: int | None) -> dict[str, object]:
    properties = campaign.properties
    described: dict[str, object] = {
        "campaign-name": properties.name,
        "campaign-id": campaign.vendor_id,
        "enabled": "Y" if properties.enabled else "N",
        "status": int(properties.state),
        "no-of-records": records,
        "start-time": format_time(properties.opens) if properties.opens else "",
        "end-time": format_time(properties.closes) if properties.closes else "",
        "daily-start-time": "",
        "daily-end-time": "",
        "retry-interval": properties.retry_interval,
        "max-retry": properties.max_retry,
        "calling-window": 2,
        "schedule-name": "",
        "timezone": "UTC",
        "dynamic-campaign": "Y" if properties.dynamic else "N",
        "integration-type": "contactual",
    }
    if records is None:
        del described["no-of-records"]
    return described
