"""The wire of one syncd: its requests go to the simulated tenant without a socket, and suffer the same faults."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Final
from unittest import mock

import httpx
import orjson

from syncd.dialer.transport import Answer, Request, TryError
from syncd.simulator import Call, Entry, Fault, FaultKind, SimulatedTenant
from syncd.simulator.api import Answer as TenantAnswer
from syncd.simulator.api import Api, message, read
from syncd.simulator.api import Request as TenantRequest
from tests.property.virtual_clock import VirtualClock

TIMEOUT: Final = 30.0
"""Seconds after which a request without an answer is given up."""


@dataclass(slots=True)
class Carried:
    """One request that reached the tenant, and what of its answer came back."""

    entry: Entry
    customers: frozenset[int] = frozenset()
    """Whom it is about, whether the tenant looked at it or not."""
    shown: dict[int, int] = field(default_factory=dict)
    """Customers of a page that was delivered, with the status of their records."""

    @property
    def writes(self) -> bool:
        return self.entry.call in (Call.ADD, Call.DELETE)


class Wire:
    """Carries the requests of one syncd to the tenant."""

    def __init__(self, tenant: SimulatedTenant, clock: VirtualClock) -> None:
        self.carried: list[Carried] = []
        """Of the pass under way or the last one, in order."""
        self.passing: Callable[[str], None] = lambda moment: None
        """Told ``request N`` before the Nth request of a pass is on its way, ``answer N`` before its answer is, and of
        the writing calls alone ``write N`` and ``written N``."""
        self.down = False
        """The network is gone: nothing leaves."""
        self._tenant, self._clock, self._api = tenant, clock, Api(tenant)
        self._requests = self._writes = 0

    def clear(self) -> None:
        """Begin to count anew."""
        self.carried, self._requests, self._writes = [], 0, 0

    async def send(self, request: Request, authorization: str) -> Answer:
        """Send one request, as :class:`syncd.dialer.transport.Exchange` does. Raise TryError."""
        self._requests += 1
        self._writes += request.method != "GET"
        number, write = self._requests, self._writes if request.method != "GET" else None
        self.passing(f"request {number}")
        self.passing(f"write {write}")
        if self.down:
            raise TryError("no connection", sent=False)
        carried, answer = await self._carry(_at_the_tenant(request, authorization))
        self.passing(f"answer {number}")
        self.passing(f"written {write}")
        if answer is None:
            raise TryError("the connection was lost before the answer was whole", sent=True)
        if carried.entry.call is Call.LIST and carried.entry.fault in ("", FaultKind.SHORT_LISTING):
            carried.shown = _statuses(answer.body)
        carried.entry.status, carried.entry.delivered = answer.status, True
        headers = [("content-type", answer.content_type), *answer.headers]
        return Answer(answer.status, httpx.Headers(headers), answer.body)

    async def _carry(self, request: TenantRequest) -> tuple[Carried, TenantAnswer | None]:
        """Have the tenant look at a request, and whatever strikes it; no answer is one that was lost."""
        ask = read(request)
        entry = self._tenant.log.open(ask.call, ask.campaign)
        carried = Carried(entry, ask.customers())
        self.carried.append(carried)
        strike = self._tenant.faults.strike(ask.call, ask.campaign, ask.customers())
        await self._clock.sleep(self._tenant.manner.latency)
        self._clock.move(seconds=strike.seconds)
        fault = strike.fault
        if fault is None or fault.kind in (FaultKind.MISSING_ENTRIES, FaultKind.SHORT_LISTING):
            entry.fault = "" if fault is None else fault.kind
            return carried, self._api.answer(request, ask, entry, fault)
        entry.fault = fault.kind
        if fault.deed or fault.kind in (FaultKind.TRUNCATED, FaultKind.ENDLESS):
            self._api.answer(request, ask, entry)
        if fault.kind is FaultKind.HANG:
            self._clock.move(seconds=TIMEOUT)
        return carried, self._spoilt(fault) if fault.kind is FaultKind.ANSWER else None

    def _spoilt(self, fault: Fault) -> TenantAnswer:
        headers = () if fault.retry_after is None else (("retry-after", str(fault.retry_after)),)
        if fault.html:
            return TenantAnswer(fault.status, (fault.text or "").encode(), "text/html", headers)
        return message(fault.status, fault.text, headers)


def _at_the_tenant(request: Request, authorization: str) -> TenantRequest:
    path, _, query = request.path.partition("?")
    headers = {"authorization": authorization, "content-type": "application/json"}
    return TenantRequest(request.method, path, query, headers, request.content or b"")


def _statuses(body: bytes) -> dict[int, int]:
    """Return the customers of a page, which the tenant writes as ids of its records."""
    page = orjson.loads(body) if body else None  # a campaign without records has a body of many shapes
    records = ((page or {}).get("records") or {}).get("record", ())
    records = [records] if isinstance(records, dict) else records
    return {int(record["record-id"]): int(record["status"]) for record in records}


@contextmanager
def wired(wires: dict[str, Wire]) -> Iterator[None]:
    """Have requests to these base URLs go over these wires while the context lasts."""

    @asynccontextmanager
    async def open_exchange(base_url: str, **_: object) -> AsyncIterator[Wire]:
        yield wires[base_url]

    with mock.patch("syncd.dialer.client.open_exchange", open_exchange):
        yield
