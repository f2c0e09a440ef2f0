"""Short words in which the tests of the pass tell what happened."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

from syncd.simulator import Call, Entry, SimulatedRecord
from syncd.sync import NoProgress, PassReport
from syncd.vendor import Disposition, RecordStatus
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage


async def good_pass(stage: Stage, *, observe: bool = True) -> PassReport:
    """Run a pass that has to be good."""
    report = await stage.once(observe=observe)
    assert report.exit_status is Exit.GOOD, report.sentence()
    return report


def writes(stage: Stage) -> list[str]:
    """Return the writing calls of the last pass, one a customer: ``add 7``, ``delete 7``.

    Of a call that a fault struck before the tenant looked at it nobody knows the customer: ``add ?``.
    """
    return [f"{entry.call} {customer}" for entry in sent(stage) for customer, _ in entry.asked or (("?", None),)]


def sent(stage: Stage) -> list[Entry]:
    """Return the writing calls of the last pass as the tenant saw them."""
    return list(stage.tenant.writes)


def requests(stage: Stage, *calls: Call) -> int:
    """Return how many requests of these kinds the tenant saw in the last pass."""
    return len(stage.tenant.log.of(*calls))


def record(stage: Stage, customer: int) -> SimulatedRecord | None:
    """Return a customer's record as the dialer has it."""
    return stage.tenant.campaigns[CAMPAIGN].record(customer)


def connect(stage: Stage, *customers: int) -> None:
    """Have an agent take these calls."""
    for customer in customers:
        stage.tenant.set_record(CAMPAIGN, customer, status=RecordStatus.ACCEPTED)


def complete(stage: Stage, *customers: int, disposition: int = Disposition.NONE) -> None:
    """Have these calls come to their end."""
    for customer in customers:
        stage.tenant.set_record(CAMPAIGN, customer, status=RecordStatus.COMPLETED, disposition=disposition)


def upload(stage: Stage, *customers: int, call_at: datetime | None = None) -> None:
    """Have somebody else put records in."""
    stage.tenant.add_records(CAMPAIGN, customers, call_at=call_at)


def drop(stage: Stage, *customers: int) -> None:
    """Have records leave the campaign without syncd's doing."""
    stage.tenant.campaigns[CAMPAIGN].drop(customers)


def journal(stage: Stage, customer: int) -> list[str]:
    """Return a customer's changes, oldest first: ``add done``, ``remove deferred with-agent``."""
    found = stage.rows("SELECT kind, outcome, reason FROM change WHERE customer = %s ORDER BY at, pass", customer)
    return [" ".join(str(word) for word in row if word is not None) for row in found]


def parked(stage: Stage, customer: int) -> str | None:
    """Return why a customer is parked; None: it is not."""
    found = stage.rows("SELECT reason FROM parked WHERE customer = %s", customer)
    return str(found[0][0]) if found else None


def next_try(stage: Stage, customer: int) -> timedelta | None:
    """Return the time between a parked customer's last try and the next."""
    found = stage.rows("SELECT next_try - last_try FROM parked WHERE customer = %s", customer)
    return found[0][0] if found else None  # type: ignore[return-value]


def claims(stage: Stage) -> list[tuple[object, ...]]:
    """Return the open claims: kind and customers."""
    return stage.rows("SELECT kind, customers FROM claim ORDER BY id")


def near(first: datetime | None, second: datetime | None) -> bool:
    """Return whether two times are the same but for what the wire cuts off."""
    return first is not None and second is not None and abs(first - second) < timedelta(seconds=1)


async def until(true: Callable[[], object]) -> None:
    """Wait for a condition, a minute at most."""
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110 - what is waited for happens in the simulated tenant
            await asyncio.sleep(0.01)


class Told(NoProgress):
    """Whom a pass tells how far it is."""

    def __init__(self) -> None:
        self.steps: list[tuple[str, int, int | None]] = []

    def step(self, name: str, done: int = 0, total: int | None = None) -> None:
        self.steps.append((name, done, total))

    @property
    def sending(self) -> list[tuple[int, int | None]]:
        return [(done, total) for name, done, total in self.steps if name == "sending changes"]
