"""The listing is read whole in every manner that tenants answer in, pages side by side and in any order."""

import asyncio
from collections.abc import Callable
from random import Random

import pytest

from syncd.dialer.api import Record
from syncd.dialer.paging import Listing
from syncd.dialer.wire import Page
from syncd.errors import DialerUnavailable

Answer = Callable[[range, int | None], range]

SIZES = (0, 1, 2, 49, 50, 51, 99, 100, 101, 149, 150, 151, 1000, 1001)


def from_zero(ids: range, n: int | None) -> range:
    return ids[n or 0 :][:50]


def from_one(ids: range, n: int | None) -> range:
    return ids[(n or 1) - 1 :][:50]


def all_at_once(ids: range, n: int | None) -> range:
    return ids


def all_at_once_from_zero(ids: range, n: int | None) -> range:
    return ids[n or 0 :]


def last_page_again(ids: range, n: int | None) -> range:
    return from_zero(ids, min(n or 0, max(0, (len(ids) - 1) // 50 * 50)))


def last_fifty_again(ids: range, n: int | None) -> range:
    return from_zero(ids, min(n or 0, max(0, len(ids) - 50)))


def first_page_beyond_the_end(ids: range, n: int | None) -> range:
    return from_zero(ids, n) or from_zero(ids, 0)


WHOLE = (
    from_zero,
    from_one,
    all_at_once,
    all_at_once_from_zero,
    last_page_again,
    last_fifty_again,
    first_page_beyond_the_end,
)


class Tenant:
    """A tenant that answers pages after a while that chance decides."""

    def __init__(self, answer: Answer, records: int, seed: int = 0) -> None:
        self.answer, self.ids, self.random = answer, range(1, records + 1), Random(seed)
        self.asked: list[int | None] = []
        self.in_flight = self.most_in_flight = 0

    async def page(self, n: int | None) -> Page:
        self.asked.append(n)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            for _ in range(self.random.randrange(12)):
                await asyncio.sleep(0)
        finally:
            self.in_flight -= 1
        return page_of(self.answer(self.ids, n))


def page_of(ids: range | list[int]) -> Page:
    return Page(tuple(Record(each, 0, 0, 1000, (), "") for each in ids), len(ids), frozenset(ids), 0, 0)


async def ids_of(listing: Listing) -> list[int]:
    return [record.record_id async for page in listing for record in page]


@pytest.mark.parametrize("width", [1, 3, 8, 32])
@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("answer", WHOLE)
async def test_every_record_is_read_in_every_manner_at_every_size(answer: Answer, told: bool, width: int) -> None:
    for size in SIZES:
        tenant = Tenant(answer, size, seed=size)
        listing = Listing("acme", tenant.page, expected=size if told else None, width=width)
        assert set(await ids_of(listing)) == set(tenant.ids), size
        assert tenant.most_in_flight <= width


@pytest.mark.parametrize("expected", [0, 10, 500, 990, 1010, 3000])
@pytest.mark.parametrize("answer", WHOLE)
async def test_a_wrong_number_of_records_neither_cuts_a_listing_short_nor_keeps_it_going(answer, expected) -> None:
    tenant = Tenant(answer, 1000)
    assert set(await ids_of(Listing("acme", tenant.page, expected=expected, width=8))) == set(tenant.ids)
    assert len(tenant.asked) <= 45


@pytest.mark.parametrize("records", [51, 1000])
@pytest.mark.parametrize("expected", [None, 1000])
async def test_a_tenant_that_ignores_the_offset_is_asked_a_few_times_and_no_more(records, expected) -> None:
    tenant = Tenant(lambda ids, n: ids[:50], records)
    listing = Listing("acme", tenant.page, expected=expected, width=8)
    assert set(await ids_of(listing)) == set(range(1, 51))
    assert listing.repeated
    assert len(tenant.asked) <= 20


@pytest.mark.parametrize(("records", "calls"), [(0, 1), (1, 2), (49, 2), (50, 2), (51, 3), (100, 3)])
async def test_a_small_listing_of_known_size_costs_one_call_more_than_its_pages(records: int, calls: int) -> None:
    tenant = Tenant(from_zero, records)
    await ids_of(Listing("acme", tenant.page, expected=records, width=8))
    assert len(tenant.asked) == calls


@pytest.mark.parametrize("answer", [from_zero, from_one])
async def test_an_end_that_showed_itself_by_an_empty_page_is_no_repeat(answer: Answer) -> None:
    for size in SIZES:
        listing = Listing("acme", Tenant(answer, size).page, expected=None, width=4)
        await ids_of(listing)
        assert not listing.repeated, size


@pytest.mark.parametrize("answer", [all_at_once, last_page_again, last_fifty_again, first_page_beyond_the_end])
async def test_an_end_that_showed_itself_by_known_records_is_a_repeat(answer: Answer) -> None:
    listing = Listing("acme", Tenant(answer, 101).page, expected=None, width=4)
    await ids_of(listing)
    assert listing.repeated


async def test_one_empty_page_in_the_middle_does_not_end_a_listing() -> None:
    tenant = Tenant(lambda ids, n: range(0) if n == 200 else from_zero(ids, n), 1000)
    for expected in (1000, None):
        read = set(await ids_of(Listing("acme", tenant.page, expected=expected, width=4)))
        assert read == set(tenant.ids) - set(range(201, 251))


async def test_records_that_shift_while_they_are_read_cost_what_shifted_and_never_the_rest() -> None:
    """The dialer drops twenty records from the front between two pages: the pages behind move up by twenty."""

    def shrinking(ids: range, n: int | None) -> range:
        return from_zero(ids, n) if (n or 0) <= 400 else from_zero(ids[20:], n)

    tenant = Tenant(shrinking, 1000)
    listing = Listing("acme", tenant.page, expected=1000, width=8)
    assert set(tenant.ids) - set(await ids_of(listing)) == set(range(451, 471))


async def test_many_pages_are_asked_for_side_by_side() -> None:
    tenant = Tenant(from_zero, 5000)
    await ids_of(Listing("acme", tenant.page, expected=5000, width=8))
    assert tenant.most_in_flight == 8
    unsized = Tenant(from_zero, 5000)
    await ids_of(Listing("acme", unsized.page, expected=None, width=8))
    assert unsized.most_in_flight == 8


async def test_a_slow_page_does_not_let_the_others_run_away() -> None:
    hold = asyncio.Event()
    tenant = Tenant(from_zero, 100_000)

    async def fetch(n: int | None) -> Page:
        if n == 100:
            await hold.wait()
        return await tenant.page(n)

    reading = asyncio.create_task(ids_of(Listing("acme", fetch, expected=100_000, width=4)))
    for _ in range(2000):
        await asyncio.sleep(0)
    assert len(tenant.asked) < 40
    hold.set()
    assert len(set(await reading)) == 100_000


@pytest.mark.parametrize("expected", [0, 1000, 100_000])
async def test_a_listing_that_never_ends_is_cut_off_with_both_numbers(expected: int) -> None:
    tenant = Tenant(lambda ids, n: range(n or 0, (n or 0) + 50), 0)
    with pytest.raises(DialerUnavailable, match=f"does not end: .* where {expected:,} were expected"):
        await ids_of(Listing("acme", tenant.page, expected=expected, width=8))
    assert len(tenant.asked) * 50 <= expected * 1.2 + 11_000
    assert tenant.in_flight == 0


async def test_a_page_that_cannot_be_had_fails_the_listing_and_ends_the_others() -> None:
    tenant = Tenant(from_zero, 10_000)

    async def fetch(n: int | None) -> Page:
        if n == 500:
            raise DialerUnavailable("acme", "the list call failed")
        return await tenant.page(n)

    with pytest.raises(DialerUnavailable, match="the list call failed"):
        await ids_of(Listing("acme", fetch, expected=10_000, width=8))
    assert tenant.in_flight == 0
    assert len(tenant.asked) < 60


async def test_a_listing_that_is_left_half_read_leaves_no_call_behind() -> None:
    tenant = Tenant(from_zero, 10_000)
    listing = Listing("acme", tenant.page, expected=10_000, width=8)
    async for page in listing:
        if page[0].record_id > 100:
            break
    await listing.aclose()
    asked = len(tenant.asked)
    for _ in range(50):
        await asyncio.sleep(0)
    assert (tenant.in_flight, len(tenant.asked)) == (0, asked)


async def test_what_was_left_out_is_counted_and_does_not_end_the_listing() -> None:
    async def fetch(n: int | None) -> Page:
        number = (n or 0) // 50
        return Page((), 50, frozenset(range(n or 0, (n or 0) + 50)), 30, 20) if number < 10 else page_of([])

    listing = Listing("acme", fetch, expected=500, width=4)
    assert await ids_of(listing) == []
    assert (listing.received, listing.foreign, listing.unusable) == (500, 300, 200)


async def test_pages_of_one_record_are_read_too() -> None:
    for answer in (lambda ids, n: ids[n or 0 :][:1], lambda ids, n: ids[(n or 1) - 1 :][:1]):
        tenant = Tenant(answer, 30)
        assert set(await ids_of(Listing("acme", tenant.page, expected=30, width=4))) == set(tenant.ids)
