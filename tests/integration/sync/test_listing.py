"""The listing: what it proves when it is whole, late, short, or read under the wrong key."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import (
    complete,
    connect,
    drop,
    good_pass,
    journal,
    near,
    parked,
    record,
    requests,
    until,
    upload,
    writes,
)

from syncd.config import MatchOn
from syncd.errors import WrongMatchKey
from syncd.simulator import Call, CustomerIn, Fault, FaultKind, NoRecords
from syncd.sync import run_pass
from syncd.vendor import Disposition, RecordStatus
from syncd.words import Exit
from tests.stage import CAMPAIGN, Stage


def shorten(stage: Stage, share: float = 0.4) -> None:
    """Have the tenant leave records out of its listing, with the count right."""
    stage.tenant.faults.add(Fault(kind=FaultKind.SHORT_LISTING, calls=frozenset({Call.LIST}), share=share, count=None))


@pytest.mark.parametrize("lag", [1, 2])
async def test_an_add_that_the_listing_does_not_show_yet_has_not_vanished(stage: Stage, lag: int) -> None:
    stage.tenant.manner.lag_listings = lag
    stage.crm.want(*range(1, 6))
    await good_pass(stage)
    adds = 0
    for _ in range(5):
        await good_pass(stage)
        adds += len(writes(stage))
    assert adds <= (0 if lag == 1 else 5)  # at most one call each, answered Duplicate
    assert stage.listed == set(range(1, 6))
    assert max(len(stage.ledger(customer)["added_times"]) for customer in range(1, 6)) == 1


@pytest.mark.parametrize("lag", [1, 2, 3])
async def test_a_delete_that_the_listing_does_not_show_yet_adopts_nothing(stage: Stage, lag: int) -> None:
    stage.crm.want(*range(1, 21))
    await good_pass(stage)
    await good_pass(stage)
    stage.tenant.manner.lag_listings = lag
    stage.crm.drop(1, 2)
    await good_pass(stage)
    assert writes(stage) == ["delete 1", "delete 2"]
    for _ in range(6):
        await good_pass(stage)
        assert not any(word.startswith("add") for word in writes(stage))
        assert lag > 1 or writes(stage) == []
    assert stage.listed == set(range(3, 21))


@pytest.mark.parametrize("lag", [1, 2])
async def test_a_customer_who_is_dropped_and_wanted_again_under_a_lag_ends_in_the_campaign_once(
    stage: Stage, lag: int
) -> None:
    stage.tenant.manner.lag_listings = lag
    stage.crm.want(1, 2)
    for _ in range(4):
        await good_pass(stage)
    stage.crm.drop(1)
    await good_pass(stage)
    stage.crm.want(1)
    for _ in range(6):
        await stage.once()
    await good_pass(stage)
    assert stage.listed == {1, 2}
    assert writes(stage) == []


@pytest.mark.parametrize("lag", [1, 2, 3])
async def test_reschedules_under_a_lag_end_with_the_last_time(stage: Stage, lag: int) -> None:
    stage.tenant.manner.lag_listings = lag
    stage.settings(max_adds_per_week=0)
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, at=soon)
    for _ in range(4):
        await stage.once()
    stage.crm.update(1, at=soon + timedelta(hours=1))
    for _ in range(8):
        await stage.once()
    await good_pass(stage)
    assert writes(stage) == []
    assert near(record(stage, 1).call_at, soon + timedelta(hours=1))


async def test_a_call_that_was_seen_is_not_forgotten_though_the_next_page_shows_its_record_put_back(
    stage: Stage,
) -> None:
    size = stage.tenant.manner.page_size
    stage.crm.want(*range(1, size + 2))
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, size, disposition=Disposition.TRY_AGAIN)
    # Where n counts from 1 the last record of a page is the first of the next one as well.
    stage.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.LIST}), skip=1, seconds=0.5))
    stage.tenant.log.clear()
    one = asyncio.create_task(good_pass(stage))
    await until(lambda: len(stage.tenant.log.of(Call.LIST)) >= 2)
    stage.tenant.set_record(CAMPAIGN, size, status=RecordStatus.NEW)
    await one
    assert stage.ledger(size)["called"]
    for _ in range(3):
        await good_pass(stage)
    assert stage.ledger(size)["called"]
    assert stage.ledger(size)["status"] == RecordStatus.NEW


async def test_a_listing_that_is_not_whole_proves_nothing_by_what_it_leaves_out(stage: Stage) -> None:
    stage.crm.want(*range(1, 61))
    await good_pass(stage)
    await good_pass(stage)
    shorten(stage)
    stage.crm.want(61)
    for _ in range(2):
        report = await stage.once()
        assert not report.observation.whole
        assert 0 < report.observation.records < 60
    assert stage.listed == set(range(1, 62))
    assert stage.rows("SELECT customer FROM ledger WHERE presence <> 'in'") == []


async def test_a_listing_that_is_not_whole_still_teaches_what_it_shows(stage: Stage) -> None:
    stage.crm.want(*range(1, 61))
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, *range(1, 61))
    shorten(stage)
    await stage.once()
    (called,) = stage.rows("SELECT count(*) FROM ledger WHERE called")[0]
    assert 0 < called < 60


async def test_a_pass_whose_listing_is_not_whole_adds_and_suppresses_and_leaves_the_rest(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(*range(1, 61), at=soon)
    await good_pass(stage)
    shorten(stage)
    stage.crm.drop(1)
    stage.crm.update(2, at=soon + timedelta(hours=1))
    stage.crm.want(70)
    stage.crm.suppress(3)
    await stage.once()
    assert sorted(writes(stage)) == ["add 70", "delete 3"]


async def test_three_listings_in_a_row_that_are_not_whole_make_the_campaign_partial_with_both_numbers(
    stage: Stage,
) -> None:
    stage.crm.want(*range(1, 61))
    await good_pass(stage)
    shorten(stage)
    for _ in range(2):
        assert (await stage.once()).exit_status is Exit.GOOD
    report = await stage.once()
    assert report.exit_status is Exit.PARTIAL
    assert f"{report.observation.records} of 60 records" in report.sentence()
    stage.tenant.faults.clear()
    await good_pass(stage)
    assert stage.rows("SELECT condition, short_listings FROM campaign") == [("ok", 0)]


async def test_a_tenant_that_tells_no_count_ends_its_listing_by_showing_nothing_new(stage: Stage) -> None:
    stage.tenant.manner.tells_count = False
    stage.tenant.manner.page_from = 0
    stage.crm.want(*range(1, 121))
    await good_pass(stage)
    report = await good_pass(stage)
    assert report.observation.expected is None
    drop(stage, 5)
    for _ in range(2):
        await good_pass(stage)
    assert stage.listed == set(range(1, 121))


async def test_an_emptied_campaign_is_held_as_vanished_and_not_refilled_by_itself(stage: Stage) -> None:
    stage.tenant.manner.no_records = NoRecords.ROTATE
    stage.crm.want(*range(1, 61))
    await good_pass(stage)
    await good_pass(stage)
    stage.tenant.campaigns[CAMPAIGN].empty()
    for _ in range(6):
        report = await stage.once()
        assert report.exit_status is Exit.HELD
        assert writes(stage) == []


@pytest.mark.parametrize("match_on", [MatchOn.EXT_TRANS_DATA, MatchOn.PHONE])
async def test_the_wrong_key_is_found_before_anything_is_concluded_from_it(stage: Stage, match_on: MatchOn) -> None:
    await wrong_key(stage, match_on, CustomerIn.RECORD_ID)


async def test_record_ids_that_are_no_customers_are_found_before_anything_is_concluded_from_them(
    stage: Stage,
) -> None:
    await wrong_key(stage, MatchOn.RECORD_ID, CustomerIn.EXT_TRANS_DATA)


async def wrong_key(stage: Stage, match_on: MatchOn, customer_in: CustomerIn) -> None:
    """Have a tenant show customers elsewhere than syncd looks, with additions before."""
    stage.tenant.manner.customer_in = customer_in
    stage.settings(match_on=match_on)
    stage.crm.want(*range(1, 21))
    await good_pass(stage)
    await stage.once()
    assert writes(stage) == []
    stage.crm.drop(1)
    stage.crm.want(30)
    for _ in range(3):
        report = await stage.once()
        assert report.exit_status is Exit.FAILED
        assert isinstance(report.error, WrongMatchKey)
        assert match_on.value in report.sentence()
        assert writes(stage) == []
    assert stage.listed == set(range(1, 21))


async def test_a_key_that_is_changed_for_a_wrong_one_is_found_as_well(stage: Stage) -> None:
    stage.crm.want(*range(1, 21))
    for _ in range(3):
        await good_pass(stage)
    stage.settings(match_on=MatchOn.EXT_TRANS_DATA)
    for _ in range(2):
        report = await stage.once()
        assert isinstance(report.error, WrongMatchKey)
        assert writes(stage) == []


async def test_the_suppressed_are_taken_out_though_the_key_is_wrong(stage: Stage) -> None:
    await wrong_key(stage, MatchOn.EXT_TRANS_DATA, CustomerIn.RECORD_ID)
    stage.crm.suppress(5)
    await stage.once()
    assert writes(stage) == ["delete 5"]


async def test_all_of_ours_having_left_a_campaign_with_other_peoples_records_is_no_wrong_key(stage: Stage) -> None:
    upload(stage, 50, 51)
    stage.crm.want(1, 2)
    for _ in range(3):
        await good_pass(stage)
    complete(stage, 1, 2)
    await good_pass(stage)
    drop(stage, 1, 2)
    stage.crm.want(3)
    await good_pass(stage)
    assert writes(stage) == ["add 3"]


async def test_a_key_under_which_a_new_record_is_known_is_right_though_no_older_one_was_ever_listed(
    stage: Stage,
) -> None:
    stage.crm.want(1)
    await good_pass(stage)
    drop(stage, 1)
    stage.crm.want(2)
    for _ in range(2):
        await good_pass(stage)
    stage.crm.want(3)
    await good_pass(stage)
    assert stage.listed == {1, 2, 3}


@pytest.mark.parametrize("match_on", [MatchOn.EXT_TRANS_DATA, MatchOn.PHONE])
async def test_other_keys_than_the_record_id_work_from_the_first_add_to_the_last_delete(
    stage: Stage, match_on: MatchOn
) -> None:
    by_key(stage, match_on)
    want_with_phones(stage, *range(1, 31))
    await good_pass(stage)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    stage.crm.drop(1)
    connect(stage, 2)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]
    assert stage.ledger(2)["status"] == 2
    complete(stage, 2)
    await good_pass(stage)
    drop(stage, 2, 3)
    await good_pass(stage)
    assert writes(stage) == ["add 3"]
    assert stage.ledger(2)["called"]


@pytest.mark.parametrize("match_on", [MatchOn.EXT_TRANS_DATA, MatchOn.PHONE])
async def test_other_keys_find_the_suppressed_among_other_peoples_records(stage: Stage, match_on: MatchOn) -> None:
    by_key(stage, match_on)
    upload(stage, 7, 8)
    want_with_phones(stage, 1)
    stage.crm.run("INSERT INTO do_not_call VALUES (7, ?)", [(stage.tenant.crm.phone(7),)])
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 1", "delete 7"]


async def test_a_phone_number_that_two_customers_have_fits_neither_and_is_counted(stage: Stage) -> None:
    by_key(stage, MatchOn.PHONE)
    want_with_phones(stage, 1, 2, 3)
    stage.tenant.crm.set_phone(2, stage.tenant.crm.phone(1))
    stage.crm.run("UPDATE due SET phone = (SELECT phone FROM due WHERE customer_id = 1) WHERE customer_id = 2")
    upload(stage, 1)
    report = await good_pass(stage)
    assert report.observation.ambiguous == 1
    assert journal(stage, 1) == ["add already duplicate"]
    assert parked(stage, 1) == "not-listed"
    assert stage.listed == {1, 2, 3}


async def test_what_an_agent_said_of_a_customers_other_record_forbids_a_call_of_the_one_that_can_still_ring(
    stage: Stage,
) -> None:
    by_key(stage, MatchOn.PHONE)
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, do_not_call=(2001,)))
    want_with_phones(stage, 1, 3)
    await good_pass(stage)
    await good_pass(stage)
    stage.tenant.crm.set_phone(2, stage.tenant.crm.phone(1))
    upload(stage, 2)
    complete(stage, 2, disposition=2001)
    await good_pass(stage)
    assert writes(stage) == ["delete 1"]
    assert stage.listed == {2, 3}


@pytest.mark.parametrize("match_on", [MatchOn.EXT_TRANS_DATA, MatchOn.PHONE])
async def test_a_record_whose_add_got_no_answer_is_removed_though_its_customer_was_dropped_before_it_was_recognised(
    stage: Stage, match_on: MatchOn
) -> None:
    by_key(stage, match_on)
    want_with_phones(stage, 1, 2)
    stage.tenant.faults.add(Fault(kind=FaultKind.RESET, calls=frozenset({Call.ADD}), deed=True, count=4))
    await stage.once()
    assert stage.listed == {1, 2}
    stage.crm.drop(2)
    await stage.once()
    await good_pass(stage)
    assert stage.listed == {1}
    await good_pass(stage)
    assert writes(stage) == []


def by_key(stage: Stage, match_on: MatchOn) -> None:
    """Have the tenant show customers where syncd looks for them."""
    stage.tenant.manner.customer_in = CustomerIn(match_on.value)
    stage.settings(match_on=match_on, suppress="SELECT customer_id, phone FROM do_not_call")


def want_with_phones(stage: Stage, *customers: int) -> None:
    """Add rows with the number that the vendor's CRM has, spelt in another way."""
    phones = {customer: stage.tenant.crm.phone(customer) for customer in customers}
    rows = [(customer, f"+1 ({phone[:3]}) {phone[3:]}") for customer, phone in phones.items()]
    stage.crm.run("INSERT INTO due VALUES (?, NULL, NULL, ?)", rows)


async def test_passes_between_two_listings_add_and_suppress_and_leave_the_rest(stage: Stage) -> None:
    soon = stage.clock.now() + timedelta(hours=2)
    stage.settings(list_every=timedelta(hours=1))
    stage.crm.want(*range(1, 11), at=soon)
    upload(stage, 50)
    await good_pass(stage)
    await good_pass(stage)
    stage.crm.drop(1)
    stage.crm.update(2, at=soon + timedelta(hours=1))
    stage.crm.suppress(3)
    stage.crm.want(20, 50)
    drop(stage, 4)
    await good_pass(stage, observe=False)
    assert requests(stage, Call.LIST) == 0
    assert sorted(writes(stage)) == ["add 20", "delete 3"]
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 2", "add 4", "delete 1", "delete 2"]


async def test_a_listing_is_due_each_list_every(stage: Stage) -> None:
    stage.settings(list_every=timedelta(hours=1))
    stage.crm.want(1)
    seen = []
    for _ in range(8):
        await due_pass(stage)
        seen.append(requests(stage, Call.LIST) > 0)
        stage.clock.move(minutes=20)
    assert seen == [True, False, False, True, False, False, True, False]


async def test_an_unforeseen_answer_makes_a_listing_due_four_times_in_list_every_at_most(stage: Stage) -> None:
    stage.settings(list_every=timedelta(hours=1), max_adds_per_week=0)
    stage.crm.want(1)
    await due_pass(stage)
    listings = 0
    for minute in range(60):
        stage.crm.want(100 + minute)
        stage.tenant.add_records(CAMPAIGN, [100 + minute])  # a Duplicate that nobody expects
        await due_pass(stage)
        listings += requests(stage, Call.LIST) > 0
        stage.clock.move(minutes=1)
    assert 2 <= listings <= 4


async def test_foreseen_answers_make_no_listing_due(stage: Stage) -> None:
    stage.settings(list_every=timedelta(hours=1))
    stage.tenant.crm.remove([5])
    stage.crm.want(1, 2, 3, 5)
    await due_pass(stage)
    stage.clock.move(minutes=20)
    stage.crm.want(4)
    stage.crm.suppress(1)
    await due_pass(stage)
    assert sorted(writes(stage)) == ["add 4", "add 5", "delete 1"]
    stage.clock.move(minutes=20)
    await due_pass(stage)
    assert requests(stage, Call.LIST) == 0


async def due_pass(stage: Stage) -> None:
    """Run a pass that lists when a listing is due."""
    stage.tenant.log.clear()
    report = await run_pass(stage.campaign, stage.world, kind="run")
    assert report.exit_status is Exit.GOOD, report.sentence()
