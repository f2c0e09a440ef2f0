"""What the statistics show: pages, order, lag."""

from timeit import repeat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syncd.clock import SystemClock
from syncd.simulator import SimulatedTenant
from syncd.vendor import RecordStatus


def customers(page):
    return [record.customer for record in page]


@given(
    deeds=st.lists(st.tuples(st.booleans(), st.integers(1, 1500)), max_size=60),
    first=st.integers(0, 1400),
    offset=st.integers(0, 1600),
)
def test_a_page_is_a_slice_of_the_records_in_the_order_of_their_upload(deeds, first, offset):
    tenant = SimulatedTenant(clock=SystemClock())
    campaign = tenant.add_campaign(1)
    tenant.add_records(1, range(1, first + 1))
    expected = list(range(1, first + 1))
    for added, customer in deeds:
        if customer in expected:
            expected.remove(customer)
        if added:
            campaign.upload(customer)
            expected.append(customer)
        else:
            campaign.drop([customer])
    assert customers(campaign.listing.page(offset, 50)) == expected[offset : offset + 50]
    assert campaign.listing.count() == len(expected) == len(campaign)


@pytest.mark.parametrize("first", [0, 1])
def test_n_counts_from_where_the_tenant_counts(tenant, first):
    tenant.manner.page_from = first
    tenant.add_records(125, range(1, 121))
    assert customers(tenant.page(125)) == list(range(1, 51))
    assert customers(tenant.page(125, 50)) == list(range(51 - first, 101 - first))
    assert customers(tenant.page(125, 0)) == list(range(1, 51))
    assert tenant.page(125, 500) == []


def test_everything_at_once_comes_whatever_n_says(tenant):
    tenant.manner.all_at_once = True
    tenant.add_records(125, range(1, 121))
    assert len(tenant.page(125)) == len(tenant.page(125, 100)) == 120


def test_a_change_stays_out_of_the_listing_for_as_long_as_the_lag_lasts(tenant, clock):
    tenant.add_records(125, [1, 2])
    tenant.manner.lag_seconds = 60
    tenant.delete(125, 1)
    tenant.add(125, [(3, None)])
    tenant.set_record(125, 2, status=RecordStatus.COMPLETED)
    assert [(record.customer, record.status) for record in tenant.page(125)] == [(1, 0), (2, 0)]
    assert tenant.count(125) == 2
    clock.passed = 60
    assert [(record.customer, record.status) for record in tenant.page(125)] == [(2, 3), (3, 0)]


def test_a_change_stays_out_of_as_many_listings_as_was_set(tenant):
    tenant.manner.lag_listings = 2
    tenant.add(125, [(1, None)])
    seen = [(customers(tenant.page(125)), customers(tenant.page(125, 50))) for _ in range(3)]
    assert seen == [([], []), ([], []), ([1], [])]


def test_changes_come_in_in_the_order_in_which_they_were_made_even_when_the_lag_is_lifted(tenant, clock):
    tenant.manner.lag_seconds = 60
    tenant.add(125, [(1, None)])
    tenant.manner.lag_seconds = 0
    tenant.delete(125, 1)
    assert tenant.page(125) == []
    clock.passed = 60
    assert tenant.page(125) == []


def test_the_last_page_of_many_costs_no_walk_over_those_before_it(tenant):
    tenant.add_records(125, range(1, 200_001))
    near = min(repeat(lambda: tenant.page(125, 1), number=10))
    far = min(repeat(lambda: tenant.page(125, 199_951), number=10))
    assert customers(tenant.page(125, 199_951)) == list(range(199_951, 200_001))
    # A walk would make it some hundred times as dear.
    assert far < 30 * near
