"""What the vendor's texts mean, row by row."""

from datetime import UTC, datetime

import pytest

from syncd.dialer import verdicts
from syncd.dialer.verdicts import Block, Ruling, judge_add, judge_delete, judge_entry, opens_at
from syncd.words import Outcome, Reason

GUIDE_AND_OLDER_PAGE_ABOUT_ADDING = [
    (200, "", Outcome.DONE, None),
    (201, "", Outcome.DONE, None),
    (204, "", Outcome.DONE, None),
    (202, "", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (400, "Duplicate customer", Outcome.ALREADY, Reason.DUPLICATE),
    (400, "Duplicated customer.", Outcome.ALREADY, Reason.DUPLICATE),
    (
        400,
        "Invalid schedule-date-time format - please use ISO 8601 format",
        Outcome.REFUSED,
        Reason.INVALID_VALUE,
    ),
    (400, "Invalid customer-id", Outcome.REFUSED, Reason.INVALID_VALUE),
    (400, "Invalid customer list provided.", Outcome.REFUSED, Reason.INVALID_VALUE),
    (400, "The provided customer list is invalid.", Outcome.REFUSED, Reason.INVALID_VALUE),
    (404, "The customer-id has not been found.", Outcome.REFUSED, Reason.NOT_IN_CRM),
    (404, "", Outcome.REFUSED, Reason.NOT_IN_CRM),
    (404, "Something new", Outcome.REFUSED, Reason.NOT_IN_CRM),
    (400, "The subject schedule-date-time is in the past.", Outcome.REFUSED, Reason.IN_THE_PAST),
    (400, "Schedule date is in the past.", Outcome.REFUSED, Reason.IN_THE_PAST),
    (
        400,
        "The subject schedule-date-time is outside the campaign schedule from A to B.",
        Outcome.REFUSED,
        Reason.OUTSIDE_SCHEDULE,
    ),
    (400, "Schedule date outside campaign schedule period.", Outcome.REFUSED, Reason.OUTSIDE_SCHEDULE),
    (
        400,
        "The subject schedule-date-time must be within 7 days ahead of a future period.",
        Outcome.DEFERRED,
        Reason.TOO_FAR_AHEAD,
    ),
    (
        400,
        "Maximum limit of scheduled customers has been reached for this campaign.",
        Outcome.DEFERRED,
        Reason.SCHEDULE_LIMIT,
    ),
    (
        400,
        "Invalid customer provided, customer is wrong or in DNC list.",
        Outcome.REFUSED,
        Reason.VENDOR_DNC,
    ),
    (400, "The moon is in the wrong phase", Outcome.REFUSED, Reason.UNKNOWN_TEXT),
    (400, "No agent is logged on.", Outcome.REFUSED, Reason.UNKNOWN_TEXT),
    (400, "", Outcome.REFUSED, Reason.UNKNOWN_TEXT),
    (500, "Internal error", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (206, "", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (401, "", Outcome.FAILED, Reason.NOT_SENT),
    (403, "", Outcome.FAILED, Reason.NOT_SENT),
    (429, "", Outcome.FAILED, Reason.NOT_SENT),
]

ABOUT_DELETING = [
    (204, "", Outcome.DONE, None),
    (200, "Customer deleted.", Outcome.DONE, None),
    (200, "The customer could not be deleted.", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (200, "Customer not available for deletion.", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (200, "", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (200, "Please log in", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (202, "Customer deleted.", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (206, "", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (404, "Customer not found.", Outcome.ALREADY, Reason.NOT_FOUND),
    (404, "Customer not found in campaign.", Outcome.ALREADY, Reason.NOT_FOUND),
    (404, "The customer-id has not been found.", Outcome.ALREADY, Reason.NOT_FOUND),
    (
        404,
        "The customer is not available for deletion because the record is deleted already.",
        Outcome.ALREADY,
        Reason.NOT_FOUND,
    ),
    (
        404,
        "Customer not available for deletion because an agent has connected to the phone line.",
        Outcome.DEFERRED,
        Reason.WITH_AGENT,
    ),
    (
        400,
        "The customer is not available for deletion because an agent has connected to the phone line.",
        Outcome.DEFERRED,
        Reason.WITH_AGENT,
    ),
    (
        404,
        "The customer is not available for deletion because the record is marked as completed.",
        Outcome.ALREADY,
        Reason.COMPLETED,
    ),
    (
        400,
        "Customer not available for deletion because the record is marked as completed.",
        Outcome.ALREADY,
        Reason.COMPLETED,
    ),
    (404, "Customer not available for deletion.", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (404, "", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (404, "Not Found", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (404, "404 page not found", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (400, "Deletion is not possible at the moment.", Outcome.DEFERRED, Reason.UNKNOWN_TEXT),
    (400, "Something else", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (400, "Duplicate request.", Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    (199, "Customer not found.", Outcome.UNKNOWN, Reason.NO_ANSWER),
    (500, "Customer deleted.", Outcome.UNKNOWN, Reason.NO_ANSWER),
]

BLOCKING = [
    "The campaign has stopped. No additional customers can be added.",
    "The campaign has stopped. No customers can be deleted.",
    "Campaign is already stopped or completed…",
    "The operation is invalid for a campaign that has not started.",
    "Operation invalid on a non started campaign.",
    "This is not a dynamic campaign.",
    "Not a dynamic campaign.",
    "The campaign is not enabled.",
    "This campaign is not enabled.",
    "Campaign is not enabled.",
    "Campaign not found.",
]


def in_other_clothes(text: str) -> list[str]:
    return [text, text.upper(), text.rstrip("."), text.replace(" ", "  ").replace("-", " "), f"Error: {text}!"]


@pytest.mark.parametrize(("status", "text", "outcome", "reason"), GUIDE_AND_OLDER_PAGE_ABOUT_ADDING)
def test_an_entry_of_an_add_means_what_the_table_says_however_it_is_written(status, text, outcome, reason) -> None:
    for said in in_other_clothes(text) if text else [""]:
        assert judge_entry(status, said) == Ruling(outcome, reason)


@pytest.mark.parametrize(("status", "text", "outcome", "reason"), ABOUT_DELETING)
def test_the_answer_to_a_delete_means_what_the_table_says_however_it_is_written(status, text, outcome, reason) -> None:
    for said in in_other_clothes(text) if text else [""]:
        assert judge_delete(status, said) == Ruling(outcome, reason)


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize("text", BLOCKING)
def test_a_campaign_that_takes_no_changes_is_never_taken_for_a_customers_fault(status: int, text: str) -> None:
    for said in in_other_clothes(text):
        for judge in (judge_add, judge_entry, judge_delete):
            block = judge(status, said)
            assert isinstance(block, Block), (judge, said)
            assert block.advice


def test_every_campaign_that_takes_no_changes_says_why_and_what_to_do() -> None:
    blocks = [value for value in vars(verdicts).values() if isinstance(value, Block)]
    assert len({block.why for block in blocks}) == len({block.advice for block in blocks}) == len(blocks) == 6
    assert all(block.why and block.advice for block in blocks)


def test_a_text_that_nobody_knows_is_told_from_one_that_is_understood() -> None:
    for judge in (judge_add, judge_delete):
        understood, strange = judge(400, "Customer not found."), judge(400, "The moon is in the wrong phase")
        assert isinstance(understood, Ruling)
        assert isinstance(strange, Ruling)
        assert understood.known
        assert not strange.known


def test_a_404_to_the_whole_add_is_not_about_each_customer() -> None:
    assert judge_add(404, "") == Ruling(Outcome.REFUSED, Reason.UNKNOWN_TEXT)


@pytest.mark.parametrize(
    ("start", "opens"),
    [
        ("2026-03-02T08:00:00.000Z", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T08:00:00-05:00", datetime(2026, 3, 2, 13, tzinfo=UTC)),
        ("2026-03-02 08:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        ("0001-01-01T00:00:00+14:00", None),
        ("09:00", None),
        ("A", None),
        ("", None),
    ],
)
def test_the_opening_of_a_schedule_is_read_where_it_can_be_and_never_guessed(start: str, opens) -> None:
    text = f"The subject schedule-date-time is outside the campaign schedule from {start} to 2026-03-05T17:00:00.000Z."
    assert opens_at(text) == opens


def test_a_schedule_without_its_bounds_opens_at_no_known_time() -> None:
    assert opens_at("Schedule date outside campaign schedule period.") is None
