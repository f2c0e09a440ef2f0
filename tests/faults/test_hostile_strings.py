"""Hostile strings in every field from a source or a tenant: harmless in SQL, on screen, in logs and on the page."""

import json
import os
import pty
import re
import sys
import time
import urllib.request
from contextlib import suppress
from typing import Final

import pytest

from syncd.simulator import texts
from tests.faults.company import Company, until

HOSTILE: Final = (
    "\x1b[2J\x1b]0;gotcha\x07",  # clears a terminal and names its window
    "\x9b31m\x85next",  # the same in one character, and a line's end that few know of
    "'; DROP TABLE ledger; --",
    "<script>alert(1)</script>&amp;\"'",
    "\u202egnp.exe\u2066\u200b",  # written from right to left, and something that takes no room
    "nul\x00nul",
    "%s %(customer)s {0} {customer!r} $1 \\1 \\. \\N",
    "[bold red]x[/bold red] [/] :skull:",
    "one\r\nsyncd: forged\ttwo",
    "\ufeff\U0001f480 \u0441ustomer e\u0301",
    "=cmd|' /C calc'!A0",
)

WHAT_A_TERMINAL_OBEYS: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"
)
"""Control characters, and those that turn the direction of what follows or take no room."""


@pytest.fixture
def hostile(company: Company, monkeypatch: pytest.MonkeyPatch) -> Company:
    """A company where every text is hostile."""
    said = iter(HOSTILE * 100)
    monkeypatch.setattr(texts, "added", lambda verdict, dialect: (400, next(said)))
    monkeypatch.setattr(texts, "deleted", lambda verdict, manner: (400, next(said)))
    company.tenant.campaigns[125].properties.name = "".join(HOSTILE)
    company.crm.run('ALTER TABLE due ADD COLUMN "\x1b[31m<b>"')
    everywhere = [(text, text, text, text, text) for text in HOSTILE]
    with_id = [(number, None, text, text, text) for number, text in enumerate(HOSTILE, start=1)]
    with_time = [(number, text, text, text, text) for number, text in enumerate(HOSTILE, start=101)]
    company.crm.run("INSERT INTO due VALUES (?, ?, ?, ?, ?)", everywhere + with_id + with_time)
    company.crm.run("INSERT INTO do_not_call VALUES (?, ?)", [(text, text) for text in HOSTILE])
    company.upload(1, 201)
    company.suppress(201)
    return company


OFTEN: Final = ("status", "changes", "explain 1")
SELDOM: Final = (
    "history",
    "parked",
    "plan",
    "changes --csv",
    "held",
    "held --csv",
    "explain 103",
    "explain 201",
    "plan --csv",
    "check",
)


@pytest.mark.parametrize("commands", [OFTEN, pytest.param(SELDOM, marks=pytest.mark.prove)], ids=["often", "seldom"])
def test_nothing_that_a_terminal_obeys_comes_out_of_a_command(hostile: Company, commands: tuple[str, ...]) -> None:
    for command in ("once", *commands):
        process = hostile.start(*command.split())
        said, _ = process.communicate(timeout=90)
        assert process.returncode in (0, 1, 2, 3, 4), said
        assert "Traceback" not in said, said
        assert not WHAT_A_TERMINAL_OBEYS.search(said), f"{command}: {said!r}"
    parked = hostile.ask("SELECT customer FROM parked ORDER BY customer")
    assert {customer for (customer,) in parked} >= set(range(2, 12))
    assert hostile.ask("SELECT customer FROM parked WHERE message LIKE '%DROP TABLE%'")


def test_a_terminal_is_told_to_do_no_more_than_to_colour_a_table(hostile: Company) -> None:
    hostile.passes(1)
    for command in (["parked"], ["explain", "2"]):
        shown = on_a_terminal(hostile, *command)
        assert "\x1b[" in shown or command != ["parked"], "this is no terminal"
        without_colours = re.sub(r"\x1b\[[0-9;]*m|\x1b\[\?25[hl]|\r\n", "", shown)
        assert not WHAT_A_TERMINAL_OBEYS.search(without_colours), f"{command}: {without_colours!r}"
        assert "[bold red]x[/bold red]" in shown or command != ["parked"]


def on_a_terminal(company: Company, *command: str) -> str:
    """Return what a command shows on a terminal."""
    company.write_config()
    pid, terminal = pty.fork()
    if pid == 0:
        environ = dict(company.environ) | {"COLUMNS": "200", "TERM": "xterm-256color"}
        os.execve(sys.executable, [sys.executable, *company.arguments(*command)], environ)  # noqa: S606
    shown = b""
    with suppress(OSError):
        while piece := os.read(terminal, 65536):
            shown += piece
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode()


def test_page_and_metrics_and_logs_show_hostile_strings_as_text(hostile: Company) -> None:
    hostile.listen = "127.0.0.1:0"
    daemon = hostile.start("run")
    assert daemon.stdout is not None
    started = daemon.stdout.readline()
    try:
        until(lambda: hostile.ask("SELECT to_regclass('syncd.parked')") != [(None,)], daemon)
        until(lambda: hostile.ask("SELECT count(*) FROM parked") != [(0,)], daemon)
        page, metrics = (fetch(f"{json.loads(started)['page']}{path}") for path in ("/", "/metrics"))
    finally:
        daemon.terminate()
        log, _ = daemon.communicate(timeout=90)
    for shown in (page, metrics, started, log):
        assert not WHAT_A_TERMINAL_OBEYS.search(shown)
    assert "<script>alert" not in page
    assert [json.loads(line) for line in log.splitlines()]


def fetch(address: str) -> str:
    """Return what the daemon answers."""
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - our own daemon's
        return answer.read().decode()


def test_texts_without_measure_cost_neither_time_nor_the_pass(company: Company) -> None:
    company.source_timeout = "30s"
    long = [digit * 10_000_000 for digit in ("9", "\x1b", "+", "'")]
    company.crm.run("INSERT INTO due VALUES (?, NULL, NULL, NULL)", [(text,) for text in long])
    company.crm.run("INSERT INTO due VALUES (?, NULL, ?, ?)", [(n, text, text) for n, text in enumerate(long, start=1)])
    began = time.process_time()
    (report,) = company.passes(1)
    assert time.process_time() - began < 30
    assert len(report.sentence()) < 2000
    assert company.ringing == {1, 2, 3, 4}
    assert company.ask("SELECT max(length(version)) < 100 FROM ledger") == [(True,)]


def test_a_text_that_is_none_fails_its_source_in_printable_words(company: Company) -> None:
    company.want(1)
    company.crm.run("INSERT INTO due VALUES (2, NULL, CAST(X'1B5B324A9BFF' AS TEXT), NULL)")
    (report,) = company.passes(1)
    assert report.sentence().startswith("source crm: ")
    assert report.sentence().isprintable()
    assert company.ringing == set()
