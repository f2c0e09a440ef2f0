"""What a user might write in place of syncd: sixty honest lines that bring a campaign in step, once.

``SOURCE-URL ADDRESS``. No suppression list, no guard, no memory of what was done, one request after another.
"""

import sys

import httpx
import psycopg

CAMPAIGN = 125
BATCH = 200
PAGE = 50


def wanted(url: str) -> set[int]:
    """Return who needs a call."""
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute("SELECT customer_id FROM due")}


def listed(client: httpx.Client) -> set[int]:
    """Return who is in the campaign."""
    found: set[int] = set()
    while True:
        answer = client.get(f"/api/stats/campaigns/{CAMPAIGN}/records.json", params={"n": len(found) + 1})
        answer.raise_for_status()
        records = (answer.json() or {}).get("records") or {}
        page = records.get("record", []) if isinstance(records, dict) else []
        new = {record["record-id"] for record in ([page] if isinstance(page, dict) else page)} - found
        if not new:
            return found
        found |= new


def add(client: httpx.Client, customers: list[int]) -> None:
    """Add customers, a batch at a time."""
    for first in range(0, len(customers), BATCH):
        batch = [{"customer-id": customer} for customer in customers[first : first + BATCH]]
        answer = client.post(f"/api/tstats/campaigns/{CAMPAIGN}/customers", json=batch)
        answer.raise_for_status()
        for entry in answer.json():
            if entry["http-status"] >= 400:
                print(f"not added: {entry}")


def remove(client: httpx.Client, customers: list[int]) -> None:
    """Remove customers, one at a time."""
    for customer in customers:
        answer = client.delete(f"/api/tstats/campaigns/{CAMPAIGN}/customers/{customer}")
        if answer.status_code not in (200, 204, 404):
            answer.raise_for_status()


def main(source: str, address: str) -> None:
    reading = httpx.Client(base_url=address, auth=("acmecorp01", "simulated-data"), timeout=30)
    writing = httpx.Client(base_url=address, auth=("acmecorp01", "simulated-action"), timeout=30)
    with reading, writing:
        due, there = wanted(source), listed(reading)
        remove(reading, sorted(there - due))
        add(writing, sorted(due - there))


if __name__ == "__main__":
    main(*sys.argv[1:])
