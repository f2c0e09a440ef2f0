"""Runs a simulated tenant on a TCP port."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncd.simulator.api import Api
from syncd.simulator.control import Control
from syncd.simulator.http import Connection
from syncd.simulator.tenant import SimulatedTenant


@asynccontextmanager
async def serve(tenant: SimulatedTenant, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve the tenant while the context lasts; give its base URL. Port 0 takes any that is free.

    Raise OSError where the port cannot be had.
    """
    peers: set[Connection] = set()
    api, control = Api(tenant), Control(tenant)
    server = await asyncio.get_running_loop().create_server(lambda: Connection(tenant, api, control, peers), host, port)
    try:
        bound = server.sockets[0].getsockname()[1]
        yield f"http://{host}:{bound}"
    finally:
        server.close()
        await asyncio.gather(*(peer.abandon() for peer in list(peers)))
        await server.wait_closed()
