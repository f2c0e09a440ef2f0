"""``syncd demo``: runs by itself on any machine, proves what it says, and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import answering

from syncd.cli import main
from syncd.clock import SystemClock
from syncd.demo.crm import FIRST, Crm
from syncd.simulator.scenario import read_scenario


def environment(directory: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(directory), "TMPDIR": str(directory), "LC_ALL": "C.UTF-8"}


@pytest.fixture
def temporary(postgres_directory: Path) -> Path:
    """A place for temporary files that PostgreSQL's user can reach."""
    directory = postgres_directory / "demo"
    directory.mkdir(exist_ok=True)
    directory.chmod(0o711)
    return directory


def test_the_demo_tells_its_story_within_45_seconds_and_leaves_nothing(temporary: Path) -> None:
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo"],
        capture_output=True,
        text=True,
        cwd=temporary,
        env=environment(temporary),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 45
    told = re.findall(r"^ +syncd +912 desired; (.*)$", done.stdout, re.MULTILINE)
    assert told[:4] == ["900 added", "in step, nothing to do", "1 added, 1 removed", "1 removed"]
    assert told[4].startswith("1 rescheduled")
    assert len(told) == 7
    assert "everything held until" in done.stdout or "removals held until" in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if str(temporary) not in line) <= 80
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("before", ["", "trap '' INT; "], ids=["in the foreground", "in a shell's background"])
def test_a_demo_that_is_interrupted_cleans_up(temporary: Path, before: str) -> None:
    with subprocess.Popen(
        ["bash", "-c", f"{before}exec {sys.executable} -m syncd demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(temporary),
    ) as process:
        assert process.stdout is not None
        while "syncd   " not in process.stdout.readline():
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "")
    assert list(temporary.iterdir()) == []


def test_a_demo_that_is_kept_can_be_gone_on_with(temporary: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syncd", "demo", "--keep"], capture_output=True, text=True, env=environment(temporary)
    )
    assert done.returncode == 0, done.stderr
    [directory] = temporary.iterdir()
    try:
        port = int(re.findall(r"--port (\d+)", done.stdout)[0])
        scenario = read_scenario(directory / "tenant.toml")
        tenant = scenario.tenant(clock=SystemClock(), action_token="simulated-action", data_token="simulated-data")
        crm = Crm(directory / "crm.sqlite")
        with answering(tenant, port=port):
            assert main(["--config", str(directory / "config.toml"), "once"]) == 0
            crm.renew(FIRST + 40)
            assert main(["--config", str(directory / "config.toml"), "once"]) == 0
        assert capsys.readouterr().out.splitlines()[1] == "renewals: 911 desired; 1 removed"
    finally:
        shutil.rmtree(directory)
