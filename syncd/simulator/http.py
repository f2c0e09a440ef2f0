"""The HTTP server of the simulator, down to the socket: a fault must be able to cut, reset or starve a connection."""

import asyncio
import re
import socket
import struct
from datetime import timedelta
from email.utils import format_datetime
from http import HTTPStatus
from typing import Final
from urllib.parse import unquote

from syncd.simulator.api import HTML, Answer, Api, Ask, Request, message, read
from syncd.simulator.control import PREFIX, Control
from syncd.simulator.faults import Fault, FaultKind, Strike
from syncd.simulator.log import Entry
from syncd.simulator.tenant import SimulatedTenant

_MAX_HEAD: Final = 32 * 1024
_HEAD_END: Final = b"\r\n\r\n"
_REQUEST_LINE = re.compile(r"([A-Z]+) (/[^ ?#]*)(?:\?([^ #]*))? HTTP/1\.[01]")
_ENDLESS_CHUNK: Final = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class BadRequest(Exception):
    """Bytes that are no request this server takes; the connection ends with ``status``."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def take_request(buffer: bytearray, max_body: int) -> Request | None:
    """Take one whole request off the front of the buffer; None while it is not all there. Raise BadRequest."""
    end = buffer.find(_HEAD_END)
    if end < 0:
        if len(buffer) > _MAX_HEAD:
            raise BadRequest(431)
        return None
    lines = buffer[:end].decode("latin-1").split("\r\n")
    if (line := _REQUEST_LINE.fullmatch(lines[0])) is None:
        raise BadRequest(400)
    headers = {}
    for header in lines[1:]:
        name, colon, value = header.partition(":")
        if not colon:
            raise BadRequest(400)
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise BadRequest(411)
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdigit()):
        raise BadRequest(400)
    if int(length) > max_body:
        raise BadRequest(413)
    start = end + len(_HEAD_END)
    stop = start + int(length)
    if len(buffer) < stop:
        return None
    body = bytes(buffer[start:stop])
    del buffer[:stop]
    return Request(line[1], unquote(line[2]), line[3] or "", headers, body)


def write_answer(answer: Answer, *, close: bool = False) -> bytes:
    """Return the bytes of an answer."""
    lines = [_status_line(answer.status)]
    if answer.status != 204:
        lines.append(f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}")
    lines.extend(f"{name}: {value}" for name, value in answer.headers)
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + _HEAD_END + answer.body


def _status_line(status: int) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else ""
    return f"HTTP/1.1 {status} {phrase}"


class Connection(asyncio.Protocol):
    """One client's connection. Requests are answered one after the other, at once where no fault needs time."""

    def __init__(self, tenant: SimulatedTenant, api: Api, control: Control, peers: "set[Connection]") -> None:
        self._tenant = tenant
        self._api = api
        self._control = control
        self._peers = peers
        self._buffer = bytearray()
        self._task: asyncio.Task[None] | None = None
        self._gone = asyncio.Event()
        self._writable = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - for the type checker
        self._transport = transport
        self._writable.set()
        self._peers.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._gone.set()
        self._writable.set()
        if self._task is None:
            self._peers.discard(self)

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if self._task is None:
            self._advance()

    async def abandon(self) -> None:
        """Close at once; whatever was under way is dropped."""
        self._transport.abort()
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _advance(self) -> None:
        """Answer the requests that are whole, until one takes time."""
        while self._task is None and not self._transport.is_closing():
            try:
                request = take_request(self._buffer, self._tenant.manner.max_body)
            except BadRequest as refused:
                self._write(message(refused.status, None), close=True)
                return
            if request is None:
                return
            self._serve(request)

    def _serve(self, request: Request) -> None:
        close = request.headers.get("connection", "").lower() == "close"
        if request.path.startswith(PREFIX):
            self._write(self._control.answer(request), close=close)
            return
        ask = read(request)
        entry = self._tenant.log.begin(ask.call, ask.campaign)
        strike = self._tenant.faults.strike(ask.call, ask.campaign, ask.customers())
        if strike.fault is None and not strike.seconds and not self._tenant.manner.latency:
            self._finish(entry, self._api.answer(request, ask, entry), close=close)
            self._tenant.log.end()
            return
        self._task = asyncio.get_running_loop().create_task(self._suffer(request, ask, entry, strike, close))
        self._task.add_done_callback(self._suffered)

    def _suffered(self, task: asyncio.Task[None]) -> None:
        self._tenant.log.end()
        self._task = None
        if self._gone.is_set():
            self._peers.discard(self)
        if not task.cancelled():
            task.result()
            self._advance()

    async def _suffer(self, request: Request, ask: Ask, entry: Entry, strike: Strike, close: bool) -> None:
        """Answer with what strikes the request. The deed is done although the client may have given up by then."""
        fault = strike.fault
        entry.fault = FaultKind.LATENCY.value if fault is None else fault.kind.value
        await self._tenant.clock.sleep(self._tenant.manner.latency + strike.seconds)
        if fault is None or fault.kind in (FaultKind.MISSING_ENTRIES, FaultKind.SHORT_LISTING):
            self._finish(entry, self._api.answer(request, ask, entry, fault), close=close)
        elif fault.kind is FaultKind.TRUNCATED:
            self._truncate(self._api.answer(request, ask, entry))
        elif fault.kind is FaultKind.ENDLESS:
            await self._stream(self._api.answer(request, ask, entry))
        else:
            if fault.deed:
                self._api.answer(request, ask, entry)
            if fault.kind is FaultKind.RESET:
                self._reset()
            elif fault.kind is FaultKind.HANG:
                await self._gone.wait()
            else:
                self._finish(entry, self._faulty_answer(fault), close=close)

    def _faulty_answer(self, fault: Fault) -> Answer:
        headers: tuple[tuple[str, str], ...] = ()
        if fault.retry_after is not None:
            at = self._tenant.clock.now() + timedelta(seconds=fault.retry_after)
            value = format_datetime(at, usegmt=True) if fault.retry_after_as_date else str(fault.retry_after)
            headers = (("Retry-After", value),)
        if fault.html:
            return Answer(fault.status, (fault.text or "").encode(), HTML, headers)
        return message(fault.status, fault.text, headers)

    def _finish(self, entry: Entry, answer: Answer, *, close: bool) -> None:
        entry.status = answer.status
        entry.delivered = self._write(answer, close=close)

    def _write(self, answer: Answer, *, close: bool) -> bool:
        if self._transport.is_closing():
            return False
        self._transport.write(write_answer(answer, close=close))
        if close:
            self._transport.close()
        return True

    def _truncate(self, answer: Answer) -> None:
        written = write_answer(answer)
        # A 204 has no body to cut, so its head is cut.
        self._transport.write(written[: -(len(answer.body) + 1) // 2] if answer.body else written[: len(written) // 2])
        self._transport.close()

    def _reset(self) -> None:
        wire: socket.socket = self._transport.get_extra_info("socket")
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        self._transport.abort()

    async def _stream(self, answer: Answer) -> None:
        head = f"{_status_line(200)}\r\nContent-Type: {answer.content_type}\r\nTransfer-Encoding: chunked"
        self._transport.write(head.encode() + _HEAD_END)
        while not self._transport.is_closing():
            self._transport.write(_ENDLESS_CHUNK)
            await asyncio.sleep(0.001)
            await self._writable.wait()
