"""What is answered at each path, with which status and under which headers."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from syncd.errors import StateUnavailable
from syncd.report import web
from syncd.words import Condition
from tests.showing import NOW, Desk, campaign, desk_at_night, failing, good, held

PATHS = ["/", "/healthz", "/readyz", "/metrics"]
LOST = StateUnavailable('connection to server at "db.internal" failed', "is it running?")


@pytest.fixture
def desk() -> Desk:
    return Desk([good("renewals")])


@pytest.fixture
async def client(desk: Desk) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(web.application(desk))
    async with httpx.AsyncClient(transport=transport, base_url="http://syncd") as client:
        yield client


@pytest.mark.parametrize("path", PATHS)
async def test_each_path_is_answered_and_nothing_of_it_is_kept_by_anybody(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert int(answer.headers["content-length"]) == len(answer.content) > 0


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_only_get_is_answered(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")


@pytest.mark.parametrize(
    "path", ["/index.html", "/healthz/", "/metrics/x", "/../etc/passwd", "/%2e%2e/", "/favicon.ico"]
)
async def test_there_is_nothing_anywhere_else(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).status_code == 404


async def test_health_is_the_loops_and_asks_nobody_else(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.trouble = LOST
    assert (await client.get("/healthz")).status_code == 200
    desk.turning = False
    answer = await client.get("/healthz")
    assert (answer.status_code, answer.text) == (503, "the daemon makes no progress\n")


async def test_it_is_ready_while_no_pass_failed_and_none_is_overdue(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.shown += [held("win-back"), campaign("surveys", Condition.BLOCKED), campaign("upsell", Condition.PAUSED)]
    answer = await client.get("/readyz")
    assert (answer.status_code, answer.text) == (200, "ready\n")


async def test_it_is_not_ready_while_a_campaign_fails_or_is_overdue_and_each_is_named(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    late = campaign("surveys", Condition.OK, due_at=NOW - timedelta(minutes=11))
    desk.shown += [failing("collections", "customer 4711 at +44 20 7946 0958 with secret-token"), late]
    answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.text.splitlines() == [
        "campaign collections: failing since 2026-11-24 01:53 UTC; `syncd status` tells why",
        "campaign surveys: overdue: a pass was due at 2026-11-24 02:30 UTC",
    ]


async def test_a_disabled_campaign_makes_nobody_unready(client: httpx.AsyncClient, desk: Desk) -> None:
    one = failing("collections")
    desk.shown = [replace(one, settings=replace(one.settings, enabled=False))]
    assert (await client.get("/readyz")).status_code == 200


async def test_without_the_state_it_is_alive_but_not_ready_and_the_rest_tells_it(
    client: httpx.AsyncClient, desk: Desk
) -> None:
    desk.trouble = LOST
    ready = await client.get("/readyz")
    assert ready.status_code == 503
    assert ready.text == "the state database is out of reach; `syncd check` looks at it\n"
    metrics = await client.get("/metrics")
    assert metrics.status_code == 200
    assert "syncd_state_up 0.0" in metrics.text
    assert 'campaign="renewals"' not in metrics.text
    page = await client.get("/")
    assert page.status_code == 200
    assert "The state database is out of reach." in page.text
    assert "connection to server at &#34;db.internal&#34; failed" in page.text


async def test_a_state_that_does_not_answer_holds_nobody_up(
    client: httpx.AsyncClient, desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> list[object]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(web, "PATIENCE", 0.05)
    monkeypatch.setattr(desk, "overviews", never)
    async with asyncio.timeout(60):
        assert (await client.get("/readyz")).status_code == 503
        assert "did not answer within" in (await client.get("/")).text
        assert "syncd_state_up 0.0" in (await client.get("/metrics")).text


async def test_the_page_lets_nothing_run_load_or_frame_it(client: httpx.AsyncClient) -> None:
    headers = (await client.get("/")).headers
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy.pop("style-src").startswith("'sha256-")
    assert policy == dict.fromkeys(("default-src", "base-uri", "form-action", "frame-ancestors"), "'none'")
    assert headers["referrer-policy"] == "no-referrer"


async def test_metrics_come_in_prometheus_text_format(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'syncd_desired_customers{campaign="renewals"} 18204.0' in answer.text


async def test_a_desk_at_night_is_told_worst_first(client: httpx.AsyncClient, desk: Desk) -> None:
    desk.shown = desk_at_night().shown
    text = (await client.get("/")).text
    order = ["collections", "surveys", "win-back", "reminders", "renewals", "welcome-calls", "upsell", "archive"]
    places = [text.index(f"<h2><bdi>{name}</bdi></h2>") for name in order]
    assert places == sorted(places)
