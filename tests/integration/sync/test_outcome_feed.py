"""The outcome feed: what the dialer reported of each call, for people's own SQL."""

from dataclasses import replace
from datetime import timedelta

import pytest
from pass_story import complete, connect, drop, good_pass, upload

from syncd.config import RecallWhen
from syncd.report import vendor_words
from syncd.simulator import Call, Fault, FaultKind
from syncd.vendor import Disposition, RecordStatus, StatusCode
from tests.stage import CAMPAIGN, Stage

PROMISE = 2001
TRY_AGAIN = Disposition.TRY_AGAIN


def name_dispositions(stage: Stage, words: dict[int, str]) -> None:
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, dispositions=words))


def calls(stage: Stage, customer: int) -> list[tuple[object, ...]]:
    """Return the calls that the feed has of a customer: status and disposition in words."""
    return stage.rows("SELECT status, disposition FROM call_outcome WHERE customer = %s ORDER BY seen_at", customer)


def sightings(stage: Stage, customer: int) -> list[tuple[object, ...]]:
    return stage.rows("SELECT status, disposition FROM sighting WHERE customer = %s ORDER BY seen_at", customer)


def show(stage: Stage, customer: int, status: int, disposition: int = Disposition.NONE, code: int = 0) -> None:
    stage.tenant.set_record(CAMPAIGN, customer, status=status, status_code=code, disposition=disposition)


@pytest.fixture
async def dialed(stage: Stage) -> Stage:
    """A stage on which customer 7 was added and listed."""
    stage.crm.want(7)
    await good_pass(stage)
    await good_pass(stage)
    return stage


async def test_a_completed_call_is_one_row_with_its_disposition_in_the_tenants_words(dialed: Stage) -> None:
    name_dispositions(dialed, {PROMISE: "Promise to pay"})
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    await good_pass(dialed)
    rows = dialed.rows(
        "SELECT campaign, account, vendor_id, customer, status, status_code, disposition, disposition_number,"
        " now() - seen_at < interval '1 minute' FROM call_outcome"
    )
    assert rows == [
        ("renewals", "acmecorp01", CAMPAIGN, 7, "completed", "default", "Promise to pay", PROMISE, True),
    ]


async def test_a_record_that_waits_is_no_call(dialed: Stage) -> None:
    for status in (RecordStatus.QUEUED, RecordStatus.NEW, RecordStatus.ACCEPTED, RecordStatus.QUEUED):
        show(dialed, 7, status)
        await good_pass(dialed)
    assert calls(dialed, 7) == []
    assert [status for status, _ in sightings(dialed, 7)] == [1, 0, 2, 1]


async def test_each_change_back_and_forth_is_seen_once(dialed: Stage) -> None:
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    for _ in range(3):
        show(dialed, 7, RecordStatus.QUEUED)
        await good_pass(dialed)
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert sightings(dialed, 7) == [(3, PROMISE), (1, 1000), (3, PROMISE)]
    assert calls(dialed, 7) == [("completed", str(PROMISE))] * 2


async def test_a_listing_that_lags_makes_no_second_call_of_one(dialed: Stage) -> None:
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    show(dialed, 7, RecordStatus.QUEUED)
    await good_pass(dialed)
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert sightings(dialed, 7) == [(3, PROMISE), (1, 1000), (3, PROMISE)]
    assert calls(dialed, 7) == [("completed", str(PROMISE))]


async def test_each_try_is_a_call_though_the_record_waits_in_between(dialed: Stage) -> None:
    show(dialed, 7, RecordStatus.QUEUED, TRY_AGAIN)
    await good_pass(dialed)
    complete(dialed, 7, disposition=TRY_AGAIN)
    await good_pass(dialed)
    show(dialed, 7, RecordStatus.QUEUED, TRY_AGAIN)
    await good_pass(dialed)
    complete(dialed, 7, disposition=TRY_AGAIN)
    await good_pass(dialed)
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert calls(dialed, 7) == [
        ("queued", "try again"),
        ("completed", "try again"),
        ("completed", "try again"),
        ("completed", str(PROMISE)),
    ]


async def test_a_disposition_that_an_agent_sets_before_the_end_makes_one_call(dialed: Stage) -> None:
    show(dialed, 7, RecordStatus.ACCEPTED, PROMISE)
    await good_pass(dialed)
    assert calls(dialed, 7) == []
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert calls(dialed, 7) == [("completed", str(PROMISE))]


async def test_a_disposition_that_comes_late_belongs_to_the_call_before_it(dialed: Stage) -> None:
    complete(dialed, 7)
    await good_pass(dialed)
    assert calls(dialed, 7) == [("completed", "none")]
    [(first,)] = dialed.rows("SELECT seen_at FROM call_outcome")
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert calls(dialed, 7) == [("completed", str(PROMISE))]
    assert dialed.rows("SELECT seen_at FROM call_outcome") == [(first,)]


async def test_a_customer_who_was_recalled_has_two_calls(stage: Stage) -> None:
    stage.settings(recall=RecallWhen.ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(7, version=1)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 7)
    await good_pass(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert [str(entry.call) for entry in stage.tenant.writes] == ["delete", "add"]
    complete(stage, 7)
    await good_pass(stage)
    complete(stage, 7, disposition=PROMISE)
    await good_pass(stage)
    assert calls(stage, 7) == [("completed", "none"), ("completed", str(PROMISE))]


async def test_a_call_that_the_answer_to_a_delete_told_of_is_in_the_feed(dialed: Stage) -> None:
    dialed.crm.drop(7)
    dialed.tenant.faults.add(
        Fault(
            kind=FaultKind.ANSWER,
            calls=frozenset({Call.DELETE}),
            status=404,
            text="Customer not available for deletion because the record is marked as completed.",
            count=1,
        )
    )
    await good_pass(dialed)
    assert calls(dialed, 7) == [("completed", "none")]
    complete(dialed, 7)  # exactly as the answer had it
    await good_pass(dialed)
    assert calls(dialed, 7) == [("completed", "none")]


async def test_a_record_that_vanished_and_came_back_as_it_was_is_no_news(dialed: Stage) -> None:
    dialed.settings(max_adds_per_week=1)
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    seen = sightings(dialed, 7)
    drop(dialed, 7)
    await good_pass(dialed)
    upload(dialed, 7)
    complete(dialed, 7, disposition=PROMISE)
    await good_pass(dialed)
    assert sightings(dialed, 7) == seen


async def test_a_dry_run_sees_nothing(dialed: Stage) -> None:
    complete(dialed, 7)
    await dialed.rehearse()
    assert sightings(dialed, 7) == []


async def test_a_passing_agent_and_unknown_codes_are_told_as_they_are(dialed: Stage) -> None:
    connect(dialed, 7)
    await good_pass(dialed)
    show(dialed, 7, 9, 4711, code=77)
    await good_pass(dialed)
    assert dialed.rows("SELECT status, status_code, disposition, disposition_number FROM call_outcome") == [
        ("9", "77", "4711", 4711)
    ]


async def test_words_that_the_configuration_takes_back_or_changes_go_with_the_next_pass(dialed: Stage) -> None:
    complete(dialed, 7, disposition=PROMISE)
    name_dispositions(dialed, {PROMISE: "Promise", 2002: "Refused"})
    await good_pass(dialed)
    name_dispositions(dialed, {PROMISE: "Promise to pay"})
    await good_pass(dialed)
    rows = dialed.rows("SELECT account, code, words, xmin::text FROM disposition")
    assert [row[:3] for row in rows] == [("acmecorp01", PROMISE, "Promise to pay")]
    await good_pass(dialed)
    assert dialed.rows("SELECT account, code, words, xmin::text FROM disposition") == rows
    assert calls(dialed, 7) == [("completed", "Promise to pay")]


async def test_each_customer_has_one_status_in_words(stage: Stage) -> None:
    name_dispositions(stage, {PROMISE: "Promise to pay"})
    stage.tenant.crm.remove([3])
    at = stage.clock.now() + timedelta(hours=2)
    stage.crm.want(1, 2, 3, 4)
    stage.crm.update(4, at=at)
    upload(stage, 50)
    await good_pass(stage)
    complete(stage, 1, disposition=PROMISE)
    show(stage, 2, RecordStatus.COMPLETED, code=StatusCode.NO_PHONE_NUMBER)
    await good_pass(stage)
    stage.crm.drop(4)
    await good_pass(stage)
    rows = stage.rows(
        "SELECT customer, presence, ours, called, status, status_code, disposition, parked, added_at IS NOT NULL,"
        " seen_at IS NOT NULL, changed_at IS NOT NULL FROM customer_status ORDER BY customer"
    )
    assert rows == [
        (1, "in the campaign", True, True, "completed", "default", "Promise to pay", None, True, True, True),
        (2, "in the campaign", True, True, "completed", "no phone number", "none", None, True, True, True),
        (3, "never added", False, False, None, None, None, "not-in-crm", False, False, True),
        (4, "removed", True, False, "scheduled", "default", "none", None, True, False, True),
        (50, "in the campaign", False, False, "new", "default", "none", None, False, False, False),
    ]
    assert stage.rows("SELECT DISTINCT campaign, account, vendor_id FROM customer_status") == [
        ("renewals", "acmecorp01", CAMPAIGN)
    ]


async def test_the_views_speak_the_words_of_the_reports(stage: Stage) -> None:
    own = {PROMISE: "Promise to pay"}
    numbers = [*range(-1, 7), *range(999, 1005), PROMISE]
    for number in numbers:
        [(status, code, disposition)] = stage.rows(
            "SELECT status_words(%s::smallint), status_code_words(%s::smallint), disposition_words(%s, %s)",
            number,
            number,
            number,
            own.get(number),
        )
        assert status == vendor_words.status(number)
        assert code == vendor_words.status_code(number)
        assert disposition == vendor_words.disposition(number, own)
