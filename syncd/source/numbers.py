"""A customer's phone numbers as the source has them, for the one report that shows them when it is told to."""

from collections.abc import Sequence

from syncd.source.rows import Batch, Cleaner, SourceRows, clean_customer
from syncd.source.session import open_source
from syncd.source.settings import SourceSettings


class _NumberCleaner(Cleaner):
    """Takes of each row the customer and the number, and leaves the number as it is."""

    def clean(self, raw: Sequence[Sequence[object]], samples: int) -> Batch:
        customer_at, phone_at = self.positions["customer_id"], self.positions.get("phone")
        found = [
            (customer, str(row[phone_at]))
            for row in raw
            if phone_at is not None
            and row[phone_at] is not None
            and (customer := clean_customer(row[customer_at])) is not None
        ]
        customers, numbers = [customer for customer, _ in found], [number for _, number in found]
        nothing = (None,) * len(found)
        rows = SourceRows(customers, nothing, nothing, numbers, nothing)
        return Batch(rows, seen=len(raw), invalid=len(raw) - len(rows), samples=())


async def numbers_of(settings: SourceSettings, query: str, customer: int) -> tuple[str, ...]:
    """Return what the ``phone`` of a query has for a customer, each number once. Kept nowhere. Raise SourceError."""
    found: set[str] = set()
    async with open_source(settings) as session:
        async for batch in session.read(query, _NumberCleaner, only=customer):
            found.update(row.phone_key for row in batch if row.phone_key)
    return tuple(sorted(found))
