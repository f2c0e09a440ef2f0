"""On a terminal: tables and, for what takes long, how far it is."""

import os
import re
import subprocess
import sys

from command_line import CommandLine

from syncd.simulator import Call, FaultKind


def on_a_terminal(desk: CommandLine, *arguments: str) -> tuple[int, str]:
    """Run a command on a terminal of 80 columns; return its exit status and what it was sent, without colours."""
    desk.write_config()
    ours, theirs = os.openpty()
    environment = os.environ | desk.tokens | {"TERM": "xterm", "COLUMNS": "80", "LC_ALL": "C.UTF-8", "NO_COLOR": "1"}
    with subprocess.Popen(
        [sys.executable, "-m", "syncd", "--config", str(desk.config), *arguments],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment,
    ) as process:
        os.close(theirs)
        sent = b""
        try:
            while part := os.read(ours, 65536):
                sent += part
        except OSError:  # how Linux says that nobody has the other side any more
            pass
        finally:
            os.close(ours)
    return process.returncode, re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", sent.decode()).replace("\r\n", "\n")


def test_a_long_pass_shows_how_far_it_is_and_ends_with_a_table(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 11))
    desk.tenant.add_records(125, range(1000, 1100))
    desk.strike(FaultKind.LATENCY, Call.LIST, seconds=0.6)
    status, sent = on_a_terminal(desk, "once")
    assert status == 0
    assert "renewals: listing the campaign" in sent
    columns, figures = sent.splitlines()[-3:-1]
    assert columns.split() == ["campaign", "result", "desired", "listed", "added", "removed", "rescheduled", "recalled"]
    assert figures.split() == ["renewals", "good", "10", "100", "10", "0", "0", "0"]
    assert sent.splitlines()[-1] == "renewals: 10 desired; 10 added"


def test_plan_and_check_have_tables_that_fit(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 11))
    desk.run("migrate")
    status, sent = on_a_terminal(desk, "plan")
    assert status == 2
    assert any(line.split()[:2] == ["add", "10"] for line in sent.splitlines())
    status, sent = on_a_terminal(desk, "check")
    assert status == 0
    assert any(line.startswith("✓  tenant acme") for line in sent.splitlines())
    assert all(len(line) <= 80 for line in sent.splitlines())
