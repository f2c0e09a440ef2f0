"""What the rest of syncd knows of a tenant's API: values and verbs, no wire format.

Two protocols, one a part of the other: a dry run is handed a :class:`CampaignReader`, which has no writing verb.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from syncd.words import Lane, Outcome, Reason


@dataclass(frozen=True, slots=True)
class CampaignStatus:
    """The answer to the status call, as far as syncd uses it."""

    vendor_id: int
    name: str
    records: int | None
    """``no-of-records``; None when the tenant does not tell."""
    blocked: str | None
    """Why the campaign takes no changes, in words; None when it takes them."""
    purged: bool
    """Somebody took all calls out of the queue (10, 11): absence proves nothing."""
    ends_at: datetime | None
    """``end-time``, aware; None when unset or unreadable."""


class Record(NamedTuple):
    """One record of the listing, as the tenant gave it. A named tuple, since millions of them are made in one pass."""

    record_id: int
    status: int | None
    status_code: int | None
    disposition: int | None
    phones: tuple[str, ...]
    """Numbers out of ``phone-list``, digits only. Used to match, never kept."""
    ext_trans_data: str


class Addition(NamedTuple):
    """A customer to add; ``call_at`` None means as soon as possible."""

    customer: int
    call_at: datetime | None


class Verdict(NamedTuple):
    """What one call made of one customer. A named tuple, as a record is."""

    customer: int
    outcome: Outcome
    reason: Reason | None = None
    http_status: int | None = None
    message: str = ""
    """The vendor's own text, cleaned of control characters and cut to a sane length."""
    retry_at: datetime | None = None
    """When the vendor said that it can be tried again (A of "outside the campaign schedule from A to B")."""
    resent: bool = False
    """The request went out more than once, because an earlier try got no answer: a duplicate may be our own."""
    withheld: bool = False
    """It was not to be sent any more when its turn came."""


class NamedMeanwhile(Exception):
    """Customers are not to be added any more, which whoever was about to send their addition is told."""

    def __init__(self, customers: frozenset[int]) -> None:
        super().__init__(f"{len(customers)} customers")
        self.customers = customers
        self.perhaps_done = False
        """An earlier try of the addition may have been carried out."""


class Pages(Protocol):
    """The pages of one listing, in any order, with what was left out of them."""

    foreign: int
    """Records of another campaign, left out."""
    unusable: int
    """Records without a usable ``record-id``, left out."""
    repeated: bool
    """The end showed itself by records that had come before, not by an empty page."""

    def __aiter__(self) -> AsyncIterator[Sequence[Record]]: ...


class CampaignReader(Protocol):
    """The reading half of one campaign's API."""

    async def status(self) -> CampaignStatus:
        """Ask for the campaign's status.

        Raise CampaignBlocked where the tenant does not know the campaign (404), AuthRefused, DialerUnavailable.
        """
        ...

    def listing(self, expected: int | None) -> Pages:
        """Return the pages of the listing, to be iterated once, until its end was reached.

        ``expected`` is ``no-of-records``, where known: it sizes the pages asked for side by side and the limit at
        which an endless listing is cut off; it never ends a listing early. Overlapping pages are yielded as they
        come: doubles are the reader's to fold. Raise DialerUnavailable when a page cannot be had.
        """
        ...


class CampaignWriter(CampaignReader, Protocol):
    """The API of one campaign, with the two calls that change it."""

    async def add(self, batch: Sequence[Addition], lane: Lane) -> Sequence[Verdict]:
        """Add customers; return one verdict each, in the order of the batch.

        Kinds of outcome: done, already (duplicate), refused, deferred, unknown, failed. A batch that the tenant
        finds invalid is halved until the poison stands alone.
        Raise CampaignBlocked, AuthRefused, RequestRefused, DialerUnavailable (each only where nothing of the batch
        was carried out: what may have been is ``unknown``).
        """
        ...

    async def delete(self, customer: int, lane: Lane) -> Verdict:
        """Delete one customer's record.

        Outcomes: done, already (not-found or completed), deferred (with-agent, or a text about deletion), unknown,
        failed. Raise CampaignBlocked, AuthRefused, DialerUnavailable (where the tenant asks to wait too long).
        """
        ...
