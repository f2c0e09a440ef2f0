"""What syncd tells systemd of itself (sd_notify): that it is ready, takes over a new file, is stopping, and lives."""

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final, Self

_STATUS_LIMIT: Final = 1000
"""Bytes of a status: systemd drops a whole message of more than 4096."""

_SEND_LIMIT: Final = 1.0
"""Seconds that a message may wait for systemd: it must not hold up the loop that tells of it."""


class ServiceManager:
    """The systemd that started this process, or nobody: then nothing is told. No method raises."""

    def __init__(self, address: str | None = None, watchdog_seconds: float | None = None) -> None:
        """Take the address of systemd's datagram socket (``@`` begins an abstract one), and the watchdog's interval."""
        self._address = address
        self.watchdog_seconds = watchdog_seconds
        """Seconds from one ``watchdog()`` to the next, a third of WatchdogSec; None when nobody watches."""

    @classmethod
    def from_environ(cls, environ: MutableMapping[str, str]) -> Self:
        """Return the systemd that ``environ`` names, and take it out of there: children must not speak for us."""
        address = environ.pop("NOTIFY_SOCKET", "")
        interval = environ.pop("WATCHDOG_USEC", "")
        watched = environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        if not address.startswith(("/", "@")):
            return cls()
        on = watched and interval.isdecimal() and int(interval) > 0
        return cls(address, int(interval) / 1e6 / 3 if on else None)

    def ready(self, status: str) -> None:
        """Say that the start, or a reload, is over."""
        self._tell("READY=1", _status(status))

    def reloading(self) -> None:
        """Say that a reload begins; ``ready`` ends it, whether the new file was taken or not."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}")

    def stopping(self) -> None:
        """Say that the process is about to end."""
        self._tell("STOPPING=1")

    def status(self, text: str) -> None:
        """Have ``systemctl status`` show a line."""
        self._tell(_status(text))

    def watchdog(self) -> None:
        """Say that the process makes progress. Without it for WatchdogSec, systemd ends it and starts it anew."""
        self._tell("WATCHDOG=1")

    def extend_start(self, seconds: float) -> None:
        """Ask for so many seconds from now before a start that is not over counts as failed."""
        self._tell(f"EXTEND_TIMEOUT_USEC={round(seconds * 1e6)}")

    def _tell(self, *assignments: str) -> None:
        if self._address is None:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        # Connected, because only then does the limit wait for room with systemd instead of asking without a pause.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
            connection.settimeout(_SEND_LIMIT)
            connection.connect(address)
            connection.send("\n".join(assignments).encode())


def _status(text: str) -> str:
    """Return the assignment of a status, one line of UTF-8: systemd ignores any other."""
    line = " ".join(text.split()).encode(errors="replace")
    return "STATUS=" + line[:_STATUS_LIMIT].decode(errors="ignore")
