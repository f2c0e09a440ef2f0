"""A tenant may answer anything: what it says is understood, or told from what could be, in little time and memory."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.clock import SystemClock
from syncd.config import Secret, TenantSettings
from syncd.dialer import verdicts, wire
from syncd.dialer.api import Addition
from syncd.dialer.client import Tenant
from syncd.dialer.verdicts import Block, Ruling
from syncd.dialer.wire import UnreadableError
from syncd.errors import AuthRefused, CampaignBlocked, DialerUnavailable, RequestRefused, SyncdError
from syncd.words import Lane

KEYS = st.sampled_from(
    [
        "campaign",
        "campaign-id",
        "records",
        "record",
        "record-id",
        "status",
        "status-code",
        "disposition-code",
        "ext-trans-data",
        "phone-list",
        "enabled",
        "dynamic-campaign",
        "no-of-records",
        "end-time",
        "timezone",
        "customer-id",
        "http-status",
        "message",
        "\x00",
        "\u202e",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(
        ["Y", "N", "125", "-1", "3", "9" * 19, "9" * 30, "2026-11-24T09:00:00+23:59", "9999-12-31", "EST"]
    )
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6), max_leaves=30
)
RECORDS = st.builds(lambda records: {"records": {"record": records}}, JSON)
CAMPAIGNS = st.builds(lambda campaign: {"campaign": campaign}, st.dictionaries(KEYS, SCALARS))
BODIES = st.binary(max_size=60) | (JSON | RECORDS | CAMPAIGNS).map(orjson.dumps)


@given(BODIES)
@settings(max_examples=150, deadline=None)
def test_any_body_is_read_or_called_unreadable(body: bytes) -> None:
    for read in (
        lambda: wire.read_page(body, 125),
        lambda: wire.read_entries(body),
        lambda: wire.read_status(body, 125),
    ):
        with suppress(UnreadableError):
            read()
    text = wire.read_text(body)
    assert text.isprintable()
    assert len(text) <= 300


@given(RECORDS.map(orjson.dumps))
@settings(max_examples=150, deadline=None)
def test_a_record_is_told_as_values_that_the_state_takes(body: bytes) -> None:
    try:
        page = wire.read_page(body, 125)
    except UnreadableError:
        return
    assert len(page.records) + page.foreign + page.unusable == page.size
    for record in page.records:
        assert 0 < record.record_id < 2**63
        assert all(phone.isdigit() for phone in record.phones)


@given(JSON.map(lambda entries: orjson.dumps([entries, entries])))
@settings(max_examples=150, deadline=None)
def test_an_entry_has_an_http_status_or_none(body: bytes) -> None:
    for entry in wire.read_entries(body).values():
        assert entry.http_status is None or 100 <= entry.http_status < 600


@given(st.integers(-(10**6), 10**6), st.text(max_size=300) | st.from_regex(r"(from |to |limit |not |campaign ){1,60}"))
@settings(max_examples=150, deadline=None)
def test_any_answer_gets_a_ruling_at_once(status: int, text: str) -> None:
    began = time.process_time()
    for judge in (verdicts.judge_add, verdicts.judge_entry, verdicts.judge_delete):
        assert isinstance(judge(status, text), Ruling | Block)
    opens = verdicts.opens_at(text[:300])
    assert opens is None or opens.tzinfo is UTC
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "record",
    [
        b"[" * 1000 + b"]" * 1000,
        b'{"record-id":7,"phone-list":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"record-id":7,"ext-trans-data":' + b"[" * 1000 + b"]" * 1000 + b"}",
        b'{"record-id":7,"phone-list":"' + b"|" * 5_000_000 + b'"}',
        b'{"record-id":7,"ext-trans-data":"' + b"9" * 10_000_000 + b'"}',
        b'{"record-id":"' + b"9" * 10_000_000 + b'"}',
        b'{"record-id":7,"status":' + b"9" * 1_000_000 + b"}",
    ],
    ids=["nested", "nested phones", "nested data", "phones", "data", "id", "status"],
)
def test_a_record_beyond_measure_costs_neither_time_nor_the_process(record: bytes) -> None:
    began = time.process_time()
    try:
        page = wire.read_page(b'{"records":{"record":[' + record + b"]}}", 125)
    except UnreadableError:
        page = None
    assert time.process_time() - began < 10
    assert page is None or page.size == 1


@pytest.mark.parametrize("count", [-1, -(10**18), "-5", 1.5, "many", [], {}, 2**63, "9" * 30])
def test_a_number_of_records_that_is_none_proves_nothing(count: object) -> None:
    campaign = {"campaign-id": 125, "enabled": "Y", "dynamic-campaign": "Y", "status": 3, "no-of-records": count}
    records = wire.read_status(orjson.dumps({"campaign": campaign}), 125).records
    assert records is None or records >= 0


HEADS = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 207 Multi-Status",
        b"HTTP/1.1 404 \x1b[2J",
        b"HTTP/1.1 503 Busy",
        b"HTTP/1.0 999 ?",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 301 Elsewhere",
        b"HTTP/9.9 20 0",
        b"\x16\x03\x01",
        b"",
    ]
)
DATES = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31)).map(lambda at: format_datetime(at, usegmt=False))
WAITS = st.sampled_from(
    [
        "0",
        "-1",
        "1e400",
        "9" * 400,
        "\u0663",
        "Mon, 01 Jan 99999999999999999999 00:00:00 GMT",
        f"Mon, 01 Jan 2024 0:0:0 +{'9' * 30}",
    ]
)
HEADERS = st.one_of(
    st.tuples(st.just("Retry-After"), DATES | WAITS | st.text(max_size=40)),
    st.tuples(st.just("Date"), DATES | st.text(max_size=40)),
    st.tuples(st.just("Content-Length"), st.sampled_from(["-1", "9" * 30, "0", "5", "x"])),
    st.tuples(st.just("Transfer-Encoding"), st.sampled_from(["chunked", "gzip", "x"])),
    st.tuples(st.just("Content-Encoding"), st.sampled_from(["gzip", "br", "deflate", "x"])),
    st.tuples(st.just("Content-Type"), st.text(max_size=40)),
    st.tuples(st.just("Location"), st.text(max_size=40)),
    st.tuples(st.text(min_size=1, max_size=10), st.text(max_size=40)),
    st.just(("X", "x" * 200_000)),
)


def _answer(head: bytes, headers: list[tuple[str, str]], body: bytes) -> bytes:
    lines = [f"{name}: {value}".encode(errors="replace") for name, value in headers]
    return b"\r\n".join([head, *lines, b"", b""]) + body


ANSWERS = st.builds(_answer, HEADS, st.lists(HEADERS, max_size=4), BODIES) | st.binary(max_size=80)


class Rushed(SystemClock):
    """A clock whose sleeps take no time."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


@given(st.lists(ANSWERS, min_size=1, max_size=4))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
async def test_whatever_comes_over_the_wire_ends_in_an_answer_or_an_error_that_can_be_explained(
    answers: list[bytes],
) -> None:
    async def say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        await reader.read(1000)
        writer.write(answers[asked % len(answers)])
        asked += 1
        writer.close()

    asked, explained = 0, list[SyncdError]()
    server = await asyncio.start_server(say, "127.0.0.1", 0)
    tenant = TenantSettings(
        name="acme",
        base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}",
        username="acmecorp01",
        action_token=Secret("action-1"),
        data_token=Secret("data-1"),
        requests_per_second=100_000,
        timeout=timedelta(seconds=1),
    )
    async with server, Tenant(tenant, clock=Rushed(), random=lambda: 0.5).campaign("renewals", 125) as client:
        calls = (
            client.status,
            lambda: anext(client.listing(None)),
            lambda: client.add([Addition(7, None)], Lane.ADDITION),
            lambda: client.delete(7, Lane.REMOVAL),
        )
        for call in calls:
            try:
                await call()
            except (DialerUnavailable, AuthRefused, CampaignBlocked, RequestRefused) as error:
                explained.append(error)
            except StopAsyncIteration:
                continue
    assert asked > 0
    for error in explained:
        assert error.sentence().isprintable(), error.sentence()
        assert (getattr(error, "retry_after", None) or 0) <= 86_400
