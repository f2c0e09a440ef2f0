"""The README held to the code: its rehearsal is typed as it stands, its tables are compared with what they speak of."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest

from syncd.cli import COMMANDS
from syncd.config import GuardSettings
from syncd.words import Exit

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """Return the text below a heading."""
    return README.split(f"## {title}\n", 1)[1].split("\n## ", 1)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def cells(text: str) -> list[list[str]]:
    """Return the rows of a table, without its head."""
    rows = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in text.splitlines() if line[:1] == "|"]
    return [row for row in rows if not set("".join(row)) <= set("-|")]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder through which the user passes that the embedded PostgreSQL runs as."""
    made = Path(tempfile.mkdtemp(prefix="syncd-readme-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


def test_the_rehearsal_goes_as_it_is_written(folder: Path) -> None:
    text = section("Rehearse with a database of your own").replace("8818", str(free_port()))
    install, crm, simulate, look, run = blocks(text, "sh")
    assert "pip install" in install
    [config] = blocks(text, "toml")
    environment = os.environ | {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "SIMULATED_ACTION_TOKEN": "simulated-action",
        "SIMULATED_DATA_TOKEN": "simulated-data",
    }

    def typed(command: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["bash", "-c", command],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    assert typed(crm).returncode == 0
    (folder / "config.toml").write_text(config)
    tenant = subprocess.Popen(
        ["bash", "-c", f"exec {simulate}"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )
    try:
        assert tenant.stdout is not None
        assert "A simulated tenant answers on " in tenant.stdout.readline()
        for line in look.strip().splitlines():
            last = typed(line)
            assert not last.stderr, (line, last.stderr)
        assert last.returncode == Exit.HELD, "`plan` says that the first fill would be held"
        assert "1,499" in last.stdout

        once, held, approve, second, third = run.strip().splitlines()
        assert typed(once).returncode == Exit.HELD
        shown = typed(held)
        digest = re.search(r"syncd approve renewals (\w+)", shown.stdout)
        assert digest, shown
        assert typed(approve.replace("DIGEST", digest[1])).returncode == Exit.GOOD
        assert typed(second).stdout == "renewals: 1,500 desired; 1,499 added\n"
        assert typed(third).stdout == "renewals: 1,500 desired; in step, nothing to do\n"
    finally:
        tenant.send_signal(signal.SIGINT)
        assert tenant.wait(10) == 0
        assert tenant.stdout is not None
        tenant.stdout.close()
        wait_for_the_server_to_stop(folder)


def wait_for_the_server_to_stop(folder: Path) -> None:
    """Wait until the last command's PostgreSQL is gone, so that its folder can be removed."""
    limit = time.monotonic() + 20
    while list(folder.glob("state/postgres/*/postmaster.pid")):
        assert time.monotonic() < limit, "PostgreSQL outlived the last command"
        time.sleep(0.05)


def test_every_command_is_told_and_every_one_told_exists() -> None:
    told = set(re.findall(r"`syncd ([a-z]+)", section("Commands")))
    assert told == set(COMMANDS)


def test_every_command_line_names_options_that_exist() -> None:
    for command, options in re.findall(r"`syncd ([a-z]+)([^`]*)`", README):
        for option in re.findall(r"--[a-z]+", options):
            shown = subprocess.run(
                [sys.executable, "-m", "syncd", command, "--help"], capture_output=True, text=True, check=True
            )
            assert option in shown.stdout, f"syncd {command} {option}"


def test_every_exit_status_is_told() -> None:
    told = [int(row[0]) for row in cells(section("Commands")) if row[0].isdigit()]
    assert told == sorted(Exit)


def test_every_setting_is_named_and_every_one_named_exists() -> None:
    named = set(re.findall(r"`(\w+)`", " ".join(row[1] for row in cells(section("Settings")) if row[0] != "section")))
    # The example is held to the settings by a test of its own. What stands in it as a number is a disposition.
    example = (ROOT / "config.example.toml").read_text()
    keys = {key for key in re.findall(r"^(?:# )?(\w+) = ", example, re.MULTILINE) if not key.isdigit()}
    assert named == keys | {"dispositions"}


def test_the_limits_of_the_guard_stand_with_their_defaults() -> None:
    told = {row[0].strip("`"): float(row[1]) for row in cells(section("What a pass does")) if row[0] != "limit"}
    assert told == {field.name: float(getattr(GuardSettings(), field.name)) for field in fields(GuardSettings)}


def test_every_block_of_configuration_is_toml() -> None:
    found = blocks(README, "toml")
    assert found
    for block in found:
        tomllib.loads(block)
