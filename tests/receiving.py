"""A receiver of notices and heartbeats: real HTTP on loopback, which can be down, refuse, or hang."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar


@dataclass
class Receiver:
    """Takes what comes, or what it is told to do with it. Down until :meth:`up` is called."""

    status: int = 200
    location: str | None = None
    bodies: list[dict[str, Any]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    hanging: threading.Event | None = None
    """Answers wait for it."""
    reached: int = 0
    """Notices that came, answered or not."""
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def titles(self) -> list[str]:
        """What it was told, by title."""
        return [body["title"] for body in self.bodies]

    def notices(self, path: str = "") -> str:
        """Return the Apprise address of this receiver."""
        return f"json://127.0.0.1:{self.port}{path}"

    def address(self, path: str) -> str:
        """Return an address that can be pinged."""
        return f"http://127.0.0.1:{self.port}{path}"

    def up(self) -> None:
        """Answer, on the port of before."""
        handler = type("Handler", (Handler,), {"receiver": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def down(self) -> None:
        """Refuse connections."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None


class Handler(BaseHTTPRequestHandler):
    """One request."""

    receiver: ClassVar[Receiver]

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.receiver.reached += 1
        if self.receiver.hanging is not None:
            self.receiver.hanging.wait(30)
        if self.receiver.status < 300:
            self.receiver.bodies.append(body)
        self._answer()

    def _answer(self) -> None:
        self.receiver.paths.append(self.path)
        self.send_response(self.receiver.status)
        if self.receiver.location is not None:
            self.send_header("Location", self.receiver.location)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Yield a receiver that answers."""
    receiver = Receiver()
    receiver.up()
    try:
        yield receiver
    finally:
        if receiver.hanging is not None:
            receiver.hanging.set()
        receiver.down()
