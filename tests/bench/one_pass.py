"""One pass in a process of its own, so that its memory is syncd's alone: prints what it measured as JSON.

Its argument is a JSON object: ``address``, ``state``, ``source``, ``observe``, and where wanted ``every`` in seconds
and ``requests_per_second``. Nothing limits or holds the pass unless that is asked for.
"""

import asyncio
import json
import resource
import sys
import time
from datetime import timedelta

import structlog

from syncd import garbage
from syncd.clock import SystemClock
from syncd.config import CampaignSettings, GuardSettings, Secret, SourceSettings, TenantSettings
from syncd.dialer.client import Tenant
from syncd.state.database import Database
from syncd.state.workplace import Workplaces
from syncd.sync import Campaign, World, run_pass
from tests.bench.tenant import CAMPAIGN

UNGUARDED = GuardSettings(
    min_rows=0,
    max_shrink_percent=0,
    max_removal_percent=0,
    max_removals=0,
    max_removals_per_day=0,
    max_growth_percent=0,
    max_vanished_percent=0,
    max_new_query_additions=0,
)


async def main(
    *, address: str, state: str, source: str, observe: bool, every: float = 300, requests_per_second: float = 100_000
) -> dict[str, object]:
    """Run one pass; return its sentence, the seconds of each step and the peak memory in MB."""
    clock = SystemClock()
    tenant = TenantSettings(
        name="acme",
        base_url=address,
        username="acmecorp01",
        action_token=Secret("simulated-action"),
        data_token=Secret("simulated-data"),
        requests_per_second=requests_per_second,
    )
    database = SourceSettings(name="crm", url=source)
    settings = CampaignSettings(
        name="bench",
        id=CAMPAIGN,
        tenant="acme",
        source="crm",
        query="SELECT customer_id, schedule_at, version FROM due",
        suppress="SELECT customer_id FROM do_not_call",
        every=timedelta(seconds=every),
        list_every=timedelta(days=1),
        max_adds_per_week=0,
        guard=UNGUARDED,
    )
    steps: dict[str, float] = {}
    began = last = time.monotonic()
    spent = time.process_time()

    def reached(step: str) -> None:
        nonlocal last
        now = time.monotonic()
        steps[step] = round(now - last, 2)
        last = now

    world = World(
        workplaces=Workplaces(Database(state, "syncd")),
        tenant=Tenant(tenant, clock=clock),
        clock=clock,
        reached=reached,
    )
    report = await run_pass(Campaign(settings, tenant, database, database), world, kind="bench", always_observe=observe)
    if report.error is not None:
        raise report.error
    return {
        "sentence": report.sentence(),
        "steps": steps,
        "seconds": round(time.monotonic() - began, 2),
        "cpu": round(time.process_time() - spent, 2),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


if __name__ == "__main__":
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    garbage.look_rarely()
    print(json.dumps(asyncio.run(main(**json.loads(sys.argv[1])))))
