"""A clock that tests move, and a tenant that lives by it."""

from datetime import UTC, datetime, timedelta

import pytest

from syncd.simulator import SimulatedTenant

START = datetime(2027, 3, 1, 9, tzinfo=UTC)


class MovedClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return START + timedelta(seconds=self.passed)

    def monotonic(self) -> float:
        return self.passed

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def tenant(clock: MovedClock) -> SimulatedTenant:
    """Campaign 125 runs and is empty; customers 1 to 999 are in the CRM."""
    tenant = SimulatedTenant(clock=clock, seed=7)
    tenant.add_campaign(125)
    tenant.add_customers(range(1, 1000))
    return tenant
