"""A scripted tenant, a quick clock and a client between them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from datetime import timedelta

import pytest
from quick_clock import QuickClock
from scripted_tenant import ACTION, DATA, ScriptedTenant, scripted_tenant

from syncd.config import Secret, TenantSettings
from syncd.dialer.client import CampaignClient, Tenant


@pytest.fixture
async def tenant() -> AsyncIterator[ScriptedTenant]:
    async with scripted_tenant() as scripted:
        yield scripted


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
def account(tenant: ScriptedTenant, clock: QuickClock) -> Callable[..., Tenant]:
    """Make a tenant as the process holds it, with settings of the test's own."""

    def make(**changes: object) -> Tenant:
        settings = {
            "name": "acme",
            "base_url": tenant.url,
            "username": "acmecorp01",
            "action_token": Secret(ACTION),
            "data_token": Secret(DATA),
            "requests_per_second": 10_000,
            "timeout": timedelta(seconds=5),
        }
        return Tenant(TenantSettings(**(settings | changes)), clock=clock, random=lambda: 0.5)

    return make


@pytest.fixture
def campaign(account: Callable[..., Tenant]) -> Callable[..., AbstractAsyncContextManager[CampaignClient]]:
    """Open the client of one pass."""
    return lambda **changes: account(**changes).campaign("renewals", 125)
