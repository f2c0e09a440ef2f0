"""Which token goes with which call, and what a refused login costs."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from scripted_tenant import ACTION, DATA, RESET, say

from syncd.config import Secret
from syncd.dialer.api import Addition
from syncd.dialer.tokens import Token
from syncd.errors import AuthRefused
from syncd.words import Lane, Outcome

ONE = [Addition(1, None)]


def accepting(add: str = ACTION, delete: str = DATA, read: str = DATA, refusal: int = 401):
    """Answer only who comes with the right token for the call."""

    def script(asked):
        right = {"POST": add, "DELETE": delete, "GET": read}[asked.method]
        if asked.token != right:
            return say(refusal)
        if asked.method == "POST":
            return say(207, [{"customer-id": customer, "http-status": 200} for customer in asked.customers])
        if asked.method == "DELETE":
            return say(204)
        if asked.path.endswith("records.json"):
            return say(200, {})
        return say(200, {"campaign": {"campaign-id": 125, "enabled": "Y", "dynamic-campaign": "Y", "status": 3}})

    return script


async def test_the_guides_tokens_go_first_with_the_tenants_user_name(tenant, campaign) -> None:
    tenant.script = accepting()
    async with campaign() as client:
        await client.status()
        async for _ in client.listing(0):
            pass
        await client.add(ONE, Lane.ADDITION)
        await client.delete(1, Lane.REMOVAL)
    assert [asked.login for asked in tenant.asked] == [f"acmecorp01:{token}" for token in (DATA, DATA, ACTION, DATA)]


@pytest.mark.parametrize("refusal", [401, 403])
async def test_the_other_token_is_tried_once_and_what_worked_is_remembered_for_good(tenant, account, refusal) -> None:
    tenant.script = accepting(add=DATA, delete=ACTION, refusal=refusal)
    acme = account()
    for _ in range(2):
        async with acme.campaign("renewals", 125) as client:
            for _ in range(2):
                assert (await client.add(ONE, Lane.ADDITION))[0].outcome is Outcome.DONE
                assert (await client.delete(1, Lane.REMOVAL)).outcome is Outcome.DONE
    assert [asked.token for asked in tenant.of("POST")] == [ACTION, DATA, DATA, DATA, DATA]
    assert [asked.token for asked in tenant.of("DELETE")] == [DATA, ACTION, ACTION, ACTION, ACTION]


async def test_a_token_that_is_set_is_the_only_one_tried(tenant, campaign) -> None:
    tenant.script = accepting(add=DATA, delete=ACTION)
    async with campaign(add_token="data", delete_token="data") as client:
        await client.add(ONE, Lane.ADDITION)
        with pytest.raises(AuthRefused):
            await client.delete(1, Lane.REMOVAL)
    assert [asked.token for asked in tenant.asked] == [DATA, DATA]


async def test_a_refused_status_ends_the_pass_after_one_call(tenant, campaign) -> None:
    tenant.script = lambda asked: say(401)
    async with campaign() as client:
        for call in (client.status(), client.add(ONE, Lane.ADDITION), client.delete(1, Lane.REMOVAL)):
            with pytest.raises(AuthRefused, match="acme"):
                await call
    assert len(tenant.asked) == 1


@pytest.mark.parametrize(("choice", "calls"), [("auto", 2), ("action", 1), ("data", 1)])
async def test_a_login_refused_to_many_calls_at_once_costs_one_try_of_each_token(
    tenant, campaign, choice, calls
) -> None:
    tenant.script = lambda asked: replace(say(403), delay=0.02)
    async with campaign(add_token=choice) as client:
        adds = (client.add([Addition(customer, None)], Lane.ADDITION) for customer in range(1, 21))
        results = await asyncio.gather(*adds, return_exceptions=True)
    assert {type(result) for result in results} == {AuthRefused}
    assert len(tenant.asked) == calls


async def test_calls_go_side_by_side_once_the_login_is_known_to_be_good(tenant, campaign) -> None:
    def slow(asked):
        return replace(accepting()(asked), delay=0.02)

    tenant.script = slow
    async with campaign() as client:
        await client.delete(1, Lane.REMOVAL)
        assert tenant.most_in_flight == 1
        await asyncio.gather(*(client.delete(customer, Lane.REMOVAL) for customer in range(2, 20)))
    assert tenant.most_in_flight == 8


async def test_a_lost_answer_does_not_spend_the_other_token(tenant, campaign) -> None:
    tenant.script = lambda asked: RESET if len(tenant.asked) < 3 else accepting()(asked)
    async with campaign() as client:
        assert (await client.add(ONE, Lane.ADDITION))[0].outcome is Outcome.DONE
    assert {asked.token for asked in tenant.asked} == {ACTION}


def kept_in(file: Path, token: str) -> Secret:
    file.write_text(token)
    return Secret(token, file=file)


async def test_a_token_that_was_rotated_in_its_file_is_read_anew(tenant, campaign, tmp_path) -> None:
    file = tmp_path / "token"
    tenant.script = accepting(delete="rotated")
    async with campaign(data_token=kept_in(file, "old"), delete_token="data") as client:
        file.write_text("rotated\n")
        assert (await client.delete(1, Lane.REMOVAL)).outcome is Outcome.DONE
    assert [asked.token for asked in tenant.asked] == ["old", "rotated"]


async def test_calls_that_were_under_way_when_a_token_was_rotated_all_go_on(tenant, campaign, tmp_path) -> None:
    file = tmp_path / "token"
    tenant.script = accepting(delete="old")
    async with campaign(data_token=kept_in(file, "old"), delete_token="data") as client:
        await client.delete(1, Lane.REMOVAL)
        tenant.script = lambda asked: replace(accepting(delete="rotated")(asked), delay=0.02)
        file.write_text("rotated")
        verdicts = await asyncio.gather(*(client.delete(customer, Lane.REMOVAL) for customer in range(2, 10)))
    assert {verdict.outcome for verdict in verdicts} == {Outcome.DONE}


async def test_a_file_that_did_not_change_is_no_reason_to_try_again(tenant, campaign, tmp_path) -> None:
    tenant.script = lambda asked: say(401)
    async with campaign(data_token=kept_in(tmp_path / "token", "old")) as client:
        with pytest.raises(AuthRefused):
            await client.status()
    assert len(tenant.asked) == 1


async def test_a_cookie_of_one_call_is_not_sent_with_the_next(tenant, campaign) -> None:
    def script(asked):
        return replace(accepting()(asked), headers={"Set-Cookie": "JSESSIONID=1; Path=/"})

    tenant.script = script
    async with campaign() as client:
        for customer in range(3):
            await client.delete(customer, Lane.REMOVAL)
    assert not any("cookie" in asked.headers for asked in tenant.asked)


async def test_checking_tries_both_tokens_and_changes_nothing(tenant, campaign) -> None:
    tenant.script = lambda asked: accepting()(asked) if asked.method == "GET" else say(400, {"message": "invalid"})
    async with campaign() as client:
        data, action = await client.check_tokens()
    assert (data.token, data.ok, action.token, action.ok) == (Token.DATA, True, Token.ACTION, True)
    assert [(asked.method, asked.token, asked.body) for asked in tenant.asked] == [
        ("GET", DATA, b""),
        ("POST", ACTION, b"[]"),
    ]


async def test_checking_says_which_token_is_refused_and_goes_on_to_the_other(tenant, campaign) -> None:
    tenant.script = lambda asked: say(401) if asked.method == "GET" else say(207, [])
    async with campaign() as client:
        data, action = await client.check_tokens()
    assert (data.ok, action.ok) == (False, True)
    assert data.sentence == "the data token is refused (HTTP 401); check username and data_token"


@pytest.mark.parametrize(("choice", "ok"), [("auto", True), ("data", True), ("action", False)])
async def test_checking_takes_it_for_no_fault_that_adds_go_with_the_data_token(tenant, campaign, choice, ok) -> None:
    def script(asked):
        if asked.method == "POST":
            return say(207, []) if asked.token == DATA else say(403)
        return accepting()(asked)

    tenant.script = script
    async with campaign(add_token=choice) as client:
        data, action = await client.check_tokens()
    assert (data.ok, action.ok) == (True, ok)
    assert "refused" in action.sentence


@pytest.mark.parametrize("fault", [RESET, say(500), say(429, b"", Retry_After="600")])
async def test_checking_does_not_call_a_token_good_that_was_not_tried(tenant, campaign, fault) -> None:
    tenant.script = lambda asked: fault
    async with campaign() as client:
        checks = await client.check_tokens()
    assert [check.ok for check in checks] == [False, False]
    assert all("could not be tried" in check.sentence for check in checks)
