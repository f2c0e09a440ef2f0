"""The dialer: turns, attempts, dispositions, the automatic one."""

from datetime import timedelta

from syncd.simulator import Mark, SimulatedTenant
from syncd.vendor import CampaignState, Disposition, RecordStatus, StatusCode


def statuses(tenant):
    return [record.status for record in tenant.campaigns[125]]


def test_a_record_goes_from_new_over_queued_and_accepted_to_completed_a_turn_at_a_time(tenant):
    tenant.manner.dispositions = {2001: 1.0}
    tenant.add_records(125, [1])
    seen = []
    for _ in range(3):
        assert tenant.dial(125, 1) == 1
        seen += statuses(tenant)
    assert seen == [RecordStatus.QUEUED, RecordStatus.ACCEPTED, RecordStatus.COMPLETED]
    assert tenant.campaigns[125].record(1).disposition == 2001
    assert [call.customer for call in tenant.campaigns[125].calls] == [1]
    assert tenant.dial(125, 1) == 0


def test_the_same_seed_ends_calls_in_the_same_way(clock):
    def dispositions(seed):
        tenant = SimulatedTenant(clock=clock, seed=seed)
        tenant.add_campaign(125)
        tenant.add_records(125, range(1, 41))
        for _ in range(3):
            tenant.dial(125, 40)
        return [record.disposition for record in tenant.campaigns[125]]

    assert dispositions(1) == dispositions(1)
    assert dispositions(1) != dispositions(2)


def test_a_scheduled_record_is_not_called_before_its_time(tenant, clock):
    tenant.add_records(125, [1], call_at=clock.now() + timedelta(hours=1))
    assert tenant.dial(125, 5) == 0
    clock.passed = 3600
    assert tenant.dial(125, 5) == 1
    assert statuses(tenant) == [RecordStatus.QUEUED]


def test_try_again_rings_again_after_the_interval_and_ends_with_the_last_attempt(tenant, clock):
    tenant.manner.dispositions = {Disposition.TRY_AGAIN: 1.0}
    tenant.add_records(125, [1])
    for _ in range(3):
        tenant.dial(125, 1)
    first = tenant.campaigns[125].record(1)
    assert (first.status, first.disposition, first.status_code) == (RecordStatus.COMPLETED, 1001, 0)
    assert tenant.dial(125, 1) == 0
    clock.passed = 30 * 60
    for _ in range(3):
        assert tenant.dial(125, 1) == 1
    last = tenant.campaigns[125].record(1)
    assert (last.status, last.status_code) == (RecordStatus.COMPLETED, StatusCode.MAX_ATTEMPT_REACHED)
    assert len(tenant.campaigns[125].calls) == 2
    clock.passed = 10**6
    assert tenant.dial(125, 1) == 0


def test_a_record_may_leave_the_list_after_its_last_attempt(tenant):
    tenant.manner.dispositions = {Disposition.TRY_AGAIN: 1.0}
    tenant.manner.drops_exhausted = True
    tenant.campaigns[125].properties.max_retry = 0
    tenant.add_records(125, [1])
    for _ in range(3):
        tenant.dial(125, 1)
    assert tenant.page(125) == []


def test_a_record_without_a_usable_number_is_completed_unrung(tenant):
    tenant.crm.mark(Mark.NO_PHONE, [1])
    tenant.crm.mark(Mark.INVALID_PHONE, [2])
    tenant.add_records(125, [1, 2])
    assert tenant.dial(125, 2) == 2
    assert [(record.status, record.status_code) for record in tenant.campaigns[125]] == [(3, 3), (3, 4)]
    assert tenant.campaigns[125].calls == []


def test_a_deleted_record_does_not_ring(tenant):
    tenant.add_records(125, [1, 2])
    tenant.dial(125, 1)
    tenant.delete(125, 1)
    tenant.delete(125, 2)
    for _ in range(3):
        assert tenant.dial(125, 2) == 0


def test_the_automatic_dialer_keeps_its_rate_by_the_clock(tenant, clock):
    tenant.manner.dispositions = {2001: 1.0}
    tenant.campaigns[125].properties.calls_per_minute = 6
    tenant.add_records(125, range(1, 101))
    clock.passed = 600
    tenant.tick()
    begun = sum(status != RecordStatus.NEW for status in statuses(tenant))
    assert begun == 60


def test_a_campaign_may_complete_for_good_when_it_runs_dry(tenant):
    tenant.manner.completes_when_dry = True
    tenant.manner.dispositions = {2001: 1.0}
    tenant.add_records(125, [1])
    for _ in range(3):
        assert tenant.campaigns[125].properties.state == CampaignState.MANUAL_RUNNING
        tenant.dial(125, 1)
    assert tenant.campaigns[125].properties.state == CampaignState.COMPLETED
