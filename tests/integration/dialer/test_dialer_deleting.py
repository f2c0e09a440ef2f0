"""Deleting records: the text tells, the status alone does not."""

import pytest
from scripted_tenant import RESET, say

from syncd.dialer.api import Addition
from syncd.errors import CampaignBlocked
from syncd.words import Lane, Outcome, Reason


@pytest.mark.parametrize(
    ("answer", "outcome", "reason"),
    [
        (say(204), Outcome.DONE, None),
        (say(200, {"message": "Customer deleted."}), Outcome.DONE, None),
        (say(200, b"Customer deleted."), Outcome.DONE, None),
        (say(200, b"<html>Customer deleted.</html>"), Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
        (say(404, {"message": "Customer not found."}), Outcome.ALREADY, Reason.NOT_FOUND),
        (say(404, b"<html>Customer not found.</html>"), Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
        (say(404), Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
        (say(405, b"nope"), Outcome.UNKNOWN, Reason.UNKNOWN_TEXT),
    ],
)
async def test_a_delete_is_one_call_to_tstats_whose_text_decides(tenant, campaign, answer, outcome, reason) -> None:
    tenant.script = lambda asked: answer
    async with campaign() as client:
        verdict = await client.delete(10003629, Lane.REMOVAL)
    (asked,) = tenant.asked
    assert (asked.method, asked.path) == ("DELETE", "/api/tstats/campaigns/125/customers/10003629")
    assert (verdict.customer, verdict.outcome, verdict.reason) == (10003629, outcome, reason)
    assert verdict.http_status == answer.status


async def test_not_found_after_a_lost_answer_is_already_and_says_that_it_may_be_our_own_doing(tenant, campaign) -> None:
    tenant.script = lambda asked: RESET if len(tenant.asked) == 1 else say(404, {"message": "Customer not found."})
    async with campaign() as client:
        verdict = await client.delete(1, Lane.REMOVAL)
    assert (verdict.outcome, verdict.resent) == (Outcome.ALREADY, True)


@pytest.mark.parametrize("answer", [RESET, say(500, {"message": "boom"}), say(503, b"<html>")])
async def test_a_delete_without_an_answer_is_tried_four_times_and_then_unknown(tenant, campaign, answer) -> None:
    tenant.script = lambda asked: answer
    async with campaign() as client:
        verdict = await client.delete(1, Lane.REMOVAL)
    assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NO_ANSWER)
    assert len(tenant.asked) == 4


async def test_a_connection_that_breaks_after_it_was_used_counts_as_a_try_like_any_other(tenant, campaign) -> None:
    tenant.script = lambda asked: say(204) if len(tenant.asked) == 1 else RESET
    async with campaign() as client:
        assert (await client.delete(1, Lane.REMOVAL)).outcome is Outcome.DONE
        assert (await client.delete(2, Lane.REMOVAL)).outcome is Outcome.UNKNOWN
    assert len(tenant.asked) == 5


@pytest.mark.parametrize(
    "answer",
    [
        say(404, {"message": "Campaign not found."}),
        say(400, {"message": "The campaign has stopped. No customers can be deleted."}),
        say(400, {"message": "This is not a dynamic campaign."}),
        say(400, {"message": "This campaign is not enabled."}),
    ],
)
async def test_a_campaign_that_lets_nobody_go_is_blocked_and_asked_once_a_pass(tenant, campaign, answer) -> None:
    tenant.script = lambda asked: answer
    async with campaign() as client:
        for customer in range(3):
            with pytest.raises(CampaignBlocked):
                await client.delete(customer, Lane.REMOVAL)
    assert len(tenant.asked) == 1


async def test_a_campaign_that_takes_no_additions_still_gets_its_suppressions(tenant, campaign) -> None:
    not_started = {"message": "The operation is invalid for a campaign that has not started."}
    tenant.script = lambda asked: say(204) if asked.method == "DELETE" else say(400, not_started)
    async with campaign() as client:
        with pytest.raises(CampaignBlocked):
            await client.add([Addition(1, None)], Lane.ADDITION)
        assert (await client.delete(2, Lane.SUPPRESSION)).outcome is Outcome.DONE
