"""The simulator over real HTTP: the API, the faults down to the socket, the control surface."""

import asyncio
import time
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import httpx
import pytest

from syncd.clock import SystemClock
from syncd.simulator import Call, Fault, FaultKind, SimulatedTenant, serve

RECORDS = "/api/stats/campaigns/125/records.json"
STATUS = "/api/stats/campaigns/125.json"
CUSTOMERS = "/api/tstats/campaigns/125/customers"


@pytest.fixture
def tenant():
    tenant = SimulatedTenant(clock=SystemClock(), seed=7)
    tenant.add_campaign(125)
    tenant.add_customers(range(1, 1000))
    return tenant


@asynccontextmanager
async def client_of(tenant, timeout=5.0):
    async with (
        serve(tenant) as url,
        httpx.AsyncClient(
            base_url=url, auth=("acmecorp01", "simulated-data"), timeout=timeout, trust_env=False
        ) as client,
    ):
        yield client


async def add(client, *customers):
    return await client.post(
        CUSTOMERS, json=[{"customer-id": customer} for customer in customers], auth=("acmecorp01", "simulated-action")
    )


async def until(condition, limit=60.0):
    deadline = time.monotonic() + limit
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        await asyncio.sleep(0.005)


async def test_records_are_added_listed_and_deleted_over_one_connection(tenant):
    async with client_of(tenant) as client:
        assert (await add(client, 1, 2)).status_code == 207
        assert (await client.get(STATUS)).json()["campaign"]["no-of-records"] == 2
        listed = (await client.get(RECORDS)).json()["records"]["record"]
        assert [record["record-id"] for record in listed] == [1, 2]
        deleted = await client.delete(f"{CUSTOMERS}/1")
        assert (deleted.status_code, deleted.content) == (204, b"")
        assert (await client.get(f"{RECORDS}?n=1")).json()["records"]["record"]["record-id"] == 2
    assert [entry.call for entry in tenant.log] == [Call.ADD, Call.STATUS, Call.LIST, Call.DELETE, Call.LIST]
    assert all(entry.delivered for entry in tenant.log)
    assert [entry.done for entry in tenant.writes] == [(1, 2), (1,)]


async def test_an_unknown_path_is_a_page_for_people(tenant):
    async with client_of(tenant) as client:
        answer = await client.get("/api/stats/campaign/125.json")
        assert answer.status_code == 404
        assert answer.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("deed", [False, True])
async def test_a_reset_before_the_deed_leaves_it_undone_and_one_after_loses_only_the_answer(tenant, deed):
    armed = tenant.faults.add(Fault(kind=FaultKind.RESET, deed=deed, calls=frozenset({Call.ADD})))
    async with client_of(tenant) as client:
        with pytest.raises(httpx.ReadError):
            await add(client, 1)
    (entry,) = tenant.writes
    assert armed.struck == 1
    assert (entry.done, entry.fault, entry.delivered) == ((1,) if deed else (), "reset", False)
    assert len(tenant.campaigns[125]) == deed


async def test_a_reset_is_a_reset_and_no_orderly_end(tenant):
    tenant.faults.add(Fault(kind=FaultKind.RESET))
    async with serve(tenant) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(f"GET {STATUS} HTTP/1.1\r\n\r\n".encode())
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()


async def test_a_hanging_call_ends_when_the_client_gives_up(tenant):
    tenant.faults.add(Fault(kind=FaultKind.HANG, deed=True))
    async with client_of(tenant, timeout=1) as client:
        with pytest.raises(httpx.ReadTimeout):
            await add(client, 1)
        await until(lambda: tenant.log.in_flight == 0)
        assert tenant.writes[0].status is None
        assert (await client.get(STATUS)).status_code == 200


async def test_a_call_given_up_while_it_is_slow_is_carried_out_all_the_same(tenant):
    tenant.faults.add(Fault(kind=FaultKind.LATENCY, seconds=2))
    async with client_of(tenant, timeout=0.7) as client:
        with pytest.raises(httpx.ReadTimeout):
            await add(client, 1)
        await until(lambda: tenant.log.in_flight == 0)
    (entry,) = tenant.writes
    assert (entry.done, entry.delivered) == ((1,), False)


async def test_a_truncated_answer_breaks_off_after_the_deed(tenant):
    tenant.faults.add(Fault(kind=FaultKind.TRUNCATED, count=2))
    async with client_of(tenant) as client:
        with pytest.raises(httpx.RemoteProtocolError):
            await add(client, 1, 2)
        with pytest.raises(httpx.RemoteProtocolError):
            await client.delete(f"{CUSTOMERS}/1")
    assert [entry.done for entry in tenant.writes] == [(1, 2), (1,)]
    assert not any(entry.delivered for entry in tenant.log)


async def test_an_endless_body_goes_on_until_the_client_has_had_enough(tenant):
    tenant.faults.add(Fault(kind=FaultKind.ENDLESS))
    async with client_of(tenant) as client:
        received = 0
        async with client.stream("GET", RECORDS) as answer:
            async for chunk in answer.aiter_bytes():
                received += len(chunk)
                if received > 2_000_000:
                    break
        await until(lambda: tenant.log.in_flight == 0)
    assert received > 2_000_000


async def test_a_busy_tenant_says_how_long_to_wait_in_seconds_or_as_a_date(tenant):
    tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=429, text="Too many requests.", retry_after=7))
    tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=429, retry_after=90, retry_after_as_date=True))
    tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=429))
    async with client_of(tenant) as client:
        seconds, date, bare = [await client.get(STATUS) for _ in range(3)]
        assert (seconds.status_code, seconds.headers["retry-after"]) == (429, "7")
        wait = parsedate_to_datetime(date.headers["retry-after"]) - SystemClock().now()
        assert 60 < wait.total_seconds() <= 90
        assert "retry-after" not in bare.headers
        assert (await client.get(STATUS)).status_code == 200


async def test_a_faulty_answer_may_be_html_with_any_status_and_the_deed_may_be_done(tenant):
    tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=200, html=True, text="<h1>Sign in</h1>"))
    tenant.faults.add(Fault(kind=FaultKind.ANSWER, status=206, deed=True, text="The request was sent."))
    async with client_of(tenant) as client:
        page = await add(client, 1)
        assert (page.status_code, page.text) == (200, "<h1>Sign in</h1>")
        partial = await add(client, 2)
        assert (partial.status_code, partial.json()) == (206, {"message": "The request was sent."})
    assert [entry.done for entry in tenant.writes] == [(), (2,)]


async def test_requests_at_work_side_by_side_are_counted(tenant):
    tenant.manner.latency = 0.05
    async with client_of(tenant) as client:
        await asyncio.gather(*(client.get(STATUS) for _ in range(5)))
    assert tenant.log.peak == 5
    assert tenant.log.in_flight == 0


@pytest.mark.parametrize(
    ("head", "status"),
    [
        ("GET\r\n\r\n", 400),
        (f"GET {STATUS} HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (f"POST {CUSTOMERS} HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (f"POST {CUSTOMERS} HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (f"POST {CUSTOMERS} HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        ("GET / HTTP/1.1\r\nX: " + "x" * 40_000, 431),
    ],
)
async def test_what_is_no_request_is_refused_and_the_connection_ends(tenant, head, status):
    async with serve(tenant) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(head.encode())
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert len(tenant.log) == 0


async def test_a_request_may_come_in_pieces_and_several_at_once(tenant):
    request = f"GET {STATUS} HTTP/1.1\r\n\r\n".encode()
    async with serve(tenant) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(request[:9])
        await writer.drain()
        writer.write(request[9:] + request + request[:-4] + b"\r\nConnection: close\r\n\r\n")
        answer = await asyncio.wait_for(reader.read(), 60)
        writer.close()
    assert answer.count(b"HTTP/1.1 401 ") == 3


async def test_serving_ends_although_calls_hang(tenant):
    tenant.faults.add(Fault(kind=FaultKind.HANG))
    async with serve(tenant) as url:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(url.rpartition(":")[2]))
        writer.write(f"GET {STATUS} HTTP/1.1\r\n\r\n".encode())
        await until(lambda: tenant.log.in_flight == 1)
    assert await asyncio.wait_for(reader.read(), 60) == b""
    writer.close()


async def test_the_stage_is_set_over_the_control_surface(tenant):
    async with client_of(tenant) as client:
        assert (await client.post("/-/customers", json={"customers": "2000-2009"})).status_code == 200
        assert (await client.post("/-/customers", json={"customers": [2009], "mark": "do-not-call"})).status_code == 200
        assert [entry["http-status"] for entry in (await add(client, 2000, 2009)).json()] == [200, 400]
        await client.post("/-/records", json={"campaign": 125, "customers": 3})
        assert (await client.post("/-/dial", json={"campaign": 125, "calls": 2})).json() == {"moved": 2}
        state = (await client.get("/-/state")).json()["campaigns"]["125"]
        assert (state["records"], state["by_status"]["queued"], state["by_status"]["new"]) == (4, 2, 2)
        await client.post("/-/manner", json={"dialect": "older"})
        assert (await add(client, 1)).json()[0]["message"] == "Duplicated customer."
        await client.post("/-/campaigns/125", json={"state": 5})
        assert (await add(client, 7)).status_code == 400
        assert (await client.delete("/-/campaigns/125")).json()["records"] == 0
        log = (await client.get("/-/log?since=1")).json()
        assert [entry["number"] for entry in log] == [2, 3]
        assert [entry["call"] for entry in log] == ["add", "add"]


async def test_faults_are_armed_and_disarmed_over_the_control_surface(tenant):
    async with client_of(tenant) as client:
        await client.post("/-/faults", json={"kind": "answer", "calls": ["status"], "status": 503, "count": None})
        assert (await client.get(STATUS)).status_code == 503
        assert (await client.get("/-/state")).json()["faults"] == [{"kind": "answer", "struck": 1}]
        await client.delete("/-/faults")
        assert (await client.get(STATUS)).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "telling"),
    [
        ("/-/faults", b'{"kind": "quake"}', 400, "kind"),
        ("/-/faults", b'{"kind": "reset", "colour": 1}', 400, "colour"),
        ("/-/manner", b'{"page_form": 1}', 400, "page_form"),
        ("/-/manner", b"[", 400, "JSON"),
        ("/-/manner", b"[]", 400, "object"),
        ("/-/customers", b'{"customers": "x-y"}', 400, "customers"),
        ("/-/dial", b'{"campaign": 9}', 404, "9"),
        ("/-/campaigns/9", b"{}", 404, "9"),
        ("/-/nothing", b"{}", 404, "control"),
    ],
)
async def test_a_control_that_cannot_be_followed_says_why(tenant, path, body, status, telling):
    async with client_of(tenant) as client:
        answer = await client.post(path, content=body)
        assert answer.status_code == status
        assert telling in answer.json()["message"]
