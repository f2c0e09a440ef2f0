"""The control surface: people and tests set the stage over the port on which the tenant answers.

It has no login; the simulator listens on loopback. Bodies and answers are JSON, a refused body is 400 with a
``message``. Customers are a number of them (from 1), a range ``"A-B"``, or a list.

========  ======================  ====================================================================================
method    path                    does
========  ======================  ====================================================================================
GET       ``/-/state``            a summary: campaigns, records by status, faults and how often they struck, requests
GET       ``/-/log?since=N``      the requests that came after the N-th
POST      ``/-/faults``           arms a fault, with the fields of :class:`~syncd.simulator.faults.Fault`
DELETE    ``/-/faults``           disarms all
POST      ``/-/campaigns/{id}``   sets ``state``, ``enabled``, ``dynamic``, ``calls_per_minute``, ``opens``, ``closes``
DELETE    ``/-/campaigns/{id}``   empties it by hand
POST      ``/-/customers``        ``{"customers": ...}`` makes them known to the CRM; ``"mark"`` says what is wrong
                                  with them (``do-not-call``, ``no-phone``, ``invalid-phone``)
POST      ``/-/records``          ``{"campaign": id, "customers": ...}`` uploads records, as others do
POST      ``/-/dial``             ``{"campaign": id, "calls": n}`` makes one turn of the dialer
POST      ``/-/manner``           changes the manner, with the fields of :class:`~syncd.simulator.manner.Manner`
========  ======================  ====================================================================================
"""

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Final
from urllib.parse import parse_qs

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

from syncd.simulator.api import Answer, Request, message
from syncd.simulator.campaign import Campaign
from syncd.simulator.crm import Mark
from syncd.simulator.faults import Fault
from syncd.simulator.manner import Manner
from syncd.simulator.scenario import Customers, Time
from syncd.simulator.tenant import SimulatedTenant
from syncd.vendor import CampaignState, RecordStatus

PREFIX: Final = "/-/"
_STRICT = ConfigDict(extra="forbid")
_CAMPAIGN = re.compile(r"/-/campaigns/(\d{1,18})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CampaignChange:
    """What to change of a campaign; None stays."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    state: CampaignState | None = None
    enabled: bool | None = None
    dynamic: bool | None = None
    calls_per_minute: float | None = None
    opens: Time = None
    closes: Time = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCustomers:
    """Customers of the CRM."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    customers: Customers
    mark: Mark | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRecords:
    """Records that others upload."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    campaign: int
    customers: Customers
    call_at: Time = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One turn of the dialer."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    campaign: int
    calls: int = 1


class Control:
    """Answers the requests under ``/-/``."""

    def __init__(self, tenant: SimulatedTenant) -> None:
        self._tenant = tenant
        self._verbs: dict[tuple[str, str], Callable[[Request], object]] = {
            ("GET", "/-/state"): self._state,
            ("GET", "/-/log"): self._log,
            ("POST", "/-/faults"): self._arm,
            ("DELETE", "/-/faults"): self._disarm,
            ("POST", "/-/customers"): self._add_customers,
            ("POST", "/-/records"): self._add_records,
            ("POST", "/-/dial"): self._dial,
            ("POST", "/-/manner"): self._change_manner,
        }

    def answer(self, request: Request) -> Answer:
        """Do what is asked; 404 for what there is not, 400 for what cannot be read."""
        verb = self._verbs.get((request.method, request.path))
        campaign = _CAMPAIGN.fullmatch(request.path)
        try:
            if verb is not None:
                return Answer(200, orjson.dumps(verb(request), option=orjson.OPT_NON_STR_KEYS))
            if campaign is not None and request.method in ("POST", "DELETE"):
                return Answer(200, orjson.dumps(self._campaign(int(campaign[1]), request)))
        except KeyError as error:
            return message(404, f"There is no campaign {error}.")
        except ValidationError as error:
            wrongs = (f"{'.'.join(map(str, wrong['loc']))}: {wrong['msg']}" for wrong in error.errors())
            return message(400, "; ".join(wrongs))
        return message(404, "There is no such control.")

    def _state(self, _: Request) -> object:
        tenant = self._tenant
        tenant.tick()
        return {
            "campaigns": {number: _summary(campaign) for number, campaign in tenant.campaigns.items()},
            "faults": [{"kind": armed.fault.kind, "struck": armed.struck} for armed in tenant.faults.armed],
            "requests": tenant.log.total,
            "peak_in_flight": tenant.log.peak,
        }

    def _log(self, request: Request) -> object:
        since = parse_qs(request.query).get("since", ["0"])[0]
        after = int(since) if since.isascii() and since.isdigit() else 0
        return [asdict(entry) for entry in self._tenant.log if entry.number > after]

    def _arm(self, request: Request) -> object:
        self._tenant.faults.add(_parse(Fault, request))
        return {"armed": len(self._tenant.faults.armed)}

    def _disarm(self, _: Request) -> object:
        self._tenant.faults.clear()
        return {"armed": 0}

    def _add_customers(self, request: Request) -> object:
        new = _parse(NewCustomers, request)
        self._tenant.add_customers(new.customers)
        if new.mark is not None:
            self._tenant.crm.mark(new.mark, new.customers)
        return {}

    def _add_records(self, request: Request) -> object:
        new = _parse(NewRecords, request)
        self._tenant.add_records(new.campaign, new.customers, call_at=new.call_at)
        return _summary(self._tenant.campaigns[new.campaign])

    def _dial(self, request: Request) -> object:
        turn = _parse(Turn, request)
        return {"moved": self._tenant.dial(turn.campaign, turn.calls)}

    def _change_manner(self, request: Request) -> object:
        manner = self._tenant.manner
        body = _parse(dict[str, Any], request)
        changed: Manner = TypeAdapter(Manner).validate_python(asdict(manner) | body)
        for each in fields(Manner):
            setattr(manner, each.name, getattr(changed, each.name))
        return asdict(manner)

    def _campaign(self, number: int, request: Request) -> object:
        campaign = self._tenant.campaigns[number]
        if request.method == "DELETE":
            campaign.empty()
            return _summary(campaign)
        change = _parse(CampaignChange, request)
        for each in fields(CampaignChange):
            value = getattr(change, each.name)
            if value is None:
                continue
            if each.name == "state":
                campaign.set_state(value)
            else:
                setattr(campaign.properties, each.name, value)
        return _summary(campaign)


def _parse(kind: Any, request: Request) -> Any:
    return TypeAdapter(kind).validate_json(request.body)


def _summary(campaign: Campaign) -> dict[str, object]:
    return {
        "name": campaign.properties.name,
        "state": int(campaign.properties.state),
        "records": len(campaign),
        "by_status": {status.name.lower(): campaign.by_status[status] for status in RecordStatus},
        "calls": len(campaign.calls),
    }
