"""Faults, armed by rule: which calls they strike, how often, and what they do."""

from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import ClassVar

from pydantic import ConfigDict

from syncd.simulator.log import Call


class FaultKind(StrEnum):
    """What a fault does."""

    LATENCY = "latency"
    """Waits ``seconds``, then goes on as usual."""
    ANSWER = "answer"
    """Answers ``status`` with ``text``: 429, 5xx, 401, 403, 206, 200 with HTML."""
    RESET = "reset"
    """Resets the connection (RST) in place of an answer."""
    HANG = "hang"
    """Never answers; the connection stays open until the client gives up."""
    TRUNCATED = "truncated"
    """Does what was asked, sends half of the answer and closes."""
    ENDLESS = "endless"
    """Does what was asked and answers with a body that never ends."""
    MISSING_ENTRIES = "missing-entries"
    """Does what was asked; ``share`` of the entries of the 207 are left out, at least one."""
    SHORT_LISTING = "short-listing"
    """The same ``share`` of all records is left out of every page; ``no-of-records`` is right."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A rule. It strikes calls that fit, after ``skip`` of them, ``count`` times (None: for ever)."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    kind: FaultKind
    calls: frozenset[Call] | None = None
    """None: every call of the API."""
    campaign: int | None = None
    customers: frozenset[int] | None = None
    """Strikes only requests that name one of these."""
    skip: int = 0
    count: int | None = 1
    probability: float = 1.0
    deed: bool = False
    """For answer, reset and hang: what was asked is done before, so that only the answer is lost."""
    seconds: float = 0.0
    status: int = 500
    text: str | None = "Internal server error."
    """The ``message``, or the whole body where ``html`` is set; None is an empty body."""
    html: bool = False
    retry_after: int | None = None
    """Seconds, in the Retry-After header."""
    retry_after_as_date: bool = False
    share: float = 0.5


@dataclass(slots=True)
class ArmedFault:
    """A fault at work; ``struck`` proves that it happened."""

    fault: Fault
    seen: int = 0
    struck: int = 0

    def fits(self, call: Call, campaign: int | None, customers: frozenset[int]) -> bool:
        """Tell whether the rule is about this request at all."""
        fault = self.fault
        if fault.count is not None and self.struck >= fault.count:
            return False
        return (
            (fault.calls is None or call in fault.calls)
            and (fault.campaign is None or campaign == fault.campaign)
            and (fault.customers is None or not fault.customers.isdisjoint(customers))
        )


@dataclass(frozen=True, slots=True)
class Strike:
    """What strikes one request: time lost, and at most one fault besides."""

    seconds: float = 0.0
    fault: Fault | None = None


_NOTHING = Strike()


@dataclass(slots=True)
class Faults:
    """The faults of a tenant. Chance is seeded."""

    random: Random
    armed: list[ArmedFault] = field(default_factory=list)

    def add(self, fault: Fault) -> ArmedFault:
        """Arm a fault; the first that fits a request strikes it, latencies add up."""
        armed = ArmedFault(fault)
        self.armed.append(armed)
        return armed

    def clear(self) -> None:
        """Disarm all."""
        self.armed.clear()

    def strike(self, call: Call, campaign: int | None, customers: frozenset[int]) -> Strike:
        """Return what strikes this request, and count it."""
        if not self.armed:
            return _NOTHING
        seconds, struck = 0.0, None
        for armed in self.armed:
            latency = armed.fault.kind is FaultKind.LATENCY
            if (struck is not None and not latency) or not armed.fits(call, campaign, customers):
                continue
            armed.seen += 1
            if armed.seen <= armed.fault.skip or self.random.random() >= armed.fault.probability:
                continue
            armed.struck += 1
            if latency:
                seconds += armed.fault.seconds
            else:
                struck = armed.fault
        return Strike(seconds, struck)
