"""Reading over real HTTP: the status, and listings in every manner of paging."""

from urllib.parse import parse_qs

import pytest
from scripted_tenant import say

from syncd.errors import CampaignBlocked, DialerUnavailable

STATUS = {
    "campaign-name": "Renewals",
    "campaign-id": "125",
    "enabled": "Y",
    "dynamic-campaign": "Y",
    "status": "3",
    "no-of-records": "18",
}


def record(number: int) -> dict:
    return {
        "campaign-name": "Renewals",
        "campaign-id": 125,
        "record-id": number,
        "phone-list": f"*Phone Number|555{number:07}",
        "status": 0,
        "status-code": 0,
        "ext-trans-data": f"ref-{number}",
        "disposition-code": 1000,
    }


def as_xml_would(records: list[dict]) -> dict:
    """One record as an object, none as nothing."""
    if not records:
        return {"records": ""}
    return {"records": {"record": records[0] if len(records) == 1 else records}}


def listing_of(size: int, manner: str):
    records = [record(number) for number in range(1, size + 1)]

    def script(asked):
        n = int(parse_qs(asked.query).get("n", ["0"])[0])
        match manner:
            case "from zero":
                page = records[n : n + 50]
            case "from one":
                page = records[max(0, n - 1) :][:50]
            case "at once":
                page = records
            case "first page":
                page = records[:50]
            case "last page":
                page = records[min(n, max(0, (size - 1) // 50 * 50)) :][:50]
        return say(200, as_xml_would(page))

    return script


async def read(client, expected: int | None) -> list[int]:
    return [record.record_id async for page in client.listing(expected) for record in page]


async def test_the_status_is_one_get_from_stats(tenant, campaign) -> None:
    tenant.script = lambda asked: say(200, {"campaign": STATUS})
    async with campaign() as client:
        status = await client.status()
    assert [(asked.method, asked.path, asked.query) for asked in tenant.asked] == [
        ("GET", "/api/stats/campaigns/125.json", "")
    ]
    assert (status.vendor_id, status.name, status.records, status.blocked) == (125, "Renewals", 18, None)


@pytest.mark.parametrize("body", [b"", b"<html>", {"message": "Campaign not found."}, {"message": "whatever"}])
async def test_any_404_to_the_status_is_a_campaign_that_is_not_there(tenant, campaign, body) -> None:
    tenant.script = lambda asked: say(404, body)
    async with campaign() as client:
        with pytest.raises(CampaignBlocked, match="campaign renewals: the tenant knows no campaign with this id"):
            await client.status()
    assert len(tenant.asked) == 1


async def test_a_read_that_is_refused_otherwise_is_not_tried_again(tenant, campaign) -> None:
    tenant.script = lambda asked: say(400, {"message": "no"})
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match="the status call is refused: HTTP 400"):
            await client.status()
        with pytest.raises(DialerUnavailable, match="the list call is refused: HTTP 400"):
            await read(client, 10)
    assert len(tenant.asked) == 2


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("size", [0, 1, 49, 50, 51, 99, 100, 101, 1000])
@pytest.mark.parametrize("manner", ["from zero", "from one", "at once", "last page"])
async def test_every_record_is_read_in_every_manner(tenant, campaign, manner, size, told) -> None:
    tenant.script = listing_of(size, manner)
    async with campaign() as client:
        listed = await read(client, size if told else None)
    assert set(listed) == set(range(1, size + 1))
    assert tenant.asked[0].path == "/api/stats/campaigns/125/records.json"
    assert tenant.asked[0].query == ""
    assert all(asked.query.startswith("n=") for asked in tenant.asked[1:])


async def test_a_tenant_that_answers_the_first_page_for_ever_gives_that_page_alone(tenant, campaign) -> None:
    tenant.script = listing_of(1000, "first page")
    async with campaign() as client:
        listing = client.listing(1000)
        assert {record.record_id async for page in listing for record in page} == set(range(1, 51))
    assert listing.repeated
    assert len(tenant.asked) < 20


async def test_a_record_comes_with_its_numbers_phones_and_external_data(tenant, campaign) -> None:
    tenant.script = listing_of(1, "from zero")
    async with campaign() as client:
        pages = [page async for page in client.listing(1)]
    (only,) = {record for page in pages for record in page}
    assert (only.record_id, only.status, only.disposition) == (1, 0, 1000)
    assert (only.phones, only.ext_trans_data) == (("5550000001",), "ref-1")


async def test_a_page_that_fails_at_first_is_asked_for_again_and_nothing_is_missing(tenant, campaign) -> None:
    whole = listing_of(500, "from zero")
    failed: set[str] = set()

    def script(asked):
        if asked.query not in failed:
            failed.add(asked.query)
            return say(503) if len(failed) % 2 else say(200, b"<html>")
        return whole(asked)

    tenant.script = script
    async with campaign() as client:
        assert set(await read(client, 500)) == set(range(1, 501))
    assert len(failed) > 10


@pytest.mark.parametrize("garbage", [b"<html>Sign in</html>", {"message": "no"}, b'{"records": {"record": [{'])
async def test_garbage_in_place_of_a_page_is_an_error_and_never_an_empty_listing(tenant, campaign, garbage) -> None:
    tenant.script = lambda asked: say(200, garbage)
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match="the list call failed: HTTP 200"):
            await read(client, 10)


async def test_an_unfinished_page_is_no_page(tenant, campaign) -> None:
    tenant.script = lambda asked: say(206, as_xml_would([record(1)]))
    async with campaign() as client:
        with pytest.raises(DialerUnavailable, match="an unfinished answer"):
            await read(client, 10)
