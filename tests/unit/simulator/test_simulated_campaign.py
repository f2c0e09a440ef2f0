"""What adding and deleting make of a customer."""

from datetime import timedelta

import pytest

from syncd.simulator import Added, Deleted, Mark, Refused, SimulatedTenant
from syncd.simulator.campaign import format_time, parse_customer, parse_time
from syncd.vendor import CampaignState, RecordStatus


def later(clock, **ahead):
    return format_time(clock.now() + timedelta(**ahead))


def test_a_customer_without_a_time_becomes_a_new_record_and_one_with_a_time_a_scheduled_one(tenant, clock):
    assert tenant.add(125, [(1, None), ("2", later(clock, hours=1))]) == [Added.DONE, Added.DONE]
    campaign = tenant.campaigns[125]
    assert campaign.record(1).status == RecordStatus.NEW
    assert campaign.record(2).status == RecordStatus.SCHEDULED
    assert campaign.record(2).call_at == clock.now() + timedelta(hours=1)


def test_each_customer_gets_a_verdict_of_their_own(tenant, clock):
    tenant.crm.mark(Mark.DO_NOT_CALL, [5])
    asked = [
        (1, None),
        (1, None),
        (0, None),
        ("x", None),
        (True, None),
        (2, "2027-03-01T10:00:00Z"),
        (3, later(clock, seconds=-1)),
        (4, later(clock, days=7, seconds=1)),
        (5, None),
        (5000, None),
    ]
    assert tenant.add(125, asked) == [
        Added.DONE,
        Added.DUPLICATE,
        Added.BAD_ID,
        Added.BAD_ID,
        Added.BAD_ID,
        Added.BAD_TIME,
        Added.PAST,
        Added.TOO_FAR,
        Added.DO_NOT_CALL,
        Added.NOT_IN_CRM,
    ]
    assert len(tenant.campaigns[125]) == 1


def test_a_time_outside_the_campaign_schedule_is_refused_on_either_side(tenant, clock):
    properties = tenant.campaigns[125].properties
    properties.opens = clock.now() + timedelta(hours=1)
    properties.closes = clock.now() + timedelta(hours=2)
    asked = [(1, later(clock, minutes=59)), (2, later(clock, minutes=90)), (3, later(clock, minutes=121))]
    assert tenant.add(125, asked) == [Added.OUTSIDE, Added.DONE, Added.OUTSIDE]


def test_the_limits_of_records_and_of_scheduled_customers_count_what_is_there_now(tenant, clock):
    tenant.manner.max_scheduled = 1
    tenant.manner.max_records = 2
    soon = later(clock, hours=1)
    assert tenant.add(125, [(1, soon), (2, soon), (2, None), (3, None)]) == [
        Added.DONE,
        Added.SCHEDULE_LIMIT,
        Added.DONE,
        Added.FULL,
    ]
    assert tenant.delete(125, 1) is Deleted.DONE
    assert tenant.add(125, [(3, soon)]) == [Added.DONE]


@pytest.mark.parametrize(
    ("properties", "adding", "deleting"),
    [
        ({"state": CampaignState.NEW}, Refused.NOT_STARTED, Deleted.NEVER_THERE),
        ({"state": CampaignState.MANUAL_STOPPED}, Refused.STOPPED, Refused.STOPPED),
        ({"state": CampaignState.COMPLETED}, Refused.STOPPED, Refused.STOPPED),
        ({"state": CampaignState.SCHEDULE_STOPPED}, Refused.STOPPED, Refused.STOPPED),
        ({"enabled": False}, Refused.NOT_ENABLED, Refused.NOT_ENABLED),
        ({"dynamic": False}, Refused.NOT_DYNAMIC, Refused.NOT_DYNAMIC),
    ],
)
def test_a_campaign_that_takes_no_changes_refuses_the_whole_request(tenant, properties, adding, deleting):
    tenant.add_campaign(7, **properties)
    assert tenant.add(7, [(1, None)]) is adding
    assert tenant.delete(7, 1) is deleting
    assert len(tenant.campaigns[7]) == 0


@pytest.mark.parametrize("state", [CampaignState.MANUAL_PAUSED, CampaignState.SCHEDULE_PAUSED])
def test_a_paused_campaign_takes_changes_and_does_not_dial(tenant, state):
    tenant.campaigns[125].set_state(state)
    assert tenant.add(125, [(1, None)]) == [Added.DONE]
    assert tenant.dial(125, 1) == 0


def test_one_poisonous_customer_or_an_empty_list_spoils_the_request(tenant):
    tenant.poison.add(2)
    assert tenant.add(125, [(1, None), (2, None)]) is Refused.INVALID_LIST
    assert tenant.add(125, []) is Refused.INVALID_LIST
    assert tenant.add(126, [(1, None)]) is Refused.NO_CAMPAIGN
    assert len(tenant.campaigns[125]) == 0


def test_deleting_tells_who_was_never_there_from_who_is_gone(tenant):
    tenant.add_records(125, [1])
    assert tenant.delete(125, 1) is Deleted.DONE
    assert tenant.delete(125, 1) is Deleted.GONE
    assert tenant.delete(125, 2) is Deleted.NEVER_THERE
    tenant.add_records(125, [1])
    assert tenant.delete(125, 1) is Deleted.DONE


def test_a_record_with_an_agent_or_completed_is_not_deleted(tenant):
    tenant.add_records(125, [1, 2, 3, 4])
    tenant.set_record(125, 1, status=RecordStatus.QUEUED)
    tenant.set_record(125, 2, status=RecordStatus.ACCEPTED)
    tenant.set_record(125, 3, status=RecordStatus.COMPLETED)
    assert [tenant.delete(125, customer) for customer in (1, 2, 3)] == [
        Deleted.DONE,
        Deleted.WITH_AGENT,
        Deleted.COMPLETED,
    ]
    tenant.manner.deletes_completed = True
    assert tenant.delete(125, 3) is Deleted.DONE


def test_purging_hides_the_open_records_and_resuming_brings_them_back_where_they_were(tenant):
    tenant.add_records(125, [1, 2, 3])
    tenant.set_record(125, 2, status=RecordStatus.COMPLETED)
    tenant.campaigns[125].set_state(CampaignState.MANUAL_PURGED)
    assert [record.customer for record in tenant.page(125)] == [2]
    assert tenant.count(125) == 1
    tenant.campaigns[125].set_state(CampaignState.MANUAL_RUNNING)
    assert [record.customer for record in tenant.page(125)] == [1, 2, 3]


def test_what_is_added_while_a_campaign_is_purged_is_not_listed_before_it_resumes(tenant):
    tenant.campaigns[125].set_state(CampaignState.SCHEDULE_PURGED)
    assert tenant.add(125, [(1, None)]) == [Added.DONE]
    assert tenant.page(125) == []
    tenant.campaigns[125].set_state(CampaignState.SCHEDULE_RUNNING)
    assert [record.customer for record in tenant.page(125)] == [1]


def test_a_campaign_stops_for_good_when_its_end_has_passed(tenant, clock):
    tenant.campaigns[125].properties.closes = clock.now() + timedelta(hours=1)
    assert tenant.add(125, [(1, None)]) == [Added.DONE]
    clock.passed = 3601
    assert tenant.add(125, [(2, None)]) is Refused.STOPPED
    assert tenant.campaigns[125].properties.state == CampaignState.SCHEDULE_STOPPED


def test_the_crm_may_lose_a_customer_and_get_them_back(tenant):
    tenant.crm.remove([1, 2000])
    assert tenant.add(125, [(1, None)]) == [Added.NOT_IN_CRM]
    tenant.add_customers([2000, 1])
    assert tenant.add(125, [(1, None), (2000, None)]) == [Added.DONE, Added.DONE]
    tenant.crm.remove([2])
    tenant.add_customers(range(2, 3))
    assert tenant.add(125, [(2, None)]) == [Added.DONE]


def test_a_mark_can_be_taken_away(tenant):
    tenant.crm.mark(Mark.DO_NOT_CALL, [1])
    assert tenant.add(125, [(1, None)]) == [Added.DO_NOT_CALL]
    tenant.crm.mark(None, [1])
    assert tenant.add(125, [(1, None)]) == [Added.DONE]


def test_a_campaign_emptied_by_hand_shows_nobody(tenant):
    tenant.add_records(125, range(1, 100))
    tenant.campaigns[125].empty()
    assert tenant.page(125) == []
    assert sum(tenant.campaigns[125].by_status.values()) == 0


def test_the_log_knows_what_was_asked_what_was_said_and_what_was_done(tenant):
    tenant.add(125, [(1, None), (5000, None)])
    tenant.delete(125, 1)
    adding, deleting = tenant.writes
    assert (adding.asked, adding.verdicts, adding.done) == (((1, None), (5000, None)), ("DONE", "NOT_IN_CRM"), (1,))
    assert (deleting.asked, deleting.verdicts, deleting.done) == (((1, None),), ("DONE",), (1,))
    assert adding.number < deleting.number


def test_a_log_may_keep_the_newest_requests_alone_and_counts_them_all(clock):
    tenant = SimulatedTenant(clock=clock, keep_log=2)
    for customer in (1, 2, 3):
        tenant.delete(125, customer)
    assert [entry.number for entry in tenant.log] == [2, 3]
    tenant.log.clear()
    tenant.delete(125, 4)
    assert ([entry.number for entry in tenant.log], len(tenant.log), tenant.log.total) == ([4], 1, 4)


def test_only_the_format_of_the_guide_is_a_time():
    assert parse_time("2022-07-14T09:00:00.250Z").microsecond == 250_000
    for wrong in ("2022-07-14T09:00:00Z", "2022-07-14T09:00:00.000+00:00", "2022-13-14T09:00:00.000Z", 5, "", None):
        assert parse_time(wrong) is None


def test_a_customer_is_a_positive_number_or_its_digits():
    assert [parse_customer(value) for value in (7, "7", 0, -1, "07", "", 7.0, None, True, "\u0667")] == [7, 7] + [
        None
    ] * 8
