"""Trying again, waiting as asked, and giving a tenant up in time."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from scripted_tenant import HANG, RESET, say

from syncd.dialer.api import Addition
from syncd.errors import DialerUnavailable
from syncd.words import Lane, Outcome, Reason

STATUS = {"campaign": {"campaign-id": 125, "enabled": "Y", "dynamic-campaign": "Y", "status": 3, "no-of-records": 0}}


@pytest.mark.parametrize("fault", [RESET, say(500), say(429), say(502, b"<html>"), say(200, b"<html>"), say(200, b"{")])
async def test_what_is_read_is_tried_again_until_it_can_be_read(tenant, campaign, fault) -> None:
    tenant.script = lambda asked: fault if len(tenant.asked) < 4 else say(200, STATUS)
    async with campaign() as client:
        assert (await client.status()).records == 0
    assert len(tenant.asked) == 4


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (RESET, "was lost before the answer was whole"),
        (say(500, {"message": "Out of order"}), "HTTP 500: Out of order"),
        (say(502, b"<html>gateway</html>", Content_Type="text/html"), "HTTP 502 with 20 bytes of text/html"),
        (say(200, b"<html>hello</html>", Content_Type="text/html; charset=x"), "18 bytes of text/html: not JSON"),
        (say(200, b"{"), "HTTP 200 with 1 bytes of no content type: not JSON"),
        (say(429), "HTTP 429"),
    ],
)
async def test_a_status_that_cannot_be_had_names_what_came_after_four_tries_and_under_ten_seconds(
    tenant, campaign, clock, fault, words
) -> None:
    tenant.script = lambda asked: fault
    async with campaign() as client:
        with pytest.raises(DialerUnavailable) as caught:
            await client.status()
    assert words in caught.value.sentence()
    assert "the status call failed" in caught.value.sentence()
    assert len(tenant.asked) == 4
    assert 1 <= clock.slept <= 10


async def test_a_truncated_body_is_no_answer(tenant, campaign) -> None:
    tenant.script = lambda asked: (
        replace(say(200, STATUS), declared=9999) if len(tenant.asked) < 3 else say(200, STATUS)
    )
    async with campaign() as client:
        assert (await client.status()).blocked is None
    assert len(tenant.asked) == 3


def in_seconds(seconds: int) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("asks", ["seconds", "date", "date by its own wrong clock"])
async def test_a_short_retry_after_is_kept_to(tenant, campaign, clock, status, asks) -> None:
    headers = {
        "seconds": {"Retry_After": "4"},
        "date": {"Retry_After": in_seconds(4)},
        "date by its own wrong clock": {"Retry_After": in_seconds(3604), "Date": in_seconds(3600)},
    }[asks]
    tenant.script = lambda asked: say(status, b"", **headers) if len(tenant.asked) == 1 else say(200, STATUS)
    async with campaign() as client:
        await client.status()
    assert 2.9 <= clock.slept <= 6
    assert len(tenant.asked) == 2


@pytest.mark.parametrize("value", ["", "soon", "-5", "Tue, 99 Foo 2026 99:99:99 GMT", "1e9", "٣", "0"])
async def test_a_retry_after_that_says_nothing_changes_nothing(tenant, campaign, value) -> None:
    headers = {"Retry_After": value} if value.isascii() else {}
    tenant.script = lambda asked: say(429, b"", **headers) if len(tenant.asked) == 1 else say(200, STATUS)
    async with campaign() as client:
        await client.status()
    assert len(tenant.asked) == 2


@pytest.mark.parametrize("status", [429, 503])
async def test_a_long_retry_after_ends_the_pass_at_once_and_says_how_long(tenant, campaign, clock, status) -> None:
    tenant.script = lambda asked: say(status, b"", Retry_After="600")
    async with campaign() as client:
        with pytest.raises(DialerUnavailable) as caught:
            await client.status()
        with pytest.raises(DialerUnavailable):
            await client.delete(1, Lane.SUPPRESSION)
    assert caught.value.retry_after == pytest.approx(600, abs=2)
    assert len(tenant.asked) == 1
    assert clock.slept < 1


async def test_a_long_retry_after_holds_the_whole_tenant_until_it_has_passed(tenant, account, clock) -> None:
    tenant.script = lambda asked: say(429, b"", Retry_After="600") if len(tenant.asked) == 1 else say(200, STATUS)
    acme = account()
    async with acme.campaign("renewals", 125) as client:
        with pytest.raises(DialerUnavailable):
            await client.status()
    async with acme.campaign("callbacks", 125) as client:
        with pytest.raises(DialerUnavailable) as caught:
            await client.status()
    assert caught.value.retry_after == pytest.approx(600, abs=2)
    assert len(tenant.asked) == 1
    await clock.sleep(601)
    async with acme.campaign("callbacks", 125) as client:
        await client.status()
    assert len(tenant.asked) == 2


async def test_short_waits_that_add_up_to_more_than_ten_seconds_end_the_pass(tenant, campaign, clock) -> None:
    tenant.script = lambda asked: say(429, b"", Retry_After="6")
    async with campaign() as client:
        with pytest.raises(DialerUnavailable) as caught:
            await client.delete(1, Lane.REMOVAL)
    assert caught.value.retry_after == 6
    assert len(tenant.asked) == 2
    assert clock.slept <= 10


async def test_an_unknown_write_is_told_before_the_pass_ends_for_a_long_wait(tenant, campaign) -> None:
    tenant.script = lambda asked: say(503, b"", Retry_After="600")
    async with campaign() as client:
        verdict = await client.delete(1, Lane.REMOVAL)
        assert (verdict.outcome, verdict.reason) == (Outcome.UNKNOWN, Reason.NO_ANSWER)
        with pytest.raises(DialerUnavailable):
            await client.delete(2, Lane.REMOVAL)
    assert len(tenant.asked) == 1


@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("fault", [RESET, say(500), say(503), say(429)])
@pytest.mark.parametrize("rate", [1, 10, 10_000])
async def test_a_pass_against_a_tenant_that_fails_every_call_at_once_ends_within_twenty_seconds(
    tenant, account, clock, workers, fault, rate
) -> None:
    """Not for each of ten thousand customers; the status was still answered."""
    tenant.script = lambda asked: say(200, STATUS) if asked.method == "GET" else fault
    acme = account(requests_per_second=rate)
    customers = iter(range(1, 10_001))

    async def work(client) -> None:
        for customer in customers:
            if customer % 2:
                await client.delete(customer, Lane.REMOVAL)
            else:
                await client.add([Addition(customer, None)], Lane.ADDITION)

    async with acme.campaign("renewals", 125) as client:
        await client.status()
        results = await asyncio.gather(*(work(client) for _ in range(workers)), return_exceptions=True)
    assert {type(result) for result in results} == {DialerUnavailable}
    assert len(tenant.asked) <= 1 + 4 * (workers + 4)
    if workers == 1:  # the quick clock adds up what several workers sleep side by side
        assert clock.passed < 20


async def test_one_customer_whose_call_always_fails_does_not_end_the_pass(tenant, campaign) -> None:
    tenant.script = lambda asked: say(500) if asked.path.endswith("/13") else say(204)
    async with campaign() as client:
        verdicts = [await client.delete(customer, Lane.REMOVAL) for customer in [13, 1, 13, 2, 13, 3, 13, 4]]
    assert [verdict.outcome for verdict in verdicts] == [Outcome.UNKNOWN, Outcome.DONE] * 4


async def test_the_next_pass_tries_again(tenant, account) -> None:
    tenant.script = lambda asked: say(500)
    acme = account()
    async with acme.campaign("renewals", 125) as client:
        for _ in range(3):
            await client.delete(1, Lane.REMOVAL)
        with pytest.raises(DialerUnavailable):
            await client.delete(1, Lane.REMOVAL)
    tenant.script = lambda asked: say(204)
    async with acme.campaign("renewals", 125) as client:
        assert (await client.delete(1, Lane.REMOVAL)).outcome is Outcome.DONE


async def test_pushing_back_slows_the_tenant_down(tenant, account) -> None:
    tenant.script = lambda asked: say(429) if len(tenant.asked) < 3 else say(204)
    acme = account(requests_per_second=100)
    assert acme.pace.rate == 100
    async with acme.campaign("renewals", 125) as client:
        await client.delete(1, Lane.REMOVAL)
    assert acme.pace.rate < 30


async def test_no_more_requests_than_the_concurrency_reach_the_tenant(tenant, account) -> None:
    tenant.script = lambda asked: replace(say(204), delay=0.02)
    async with account(concurrency=3).campaign("renewals", 125) as client:
        await asyncio.gather(*(client.delete(customer, Lane.REMOVAL) for customer in range(30)))
    assert tenant.most_in_flight == 3
    assert tenant.connections <= 3


async def test_a_call_that_is_cancelled_while_the_tenant_hangs_ends_at_once_and_frees_its_place(
    tenant, account
) -> None:
    tenant.script = lambda asked: HANG if asked.path.endswith("/1") else say(204)
    acme = account(concurrency=1, timeout=timedelta(seconds=60))
    async with acme.campaign("renewals", 125) as client:
        hanging = asyncio.create_task(client.delete(1, Lane.REMOVAL))
        async with asyncio.timeout(30):
            await tenant.came.wait()
            hanging.cancel()
            await asyncio.gather(hanging, return_exceptions=True)
            assert (await client.delete(2, Lane.REMOVAL)).outcome is Outcome.DONE
    assert (acme.pace.in_use, acme.pace.waiting) == (0, 0)


async def test_what_a_call_of_one_campaign_waits_for_first_holds_no_turn_that_another_needs(tenant, account) -> None:
    tenant.script = lambda asked: say(204) if asked.method == "DELETE" else say(200, STATUS)
    acme, busy, free = account(concurrency=1), asyncio.Event(), asyncio.Event()

    async def may_write(adding) -> None:
        busy.set()
        await free.wait()

    async with acme.campaign("renewals", 125, may_write=may_write) as one, acme.campaign("others", 125) as other:
        deleting = asyncio.create_task(one.delete(7, Lane.SUPPRESSION))
        await busy.wait()
        async with asyncio.timeout(10):
            await other.status()
        assert not deleting.done()
        free.set()
        assert (await deleting).outcome is Outcome.DONE
