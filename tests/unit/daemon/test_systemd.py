"""What systemd hears of syncd, over real datagram sockets."""

import contextlib
import os
import socket
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest

from syncd.daemon.systemd import ServiceManager


@pytest.fixture(params=["in the file system", "abstract"])
def heard(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[socket.socket]:
    """systemd's end, under both kinds of addresses."""
    address = str(tmp_path / "notify") if request.param == "in the file system" else f"\0syncd-{uuid4().hex}"
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as listener:
        listener.settimeout(5)
        listener.bind(address)
        yield listener


def environ_of(listener: socket.socket, **more: str) -> dict[str, str]:
    name = listener.getsockname()
    return {"NOTIFY_SOCKET": "@" + name[1:].decode() if isinstance(name, bytes) else name, **more}


def test_systemd_hears_each_thing_once_and_in_its_words(heard: socket.socket) -> None:
    systemd = ServiceManager.from_environ(environ_of(heard))
    systemd.extend_start(90.5)
    systemd.ready("3 campaigns, next pass 12:05")
    systemd.status("renewals: 12 added")
    systemd.watchdog()
    systemd.stopping()
    assert [heard.recv(4096) for _ in range(5)] == [
        b"EXTEND_TIMEOUT_USEC=90500000",
        b"READY=1\nSTATUS=3 campaigns, next pass 12:05",
        b"STATUS=renewals: 12 added",
        b"WATCHDOG=1",
        b"STOPPING=1",
    ]


def test_a_reload_tells_when_it_began_on_the_clock_that_systemd_reads(heard: socket.socket) -> None:
    before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    ServiceManager.from_environ(environ_of(heard)).reloading()
    reloading, began = heard.recv(4096).decode().split("\n")
    name, _, microseconds = began.partition("=")
    assert (reloading, name) == ("RELOADING=1", "MONOTONIC_USEC")
    assert before <= int(microseconds) <= time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000


def test_a_status_arrives_as_one_line_of_utf_8_short_enough_for_systemd(heard: socket.socket) -> None:
    systemd = ServiceManager.from_environ(environ_of(heard))
    systemd.status("Rückruf 電話:\nREADY=1 \udcff")
    systemd.ready("é" * 4000)
    assert heard.recv(4096).decode() == "STATUS=Rückruf 電話: READY=1 ?"
    assert heard.recv(4096).decode() == "READY=1\nSTATUS=" + "é" * 500


def test_children_learn_nothing_of_systemd(heard: socket.socket) -> None:
    environ = environ_of(heard, WATCHDOG_USEC="60000000", WATCHDOG_PID=str(os.getpid()), PATH="/usr/bin")
    ServiceManager.from_environ(environ)
    assert environ == {"PATH": "/usr/bin"}


def test_the_watchdog_is_fed_three_times_within_its_limit(heard: socket.socket) -> None:
    environ = environ_of(heard, WATCHDOG_USEC="60000000", WATCHDOG_PID=str(os.getpid()))
    assert ServiceManager.from_environ(environ).watchdog_seconds == 20


@pytest.mark.parametrize(
    "watchdog",
    [{}, {"WATCHDOG_USEC": "0"}, {"WATCHDOG_USEC": "soon"}, {"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}],
    ids=["none is set", "it is off", "it is no number", "it watches another process"],
)
def test_no_watchdog_is_fed_where_none_watches_this_process(heard: socket.socket, watchdog: dict[str, str]) -> None:
    assert ServiceManager.from_environ(environ_of(heard, **watchdog)).watchdog_seconds is None


@pytest.mark.parametrize(
    "environ",
    [{}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"NOTIFY_SOCKET": "/nobody/listens"}, {"NOTIFY_SOCKET": "/" + "x" * 200}],
    ids=["no systemd", "not on this machine", "nobody there", "no address at all"],
)
def test_without_a_systemd_that_listens_telling_it_does_nothing(environ: dict[str, str]) -> None:
    systemd = ServiceManager.from_environ(environ)
    systemd.ready("up")
    systemd.reloading()
    systemd.stopping()
    assert environ == {}


def test_a_systemd_that_does_not_read_holds_nobody_up_for_more_than_a_moment(heard: socket.socket) -> None:
    systemd = ServiceManager.from_environ(environ_of(heard))
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as flood:
        flood.setblocking(False)
        flood.connect(heard.getsockname())
        with contextlib.suppress(BlockingIOError):
            while True:
                flood.send(b"WATCHDOG=1")
    began, spent = time.monotonic(), time.process_time()
    systemd.watchdog()
    assert 0.5 < time.monotonic() - began < 20
    assert time.process_time() - spent < 0.3, "it waits, and does not ask without a pause"
