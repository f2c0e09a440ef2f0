"""The server over real sockets: where it listens, what it bears, how it goes."""

import asyncio
import signal
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, closing, contextmanager, suppress

import httpx
import pytest

from syncd.errors import ListenRefused
from syncd.report import server, web
from syncd.report.server import serve
from tests.showing import Desk, good


@contextmanager
def taken() -> Iterator[int]:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        yield other.getsockname()[1]


@asynccontextmanager
async def connected(url: str | None) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    host, _, port = str(url).removeprefix("http://").rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    try:
        yield reader, writer
    finally:
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()


async def fetch(url: str | None, path: str = "/healthz") -> httpx.Response:
    async with httpx.AsyncClient(trust_env=False) as client:
        return await client.get(f"{url}{path}")


@pytest.mark.parametrize(
    ("listen", "begins"),
    [("127.0.0.1:0", "http://127.0.0.1:"), ("[::1]:0", "http://[::1]:"), ("localhost:0", "http://")],
)
async def test_it_listens_where_it_is_told_and_no_more_once_it_is_over(listen: str, begins: str) -> None:
    async with serve(web.application(Desk()), listen) as url:
        assert url is not None
        assert url.startswith(begins)
        assert (await fetch(url)).text == "ok\n"
    with pytest.raises(httpx.ConnectError):
        await fetch(url)


async def test_an_empty_address_is_off() -> None:
    async with serve(web.application(Desk()), "") as url:
        assert url is None


async def test_a_taken_port_is_told_in_one_line() -> None:
    with taken() as port, pytest.raises(ListenRefused) as refused:
        async with serve(web.application(Desk()), f"127.0.0.1:{port}"):
            pass
    sentence = refused.value.sentence()
    assert sentence.startswith(f"[service] listen: 127.0.0.1:{port} cannot be had: Address already in use;")
    assert "\n" not in sentence


@pytest.mark.parametrize("listen", ["192.0.2.1:9464", "no-such-host.invalid:9464"])
async def test_an_address_that_is_not_this_machines_is_told_in_one_line(listen: str) -> None:
    with pytest.raises(ListenRefused, match=r"cannot be had: [A-Z]"):
        async with serve(web.application(Desk()), listen):
            pass


async def test_signals_stay_the_daemons() -> None:
    before = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    async with serve(web.application(Desk()), "127.0.0.1:0") as url:
        assert (await fetch(url)).status_code == 200
        assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == before


async def test_it_ends_soon_although_clients_hang_in_every_way(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk([good("renewals")])
    asked = asyncio.Event()

    async def never() -> list[object]:
        asked.set()
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(desk, "overviews", never)
    async with AsyncExitStack() as clients:
        async with serve(web.application(desk), "127.0.0.1:0") as url:
            _, half, waits = [await clients.enter_async_context(connected(url)) for _ in range(3)]
            half[1].write(b"GET / HTT")
            waits[1].write(b"GET / HTTP/1.1\r\nHost: syncd\r\n\r\n")
            async with asyncio.timeout(60):
                await asked.wait()
            began = time.monotonic()
        assert time.monotonic() - began < 20


async def test_a_client_that_never_asks_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST", 0.1)
    async with serve(web.application(Desk()), "127.0.0.1:0") as url:
        async with connected(url) as (reader, writer), asyncio.timeout(60):
            writer.write(b"GET /healthz HTTP/1.1\r\nX-Slow: ")
            with suppress(ConnectionResetError):
                assert await reader.read() == b""
        monkeypatch.undo()
        assert (await fetch(url)).status_code == 200


async def test_too_many_clients_are_told_to_come_again_and_those_who_come_later_are_served() -> None:
    async with serve(web.application(Desk()), "127.0.0.1:0") as url:
        async with AsyncExitStack() as clients:
            for _ in range(server.CONNECTIONS):
                await clients.enter_async_context(connected(url))
            assert (await fetch(url)).status_code == 503
        async with asyncio.timeout(60):
            while (await fetch(url)).status_code != 200:
                pass


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 100_000,
        b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_and_does_no_harm(request_bytes: bytes) -> None:
    async with serve(web.application(Desk()), "127.0.0.1:0") as url:
        async with connected(url) as (reader, writer), asyncio.timeout(60):
            writer.write(request_bytes)
            assert (await reader.readline()).startswith(b"HTTP/1.1 400")
        assert (await fetch(url)).status_code == 200
