"""The HTTP server of the daemon: an application on an address, for as long as a context lasts."""

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Any, Final, Protocol, TypeAlias

from uvicorn import Config, Server
from uvicorn.protocols.http.h11_impl import H11Protocol

from syncd.errors import ListenRefused

CONNECTIONS: Final = 64
"""At one time; whoever comes beyond them is told to come again."""

LONGEST: Final = 30.0
"""Seconds that a connection may last, so that clients that hang or trickle do not use up the connections."""

IDLE: Final = 5
"""Seconds between two requests of a connection."""

TICK: Final = 1.0
"""Seconds between two looks at the clock, for the date of answers."""

LARGEST_HEAD: Final = 16 * 1024

LEAVE: Final = 1
"""Seconds that answers under way have when the daemon stops."""

Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
Send: TypeAlias = Callable[[Mapping[str, Any]], Awaitable[None]]


class Asgi(Protocol):
    """An application, as ASGI has it."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None: ...


@asynccontextmanager
async def serve(application: Asgi, listen: str) -> AsyncIterator[str | None]:
    """Serve an application on ``host:port`` while the context lasts; yield its address, None where ``listen`` is empty.

    Raise ListenRefused where the address cannot be had.
    """
    if not listen:
        yield None
        return
    sockets = _bind(listen)
    server = _Server(
        Config(
            application,
            http=_Connection,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_keep_alive=IDLE,
            timeout_graceful_shutdown=LEAVE,
            h11_max_incomplete_event_size=LARGEST_HEAD,
        )
    )
    serving = asyncio.create_task(server.serve(sockets), name="http")
    try:
        yield _address(sockets[0])
    finally:
        server.leave()
        await serving


class _Server(Server):
    """Leaves the signals to the daemon, and idles quietly."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def leave(self) -> None:
        """Have it end."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        """Set the date of the answers anew each second until told to leave: uvicorn itself looks ten times as often."""
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), TICK)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Connection(H11Protocol):
    """One client's connection, which ends in time whatever the client does or does not do."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end = self.loop.call_later(LONGEST, transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end.cancel()
        super().connection_lost(exc)


def _bind(listen: str) -> list[socket.socket]:
    """Return listening sockets of the addresses of the host that this machine has."""
    host, _, port = listen.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    bound: list[socket.socket] = []
    missing: OSError | None = None
    try:
        for family, *_, address in socket.getaddrinfo(host, int(port), type=socket.SOCK_STREAM):
            try:
                bound.append(_socket(family, address))
            except OSError as error:
                # localhost has an IPv6 address in the hosts file of many a container that has no IPv6.
                if error.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = error
        if missing is not None and not bound:
            raise missing
    except OSError as error:
        for one in bound:
            one.close()
        raise ListenRefused(listen, error.strerror or str(error)) from None
    return bound


def _socket(family: int, address: Any) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        # The port of a daemon that has just ended is had at once.
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen()
    except OSError:
        made.close()
        raise
    return made


def _address(bound: socket.socket) -> str:
    host, port, *_ = bound.getsockname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
