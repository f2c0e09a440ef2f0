"""A bare client: the same requests by the same HTTP library, as many side by side, and nothing else.

Prints the seconds that they took, of the clock and of its processor, as JSON.

``ADDRESS list RECORDS``, ``ADDRESS delete LOW HIGH``, ``ADDRESS add LOW HIGH BATCH``
"""

import asyncio
import json
import sys
import time
from collections.abc import Iterable, Iterator

import httpx
import orjson
from httpx_aiohttp import AiohttpTransport

from syncd.vendor import PAGE_SIZE
from tests.bench.tenant import CAMPAIGN

SIDE_BY_SIDE = 8

Ask = tuple[str, str, bytes | None]


def pages(records: int) -> Iterator[Ask]:
    for offset in range(0, records, PAGE_SIZE):
        yield "GET", f"/api/stats/campaigns/{CAMPAIGN}/records.json?n={offset + 1}", None


def deletes(low: int, high: int) -> Iterator[Ask]:
    for customer in range(low, high + 1):
        yield "DELETE", f"/api/tstats/campaigns/{CAMPAIGN}/customers/{customer}", None


def adds(low: int, high: int, batch: int) -> Iterator[Ask]:
    for first in range(low, high + 1, batch):
        customers = [{"customer-id": customer} for customer in range(first, min(first + batch, high + 1))]
        yield "POST", f"/api/tstats/campaigns/{CAMPAIGN}/customers", orjson.dumps(customers)


async def send(address: str, requests: Iterable[Ask]) -> dict[str, float]:
    """Send requests and read their answers; return the seconds."""
    waiting = iter(requests)
    tokens = {"GET": "simulated-data", "DELETE": "simulated-data", "POST": "simulated-action"}
    logins = {method: httpx.BasicAuth("acmecorp01", token) for method, token in tokens.items()}

    async def work(client: httpx.AsyncClient) -> None:
        for method, path, body in waiting:
            answer = await client.request(method, path, content=body, auth=logins[method])
            answer.raise_for_status()

    headers = {"Content-Type": "application/json"}
    async with httpx.AsyncClient(transport=AiohttpTransport(), base_url=address, headers=headers) as client:
        began, spent = time.monotonic(), time.process_time()
        async with asyncio.TaskGroup() as workers:
            for _ in range(SIDE_BY_SIDE):
                workers.create_task(work(client))
        return {"seconds": time.monotonic() - began, "cpu": time.process_time() - spent}


def main(address: str, verb: str, *numbers: str) -> dict[str, float]:
    requests = {"list": pages, "delete": deletes, "add": adds}[verb](*map(int, numbers))
    return asyncio.run(send(address, requests))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
