"""A simulated tenant in a process of its own, so that its cost is not taken for syncd's: prints its address."""

import asyncio
import sys

from syncd.clock import SystemClock
from syncd.simulator import SimulatedTenant, serve

CAMPAIGN = 125


async def main(customers: int) -> None:
    tenant = SimulatedTenant(clock=SystemClock(), keep_log=100)
    tenant.add_campaign(CAMPAIGN)
    tenant.add_customers(range(1, customers + 1))
    async with serve(tenant) as address:
        print(address, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
