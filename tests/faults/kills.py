"""Deaths: where and when a process of syncd is killed, and what happens in the world between two of them."""

import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Final, Protocol

from syncd.simulator import Call, Fault, FaultKind
from tests.faults import laws
from tests.faults.company import Company, until

POINTS: Final = ("lock", "preflight", "protect", "observe", "read", "plan", "guard", "apply", "tell")
"""The steps of a pass, at whose ends a process can be killed."""

CUSTOMERS: Final = range(1, 61)


class Death(Protocol):
    """A way to die; its text is what the tally calls it."""

    def befall(self, company: Company) -> bool:
        """Start a pass and have it die; return whether it did, or came to its end before."""
        ...


@dataclass(frozen=True)
class AtPoint:
    """At the end of a step."""

    point: str

    def __str__(self) -> str:
        return f"at {self.point}"

    def befall(self, company: Company) -> bool:
        return _ended(company.start_doomed(self.point))


@dataclass(frozen=True)
class InCall:
    """While a call is with the tenant, which has carried it out or has not."""

    call: Call
    skip: int
    deed: bool

    def __str__(self) -> str:
        return f"in {self.call}, {'done' if self.deed else 'not done'}"

    def befall(self, company: Company) -> bool:
        fault = Fault(kind=FaultKind.HANG, calls=frozenset({self.call}), deed=self.deed, skip=self.skip)
        armed, before = company.tenant.faults.add(fault), company.tenant.log.total
        process = company.start("once")
        try:
            until(lambda: process.poll() is not None or (armed.struck and company.tenant.log.total > before))
            process.kill()
        finally:
            company.tenant.faults.clear()
        return _ended(process)


@dataclass(frozen=True)
class AtMoment:
    """So many seconds after the first request, wherever the process is then."""

    seconds: float

    def __str__(self) -> str:
        return "at a moment"

    def befall(self, company: Company) -> bool:
        before = company.tenant.log.total
        process = company.start("once")
        until(lambda: process.poll() is not None or company.tenant.log.total > before)
        time.sleep(self.seconds)
        process.kill()
        return _ended(process)


@dataclass(frozen=True)
class WithoutState:
    """All of syncd's sessions in the state are ended while a call is with the tenant; the process lives on."""

    call: Call
    skip: int

    def __str__(self) -> str:
        return f"state lost in {self.call}"

    def befall(self, company: Company) -> bool:
        fault = Fault(kind=FaultKind.LATENCY, calls=frozenset({self.call}), skip=self.skip, seconds=0.2)
        armed = company.tenant.faults.add(fault)
        process = company.start("once")
        until(lambda: process.poll() is not None or armed.struck)
        company.ask(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'syncd' AND datname = current_database()"
        )
        _ended(process)
        company.tenant.faults.clear()
        return process.returncode == 1


def _ended(process: subprocess.Popen[str]) -> bool:
    """Wait for the end of a process; return whether it was killed."""
    try:
        process.communicate(timeout=120)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        said, _ = process.communicate(timeout=20)
        raise AssertionError(f"a process hangs: {said}") from None
    return process.returncode == -signal.SIGKILL


def stir(company: Company, random: Random) -> None:
    """Let a day pass: people become due, are dropped, moved, suppressed, called, and put in by others."""
    soon = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
    for customer in random.sample(CUSTOMERS, 12):
        match random.randrange(8):
            case 0 | 1 | 2:
                company.want(customer, at=random.choice([None, soon, soon + timedelta(hours=1)]))
            case 3 | 4:
                company.drop(customer)
            case 5:
                if customer in company.due:
                    company.want(customer, at=soon + timedelta(minutes=random.randrange(10, 100)))
            case 6:
                company.suppress(customer)
            case _:
                company.complete(customer)
    newcomer = random.randrange(1000, 2000)
    if newcomer not in company.foreign:
        company.upload(newcomer)


def choose(random: Random) -> Death:
    """Return a death."""
    call = random.choice([Call.ADD, Call.DELETE])
    return random.choice(
        [
            AtPoint(random.choice(POINTS)),
            AtMoment(random.uniform(0, 0.4)),
            InCall(call, random.randrange(6), random.random() < 0.5),
            InCall(random.choice(list(Call)[:4]), random.randrange(3), random.random() < 0.5),
            WithoutState(random.choice([Call.STATUS, Call.LIST, call]), random.randrange(3)),
        ]
    )


def schedule(company: Company, random: Random, tally: Counter[str]) -> int:
    """Let a day pass, one to three processes die, and hold syncd to the laws; return how many died."""
    stir(company, random)
    died = 0
    for _ in range(random.choice([1, 1, 2, 3])):
        death = choose(random)
        if death.befall(company):
            tally[str(death)] += 1
            died += 1
        else:
            tally["came to its end before"] += 1
        company.wait_for_the_lock()
    laws.hold(company)
    return died
