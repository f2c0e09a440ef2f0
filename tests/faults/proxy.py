"""A piece of network between syncd and what it talks to, which can be cut, stalled, slowed down or made to vanish."""

import asyncio
import ctypes
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Final

SO_ATTACH_FILTER: Final = 26
SO_DETACH_FILTER: Final = 27
DROP_EVERYTHING: Final = struct.pack("HBBI", 0x06, 0, 0, 0)
"""A packet filter of one instruction: nothing that comes is taken, so that nothing is acknowledged either."""


@dataclass(eq=False)
class Line:
    """One connection through the proxy: to syncd, which is near, and to the server."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    mute: bool = False
    """The server's end is closed: nothing more is heard from there."""

    def end(self) -> None:
        """Reset both ends."""
        for writer in (self.near, self.far):
            _filter(writer, SO_DETACH_FILTER)
            writer.transport.abort()


class Proxy:
    """Takes connections on a port of its own and passes on what is said. Its verbs may be called from any thread."""

    def __init__(self, far: tuple[str, int] | str) -> None:
        """Take the server's host and port, or the path of its socket."""
        self.port = 0
        self.taken = 0
        """Connections that came."""
        self.passed = 0
        """Bytes of the server's answers that went through."""
        self.delay = 0.0
        """Seconds before each piece is passed on."""
        self._ruin: tuple[int, Callable[[], None]] | None = None
        self._far, self._refusing = far, False
        self._lines: set[Line] = set()
        self._serving = threading.Event()

    @property
    def lines(self) -> int:
        """Connections that are open."""
        return len(self._lines)

    # --- what happens to the network ---------------------------------------------------------------------------------

    def cut(self) -> None:
        """Reset every connection, and refuse new ones."""
        self._refusing = True
        self._at_work(self._cut)

    def stall(self) -> None:
        """Take everything and pass nothing on: connections stay open, new ones too."""
        self._at_work(self._flowing.clear)

    def half_close(self) -> None:
        """Close the server's end of every connection: what syncd says still goes through."""
        self._at_work(lambda: [self._half_close(line) for line in self._lines])

    def vanish(self) -> None:
        """Let no packet arrive at either end any more, keepalives included, as if a host were gone. Refuse new ones."""
        self._refusing = True
        self._at_work(lambda: [_filter(end, SO_ATTACH_FILTER) for line in self._lines for end in (line.near, line.far)])

    def after(self, answers: int, ruin: Callable[["Proxy"], None]) -> None:
        """Let so many bytes of answers through, and then this happen."""
        self._ruin = answers, partial(ruin, self)

    @property
    def waits(self) -> bool:
        """Return whether so many bytes have not gone through yet."""
        return self._ruin is not None

    def mend(self) -> None:
        """Let everything through, on connections that are left and on new ones."""
        self.delay, self._ruin, self._refusing = 0.0, None, False
        self._at_work(self._flowing.set)

    def _cut(self) -> None:
        for line in list(self._lines):
            line.end()

    def _half_close(self, line: Line) -> None:
        line.mute = True
        line.near.write_eof()

    def _at_work(self, work: Callable[[], object]) -> None:
        """Do something where the connections are, and wait until it is done."""
        if threading.get_ident() == self._thread:
            work()
            return
        done = threading.Event()

        def carry_out() -> None:
            work()
            done.set()

        self._loop.call_soon_threadsafe(carry_out)
        assert done.wait(10)

    # --- how it works ------------------------------------------------------------------------------------------------

    def run(self) -> None:
        """Serve until :meth:`close`, on a thread of its own."""
        asyncio.run(self._serve())

    def started(self) -> None:
        """Wait until it serves."""
        assert self._serving.wait(10)

    def close(self) -> None:
        """End it with all that goes through it."""
        self.cut()
        self._loop.call_soon_threadsafe(self._over.set)

    async def _serve(self) -> None:
        self._loop, self._over, self._flowing = asyncio.get_running_loop(), asyncio.Event(), asyncio.Event()
        self._flowing.set()
        self._thread = threading.get_ident()
        server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        self._serving.set()
        await self._over.wait()
        server.close()

    async def _take(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        self.taken += 1
        if self._refusing:
            near.transport.abort()
            return
        with suppress(OSError, asyncio.CancelledError):  # asyncio complains of a connection whose task is cancelled
            far_reader, far = await (
                asyncio.open_unix_connection(self._far)
                if isinstance(self._far, str)
                else asyncio.open_connection(*self._far)
            )
            line = Line(near, far)
            self._lines.add(line)
            try:
                await asyncio.gather(self._ask(near_reader, line), self._answer(far_reader, line))
            finally:
                self._lines.discard(line)
                line.end()

    async def _ask(self, reader: asyncio.StreamReader, line: Line) -> None:
        while piece := await self._next(reader):
            line.far.write(piece)
            await line.far.drain()
        line.far.write_eof()

    async def _answer(self, reader: asyncio.StreamReader, line: Line) -> None:
        while piece := await self._next(reader):
            if line.mute:
                continue
            first, ruin = self._up_to_ruin(piece)
            line.near.write(first)
            await line.near.drain()
            self.passed += len(first)
            if ruin is not None:
                ruin()
                await self._flowing.wait()
                if not (line.mute or line.near.is_closing()):
                    line.near.write(piece[len(first) :])
        if not line.mute:
            line.near.write_eof()

    def _up_to_ruin(self, piece: bytes) -> tuple[bytes, Callable[[], None] | None]:
        """Return what goes through before something happens, and what, if it does here."""
        if self._ruin is None:
            return piece, None
        left, ruin = self._ruin
        if len(piece) < left:
            self._ruin = left - len(piece), ruin
            return piece, None
        self._ruin = None
        return piece[:left], ruin

    async def _next(self, reader: asyncio.StreamReader) -> bytes:
        piece = await reader.read(65536)
        await asyncio.sleep(self.delay)
        await self._flowing.wait()
        return piece


def _filter(writer: asyncio.StreamWriter, option: int) -> None:
    """Have the kernel drop whatever comes for a connection, or no more. What has no packets has no such filter."""
    end: socket.socket | None = writer.get_extra_info("socket")
    if end is not None and end.fileno() >= 0 and end.family == socket.AF_INET:
        instruction = ctypes.create_string_buffer(DROP_EVERYTHING)
        with suppress(OSError):  # none to take off
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("HxxxxxxP", 1, ctypes.addressof(instruction)))


@contextmanager
def between(far: tuple[str, int] | str) -> Iterator[Proxy]:
    """Run a proxy to a server while the context lasts."""
    proxy = Proxy(far)
    thread = threading.Thread(target=proxy.run, name="proxy")
    thread.start()
    try:
        proxy.started()
        yield proxy
    finally:
        proxy.close()
        thread.join(10)
