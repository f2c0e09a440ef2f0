"""Adding batches: each customer gets a verdict that the answers bear out."""

from datetime import UTC, datetime, timedelta

import pytest
from scripted_tenant import HANG, RESET, say

from syncd.dialer.api import Addition, NamedMeanwhile
from syncd.errors import AuthRefused, CampaignBlocked, DialerUnavailable, RequestRefused
from syncd.words import Lane, Outcome, Reason

AT = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def batch(*customers: int, at: datetime | None = None) -> list[Addition]:
    return [Addition(customer, at) for customer in customers]


def all_added(asked):
    return say(207, [{"customer-id": customer, "http-status": 200} for customer in asked.customers])


def refusing(status: int, message: str, poison: set[int]):
    """Refuse a whole request for the sake of one customer in it."""

    def script(asked):
        return say(status, {"message": message}) if poison & set(asked.customers) else all_added(asked)

    return script


async def test_a_batch_is_one_post_to_tstats_and_each_customer_has_a_verdict_in_its_order(tenant, campaign) -> None:
    entries = [
        {"customer-id": "3", "http-status": "404", "message": "The customer-id has not been found."},
        {"customer-id": 999, "http-status": 200},
        {"customer-id": 2, "http-status": 400, "message": "Duplicate customer"},
        {"customer-id": "1", "http-status": 200, "schedule-date-time": "2026-03-02T09:30:00.000Z"},
    ]
    tenant.script = lambda asked: say(207, entries)
    async with campaign() as client:
        verdicts = await client.add(batch(1, at=AT) + batch(2, 3, 4), Lane.ADDITION)
    (asked,) = tenant.asked
    assert (asked.method, asked.path) == ("POST", "/api/tstats/campaigns/125/customers")
    assert asked.headers["content-type"] == "application/json"
    assert asked.body == (
        b'[{"customer-id":1,"schedule-date-time":"2026-03-02T09:30:00.000Z"},'
        b'{"customer-id":2},{"customer-id":3},{"customer-id":4}]'
    )
    assert [(verdict.customer, verdict.outcome, verdict.reason) for verdict in verdicts] == [
        (1, Outcome.DONE, None),
        (2, Outcome.ALREADY, Reason.DUPLICATE),
        (3, Outcome.REFUSED, Reason.NOT_IN_CRM),
        (4, Outcome.UNKNOWN, Reason.NO_ANSWER),
    ]
    assert (verdicts[2].http_status, verdicts[2].message) == (404, "The customer-id has not been found.")
    assert not any(verdict.resent for verdict in verdicts)


@pytest.mark.parametrize(
    "answer",
    [
        say(206, {"message": "The request was sent but the response timed out"}),
        say(206, [{"customer-id": 1, "http-status": 200}]),
        say(200, b""),
        say(200, b"<html>Sign in</html>"),
        say(201, {"message": "created"}),
        say(202, b""),
        say(204),
        say(207, b""),
        say(207, b'[{"customer-id": 1, "http-st'),
        say(207, []),
        say(207, [{"customer-id": 1}]),
        say(207, [{"customer-id": 1, "http-status": 500, "message": "oops"}]),
        say(207, [{"customer-id": 1, "http-status": 200}, {"customer-id": 1, "http-status": 404}]),
    ],
)
async def test_an_answer_that_does_not_tell_is_unknown_and_never_guessed(tenant, campaign, answer) -> None:
    tenant.script = lambda asked: answer
    async with campaign() as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.UNKNOWN, Outcome.UNKNOWN]
    assert len(tenant.asked) == 1


@pytest.mark.parametrize("answer", [say(500, {"message": "boom"}), say(502, b"<html>"), say(503), say(408), RESET])
async def test_a_lost_answer_is_tried_four_times_and_then_unknown(tenant, campaign, answer) -> None:
    tenant.script = lambda asked: answer
    async with campaign() as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
    assert len(tenant.asked) == 4
    assert {(verdict.outcome, verdict.reason) for verdict in verdicts} == {(Outcome.UNKNOWN, Reason.NO_ANSWER)}
    assert verdicts[0].message


async def test_a_duplicate_after_a_lost_answer_says_that_it_may_be_our_own(tenant, campaign) -> None:
    def script(asked):
        if len(tenant.asked) == 1:
            return RESET
        return say(207, [{"customer-id": 1, "http-status": 400, "message": "Duplicate customer"}])

    tenant.script = script
    async with campaign() as client:
        (verdict,) = await client.add(batch(1), Lane.ADDITION)
    assert (verdict.outcome, verdict.resent) == (Outcome.ALREADY, True)


async def test_a_request_that_was_refused_before_it_was_looked_at_is_not_called_sent_before(tenant, campaign) -> None:
    tenant.script = lambda asked: say(429) if len(tenant.asked) == 1 else all_added(asked)
    async with campaign() as client:
        (verdict,) = await client.add(batch(1), Lane.ADDITION)
    assert (verdict.outcome, verdict.resent) == (Outcome.DONE, False)


async def test_being_pushed_back_for_ever_is_failed_and_nobody_is_unknown(tenant, campaign) -> None:
    tenant.script = lambda asked: say(429)
    async with campaign() as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
    assert len(tenant.asked) == 4
    assert {(verdict.outcome, verdict.reason) for verdict in verdicts} == {(Outcome.FAILED, Reason.NOT_SENT)}


async def test_a_tenant_that_cannot_be_reached_was_sent_nothing(campaign) -> None:
    async with campaign(base_url="http://127.0.0.1:9") as client:
        (verdict,) = await client.add(batch(1), Lane.ADDITION)
    assert (verdict.outcome, verdict.reason) == (Outcome.FAILED, Reason.NOT_SENT)
    assert "no connection to 127.0.0.1" in verdict.message


@pytest.mark.parametrize(
    "message",
    [
        "The campaign has stopped. No additional customers can be added.",
        "The operation is invalid for a campaign that has not started.",
        "This is not a dynamic campaign.",
        "The campaign is not enabled.",
    ],
)
async def test_a_campaign_that_takes_nothing_is_blocked_and_asked_once_a_pass(tenant, campaign, message) -> None:
    tenant.script = lambda asked: say(400, {"message": message})
    async with campaign() as client:
        for _ in range(3):
            with pytest.raises(CampaignBlocked) as caught:
                await client.add(batch(1, 2, 3), Lane.ADDITION)
    assert len(tenant.asked) == 1
    assert caught.value.campaign == "renewals"


async def test_a_block_inside_a_207_keeps_what_was_done_and_is_raised_by_the_next_call(tenant, campaign) -> None:
    stopped = "Campaign is already stopped or completed"
    entries = [{"customer-id": 1, "http-status": 200}, {"customer-id": 2, "http-status": 400, "message": stopped}]
    tenant.script = lambda asked: say(207, entries)
    async with campaign() as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
        assert [verdict.outcome for verdict in verdicts] == [Outcome.DONE, Outcome.FAILED]
        with pytest.raises(CampaignBlocked, match="stopped"):
            await client.add(batch(3), Lane.ADDITION)
    assert len(tenant.asked) == 1


@pytest.mark.parametrize("status", [400, 404])
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("The provided customer list is invalid.", Reason.INVALID_VALUE),
        ("Invalid customer list provided.", Reason.INVALID_VALUE),
        ("Invalid customer provided, customer is wrong or in DNC list.", Reason.VENDOR_DNC),
        ("The moon is in the wrong phase", Reason.UNKNOWN_TEXT),
    ],
)
async def test_the_poison_in_a_batch_is_found_and_only_that_is_refused(
    tenant, campaign, status, message, reason
) -> None:
    tenant.script = refusing(status, message, {137})
    async with campaign() as client:
        verdicts = await client.add(batch(*range(1, 201)), Lane.ADDITION)
    refused = [verdict for verdict in verdicts if verdict.outcome is not Outcome.DONE]
    assert [(verdict.customer, verdict.outcome, verdict.reason) for verdict in refused] == [
        (137, Outcome.REFUSED, reason)
    ]
    assert refused[0].message == message
    assert len(tenant.asked) <= 18


async def test_several_poisons_are_all_found(tenant, campaign) -> None:
    poison = {1, 2, 77, 200}
    tenant.script = refusing(400, "The provided customer list is invalid.", poison)
    async with campaign() as client:
        verdicts = await client.add(batch(*range(1, 201)), Lane.ADDITION)
    assert {verdict.customer for verdict in verdicts if verdict.outcome is Outcome.REFUSED} == poison
    assert {verdict.customer for verdict in verdicts if verdict.outcome is Outcome.DONE} == {*range(1, 201)} - poison


async def test_neighbours_that_are_refused_in_unknown_words_are_parked_where_others_were_accepted(
    tenant, campaign
) -> None:
    tenant.script = refusing(400, "The moon is in the wrong phase", {5, 6, 7, 8})
    async with campaign() as client:
        verdicts = await client.add(batch(*range(1, 9)), Lane.ADDITION)
    assert [verdict.customer for verdict in verdicts if verdict.outcome is Outcome.REFUSED] == [5, 6, 7, 8]


async def test_a_request_refused_like_both_its_halves_is_about_no_customer_and_parks_nobody(tenant, campaign) -> None:
    tenant.script = lambda asked: say(400, {"message": "Down for maintenance."})
    async with campaign() as client:
        for _ in range(2):
            with pytest.raises(RequestRefused, match=r"Down for maintenance.*parked"):
                await client.add(batch(*range(1, 201)), Lane.ADDITION)
    assert [len(asked.customers) for asked in tenant.asked] == [200, 100, 100]


async def test_single_customers_refused_alike_one_after_the_other_are_not_at_fault_either(tenant, campaign) -> None:
    tenant.script = lambda asked: say(400, {"message": "Down for maintenance."})
    async with campaign() as client:
        (first,) = await client.add(batch(1), Lane.ADDITION)
        with pytest.raises(RequestRefused):
            await client.add(batch(2), Lane.ADDITION)
    assert (first.outcome, first.reason) == (Outcome.REFUSED, Reason.UNKNOWN_TEXT)


async def test_a_batch_that_is_too_large_is_made_smaller_and_stays_so_for_the_pass(tenant, campaign, account) -> None:
    tenant.script = lambda asked: say(413, b"<html>") if len(asked.customers) > 60 else all_added(asked)
    acme = account()
    async with acme.campaign("renewals", 125) as client:
        for _ in range(2):
            verdicts = await client.add(batch(*range(1, 201)), Lane.ADDITION)
            assert [verdict.customer for verdict in verdicts] == list(range(1, 201))
            assert {verdict.outcome for verdict in verdicts} == {Outcome.DONE}
    assert [len(asked.customers) for asked in tenant.asked] == [200, 100, *[50] * 8]
    async with acme.campaign("renewals", 125) as client:
        await client.add(batch(*range(1, 201)), Lane.ADDITION)
    assert len(tenant.asked[10].customers) == 200


async def test_a_tenant_that_takes_one_customer_a_request_is_learned_from(tenant, campaign) -> None:
    def one_at_a_time(asked):
        if len(asked.customers) > 1:
            return say(400, {"message": "The provided customer list is invalid."})
        return all_added(asked)

    tenant.script = one_at_a_time
    async with campaign() as client:
        first = await client.add(batch(*range(1, 65)), Lane.ADDITION)
        refused_to_learn = sum(len(asked.customers) > 1 for asked in tenant.asked)
        asked_before = len(tenant.asked)
        second = await client.add(batch(*range(65, 129)), Lane.ADDITION)
    assert {verdict.outcome for verdict in first + second} == {Outcome.DONE}
    assert refused_to_learn <= 64
    assert len(tenant.asked) - asked_before == 64


async def test_a_limit_of_scheduled_customers_defers_the_timed_and_sends_the_others(tenant, campaign) -> None:
    def script(asked):
        if b"schedule-date-time" in asked.body:
            return say(400, {"message": "Maximum limit of scheduled customers has been reached."})
        return all_added(asked)

    tenant.script = script
    async with campaign() as client:
        verdicts = await client.add(batch(1, at=AT) + batch(2) + batch(3, at=AT) + batch(4), Lane.ADDITION)
    assert [(verdict.outcome, verdict.reason) for verdict in verdicts] == [
        (Outcome.DEFERRED, Reason.SCHEDULE_LIMIT),
        (Outcome.DONE, None),
        (Outcome.DEFERRED, Reason.SCHEDULE_LIMIT),
        (Outcome.DONE, None),
    ]


async def test_a_limit_of_scheduled_customers_that_is_said_of_untimed_ones_defers_them(tenant, campaign) -> None:
    tenant.script = lambda asked: say(400, {"message": "Maximum limit of scheduled customers has been reached."})
    async with campaign() as client:
        verdicts = await client.add(batch(1, at=AT) + batch(2, 3), Lane.ADDITION)
    assert {verdict.reason for verdict in verdicts} == {Reason.SCHEDULE_LIMIT}


async def test_outside_the_schedule_tells_when_it_opens(tenant, campaign) -> None:
    text = "The subject schedule-date-time is outside the campaign schedule from 2026-03-09T08:00:00.000Z to B."
    tenant.script = lambda asked: say(207, [{"customer-id": 1, "http-status": 400, "message": text}])
    async with campaign() as client:
        (verdict,) = await client.add(batch(1, at=AT), Lane.ADDITION)
    assert verdict.reason is Reason.OUTSIDE_SCHEDULE
    assert verdict.retry_at == datetime(2026, 3, 9, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (say(400, {"message": "The campaign has stopped."}), CampaignBlocked),
        (say(401), AuthRefused),
        (say(429, b"", Retry_After="600"), DialerUnavailable),
        (say(400, {"message": "Down for maintenance."}), RequestRefused),
    ],
)
async def test_what_was_confirmed_before_an_error_is_returned_and_the_error_comes_next(
    tenant, campaign, answer, error
) -> None:
    """The batch is too large, its first half is added, and then the tenant changes its mind."""

    def script(asked):
        if len(asked.customers) == 8:
            return say(413)
        return all_added(asked) if 1 in asked.customers else answer

    tenant.script = script
    async with campaign() as client:
        verdicts = await client.add(batch(*range(1, 9)), Lane.ADDITION)
        with pytest.raises(error):
            await client.add(batch(9, 10), Lane.ADDITION)
    assert [verdict.outcome for verdict in verdicts[:4]] == [Outcome.DONE] * 4
    assert {(verdict.outcome, verdict.reason) for verdict in verdicts[4:]} == {(Outcome.FAILED, Reason.NOT_SENT)}


async def test_a_half_whose_answer_is_lost_is_unknown_and_the_other_is_done(tenant, campaign) -> None:
    def script(asked):
        if len(asked.customers) == 8:
            return say(413)
        return all_added(asked) if 1 in asked.customers else RESET

    tenant.script = script
    async with campaign() as client:
        verdicts = await client.add(batch(*range(1, 9)), Lane.ADDITION)
    assert [verdict.outcome for verdict in verdicts] == [Outcome.DONE] * 4 + [Outcome.UNKNOWN] * 4


async def test_a_login_that_is_refused_after_a_lost_answer_leaves_the_batch_unknown(tenant, campaign) -> None:
    tenant.script = lambda asked: RESET if len(tenant.asked) == 1 else say(401)
    async with campaign() as client:
        (verdict,) = await client.add(batch(1), Lane.ADDITION)
        assert verdict.outcome is Outcome.UNKNOWN
        with pytest.raises(AuthRefused):
            await client.add(batch(2), Lane.ADDITION)


async def test_an_empty_batch_sends_nothing(tenant, campaign) -> None:
    async with campaign() as client:
        assert await client.add([], Lane.ADDITION) == []
    assert tenant.asked == []


async def test_an_add_that_hangs_is_unknown_once_its_time_is_up(tenant, campaign, clock) -> None:
    tenant.script = lambda asked: HANG
    async with campaign(timeout=timedelta(milliseconds=300)) as client:
        (verdict,) = await client.add(batch(1), Lane.ADDITION)
    assert verdict.outcome is Outcome.UNKNOWN
    assert "within 0.3 s" in verdict.message
    assert len(tenant.asked) == 4


def naming(tenant, *customers: int, after: int = 0):
    """Say once so many requests were sent that these are not to be added any more."""

    async def may_write(adding) -> None:
        if len(tenant.asked) >= after and (named := frozenset(customers) & set(adding)):
            raise NamedMeanwhile(named)

    return may_write


async def test_who_is_not_to_be_added_any_more_when_the_turn_comes_is_left_out_of_the_request(tenant, account) -> None:
    tenant.script = all_added
    async with account().campaign("renewals", 125, may_write=naming(tenant, 2)) as client:
        verdicts = await client.add(batch(1, 2, 3), Lane.ADDITION)
        assert (await client.add(batch(2), Lane.ADDITION))[0].withheld
    assert [asked.customers for asked in tenant.asked] == [[1, 3]]
    assert [(verdict.outcome, verdict.withheld) for verdict in verdicts] == [
        (Outcome.DONE, False),
        (Outcome.FAILED, True),
        (Outcome.DONE, False),
    ]


async def test_who_is_left_out_of_another_try_may_have_been_added_by_the_one_before(tenant, account) -> None:
    tenant.script = lambda asked: RESET if len(tenant.asked) == 1 else all_added(asked)
    async with account().campaign("renewals", 125, may_write=naming(tenant, 2, after=1)) as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
    assert [asked.customers for asked in tenant.asked] == [[1, 2], [1]]
    assert [(verdict.outcome, verdict.resent, verdict.withheld) for verdict in verdicts] == [
        (Outcome.DONE, True, False),
        (Outcome.UNKNOWN, False, False),
    ]


async def test_the_others_of_another_try_may_have_been_added_as_well_where_the_pass_ends_before_it(
    tenant, account
) -> None:
    tenant.script = lambda asked: RESET if len(tenant.asked) == 1 else say(401)
    async with account().campaign("renewals", 125, may_write=naming(tenant, 2, after=1)) as client:
        verdicts = await client.add(batch(1, 2), Lane.ADDITION)
    assert {(verdict.outcome, verdict.withheld) for verdict in verdicts} == {(Outcome.UNKNOWN, False)}
