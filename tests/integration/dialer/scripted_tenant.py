"""A tenant on loopback that answers what a test's script says, byte for byte if need be."""

import asyncio
import json
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

ACTION, DATA = "action-token-XYZZY", "data-token-PLUGH"
"""The tokens of the tenant, marked so that they can be told wherever they turn up."""


@dataclass(frozen=True)
class Asked:
    """A request as it came."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes

    @property
    def login(self) -> str:
        return b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()

    @property
    def token(self) -> str:
        return self.login.partition(":")[2]

    @property
    def customers(self) -> list[int]:
        return [item["customer-id"] for item in json.loads(self.body)]


@dataclass(frozen=True)
class Say:
    """What to answer. ``declared`` is a Content-Length that is not the body's."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    declared: int | None = None
    delay: float = 0


def say(status: int, content: object = b"", **headers: str) -> Say:
    """Answer bytes as they are and anything else as JSON."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Say(status, body, {name.replace("_", "-"): value for name, value in headers.items()})


RESET = "reset"
"""Break the connection without an answer."""
HANG = "hang"
"""Never answer."""
ENDLESS = "endless"
"""Answer a body that does not end."""
NOISE = "noise"
"""Answer what is not HTTP."""

Script = Callable[[Asked], Say | str]


class ScriptedTenant:
    """Keeps what it was asked, in the order it came, and how much of it side by side."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.script: Script = lambda asked: say(500)
        self.came = asyncio.Event()
        self.in_flight = self.most_in_flight = self.connections = 0
        self._peers: set[asyncio.Task] = set()
        self._left = asyncio.Event()

    def of(self, method: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.method == method]

    async def converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._peers.add(task)
        self.connections += 1
        try:
            while (asked := await self._read(reader)) is not None:
                self.asked.append(asked)
                self.came.set()
                self.in_flight += 1
                self.most_in_flight = max(self.most_in_flight, self.in_flight)
                try:
                    await self._answer(self.script(asked), reader, writer)
                finally:
                    self.in_flight -= 1
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._peers.discard(task)
            self._left.set()
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Asked | None:
        head = await reader.readuntil(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        method, target, _ = first.split(" ")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
        path, _, query = target.partition("?")
        return Asked(method, path, query, headers, await reader.readexactly(int(headers.get("content-length", 0))))

    async def _answer(self, answer: Say | str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if answer == HANG:
            await reader.read()
            raise OSError
        if answer == RESET:
            writer.transport.abort()
            raise OSError
        if answer == NOISE:
            writer.write(b"what?\r\n\r\n")
            raise OSError
        if answer == ENDLESS:
            writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            while not writer.transport.is_closing():
                writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                await writer.drain()
            raise OSError
        await asyncio.sleep(answer.delay)
        length = len(answer.body) if answer.declared is None else answer.declared
        lines = [f"HTTP/1.1 {answer.status} Said", f"Content-Length: {length}"]
        if answer.status == 204:
            lines.pop()
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + answer.body)
        await writer.drain()
        if length != len(answer.body):
            raise OSError

    async def quiet(self) -> None:
        """Wait until nobody is connected any more."""
        while self._peers:
            self._left.clear()
            await self._left.wait()

    async def hang_up(self) -> None:
        for peer in list(self._peers):
            peer.cancel()
        await asyncio.gather(*self._peers, return_exceptions=True)


@asynccontextmanager
async def scripted_tenant(tls: ssl.SSLContext | None = None) -> AsyncIterator[ScriptedTenant]:
    tenant = ScriptedTenant()
    server = await asyncio.start_server(tenant.converse, "127.0.0.1", 0, ssl=tls)
    scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
    tenant.url = f"{scheme}://{host}:{server.sockets[0].getsockname()[1]}"
    try:
        yield tenant
    finally:
        server.close()
        await tenant.hang_up()
        await server.wait_closed()
