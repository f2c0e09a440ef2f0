"""``syncd run`` as a process of its own, and what it logs."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import CommandLine


@dataclass
class DaemonProcess:
    """A daemon."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def lines(self) -> list[dict[str, Any]]:
        """What it has logged."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    @property
    def sentences(self) -> list[str]:
        """What it has logged, without the fields."""
        return [line["event"] for line in self.lines]

    def passes(self, result: str = "good") -> int:
        """Return how many passes came to a result."""
        return sum(line.get("result") == result for line in self.lines)

    def until(self, true: Callable[[], object], seconds: float = 60) -> None:
        """Wait until something is true while it runs."""
        limit = time.monotonic() + seconds
        while not true():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < limit, self.log.read_text()
            time.sleep(0.02)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def ended(self, seconds: float) -> int:
        """Return its exit status; it has to end in time."""
        return self.process.wait(seconds)

    def stop(self) -> int:
        """Tell it to stop and return its exit status."""
        self.signal(signal.SIGTERM)
        return self.ended(60)


@contextmanager
def daemon(desk: CommandLine, name: str = "daemon") -> Iterator[DaemonProcess]:
    """Run a daemon over the desk's configuration; one that still runs when the context ends is killed."""
    desk.write_config()
    log = desk.directory / f"{name}.log"
    with log.open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "syncd", "--config", str(desk.config), "run"],
            stdout=subprocess.DEVNULL,
            stderr=stderr,
            env=os.environ | {"STATE_DIRECTORY": str(desk.directory)} | desk.tokens,
        )
    try:
        yield DaemonProcess(process, log)
    finally:
        process.kill()
        process.wait()
