"""A pooler in transaction mode: each statement of a client may reach another session of the server."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from itertools import cycle
from urllib.parse import parse_qs, urlsplit

_ENCRYPTION_REQUESTS = (80877103, 80877104)


class Session:
    """One session of the server, authenticated, with what it said at its start."""

    def __init__(self, path: str, startup: bytes) -> None:
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(path)
        self.greeting = self.ask(startup)

    def ask(self, request: bytes) -> bytes:
        """Send a request and return all that the server says up to being ready for the next one."""
        self._line.sendall(request)
        answer, kind = b"", b""
        while kind != b"Z":
            kind, message = read_message(self._line)
            answer += message
        return answer

    def close(self) -> None:
        self._line.close()


class Pooler:
    """Serves its clients, one statement at a time, from a few sessions in turn."""

    def __init__(self, path: str, sessions: int) -> None:
        self._path, self._size = path, sessions
        self._sessions: list[Session] = []
        self._turn: Iterator[Session] = iter(())
        self._one_at_a_time = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()
        self.port = self._listener.getsockname()[1]

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(10)
        for session in self._sessions:
            session.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                thread = threading.Thread(target=self._serve, args=[client])
                self._threads.append(thread)
                thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, suppress(ConnectionError):
            startup = self._read_startup(client)
            with self._one_at_a_time:
                if not self._sessions:
                    self._sessions = [Session(self._path, startup) for _ in range(self._size)]
                    self._turn = cycle(self._sessions)
                greeting = self._sessions[0].greeting
            client.sendall(greeting)
            request = b""
            while True:
                kind, message = read_message(client)
                request += message
                if kind == b"X":
                    return
                if kind in (b"Q", b"S"):
                    with self._one_at_a_time:
                        answer = next(self._turn).ask(request)
                    client.sendall(answer)
                    request = b""

    @staticmethod
    def _read_startup(client: socket.socket) -> bytes:
        while True:
            head = read_exactly(client, 8)
            length, code = struct.unpack("!II", head)
            if code not in _ENCRYPTION_REQUESTS:
                return head + read_exactly(client, length - 8)
            client.sendall(b"N")


def read_message(line: socket.socket) -> tuple[bytes, bytes]:
    """Return the kind of the next message and all of it."""
    head = read_exactly(line, 5)
    [length] = struct.unpack("!I", head[1:])
    return head[:1], head + read_exactly(line, length - 4)


def read_exactly(line: socket.socket, size: int) -> bytes:
    content = b""
    while len(content) < size:
        part = line.recv(size - len(content))
        if not part:
            raise ConnectionError("closed")
        content += part
    return content


@contextmanager
def pooled(database: str, sessions: int) -> Iterator[str]:
    """Yield a URL of the same database that leads through a pooler with so many sessions."""
    parts = urlsplit(database)
    [directory] = parse_qs(parts.query)["host"]
    pooler = Pooler(f"{directory}/.s.PGSQL.5432", sessions)
    try:
        yield f"postgresql://{parts.username}@127.0.0.1:{pooler.port}{parts.path}?sslmode=disable"
    finally:
        pooler.close()
