"""The unit, as systemd itself judges it. What it does in a booted systemd is tried by `make trial`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UNIT = (ROOT / "systemd" / "syncd.service").read_text()

WORST_EXPOSURE = 1.2
"""systemd's own measure, 0 to 10: what the best guarded services of Debian have."""


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a Python that is there: systemd looks for it."""
    file = tmp_path / "syncd.service"
    file.write_text(UNIT.replace("/opt/syncd/bin/python", sys.executable))
    return file


def analyze(*arguments: str | Path) -> str:
    """Return what systemd says. Debian's package systemd brings the program."""
    command = ["systemd-analyze", "--no-pager", *arguments]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False).stdout


def test_systemd_has_not_a_word_to_say_against_the_unit(unit: Path) -> None:
    # Of what it only warns of, such as a key that it does not know, it tells nothing by its exit status.
    assert analyze("verify", "--man=no", unit) == ""


def test_what_systemd_does_not_like_would_be_seen(unit: Path) -> None:
    unit.write_text(unit.read_text() + "WantedBye=multi-user.target\n")
    assert "WantedBye" in analyze("verify", "--man=no", unit)


def test_the_service_is_exposed_no_more_than_the_best_guarded(unit: Path) -> None:
    judged = analyze("security", "--offline=true", unit)
    found = re.search(r"exposure level for syncd\.service: ([\d.]+)", judged)
    assert found, judged
    assert float(found[1]) <= WORST_EXPOSURE, judged


def test_the_credentials_that_the_unit_shows_are_those_of_the_example_configuration() -> None:
    example = (ROOT / "config.example.toml").read_text()
    shown = set(re.findall(r"LoadCredential=([a-z-]+):", UNIT))
    assert shown
    assert shown == set(re.findall(r'^\w+_token = "credential:([a-z-]+)"', example, re.MULTILINE))
