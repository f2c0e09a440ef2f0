"""A simulated tenant in a process of its own, so that its cost is not taken for syncd's: prints its address.

``CUSTOMERS [CAMPAIGNS]``: it knows the customers from 1, and has so many campaigns from number 125.
"""

import asyncio
import sys

from syncd.clock import SystemClock
from syncd.simulator import SimulatedTenant, serve

CAMPAIGN = 125


async def main(customers: int, campaigns: int = 1) -> None:
    tenant = SimulatedTenant(clock=SystemClock(), keep_log=100)
    for number in range(campaigns):
        tenant.add_campaign(CAMPAIGN + number)
    tenant.add_customers(range(1, customers + 1))
    async with serve(tenant) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:])))
