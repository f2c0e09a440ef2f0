"""A process that ends itself, as ``kill -9`` would, where its pass comes to a named point.

``doomed.py CONFIG CAMPAIGN POINT``: the world is built here as ``syncd once`` builds it, so that the product needs no
door for the tests to come in by.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path

from syncd.config import load_config
from syncd.state.opening import open_migrated_state
from syncd.state.workplace import Workplaces
from syncd.sync import run_pass
from syncd.sync.worlds import Worlds


async def run_up_to(path: Path, campaign: str, point: str) -> None:
    """Run a pass that does not come further than the point."""

    def end(reached: str) -> None:
        if reached == point:
            os.kill(os.getpid(), signal.SIGKILL)

    config = load_config(path, environ=os.environ)
    async with open_migrated_state(config.state) as database:
        worlds = Worlds(config, Workplaces(database))
        world = worlds.world(campaign)
        world.reached = end
        await run_pass(worlds.campaign(campaign), world, kind="once", always_observe=True)


if __name__ == "__main__":
    asyncio.run(run_up_to(Path(sys.argv[1]), *sys.argv[2:]))
