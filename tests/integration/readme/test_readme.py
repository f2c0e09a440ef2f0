"""The README held to the code: its rehearsal is typed as it stands, its tables are compared with what they speak of."""

import asyncio
import configparser
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path

import click
import pytest
from sqlalchemy import make_url

from syncd.cli import COMMANDS, commands
from syncd.config import Config, GuardSettings, load_config
from syncd.plan import DECIDE
from syncd.report.words import PARKED
from syncd.source.dialects import dialect_of
from syncd.state.embedded import embedded_postgres
from syncd.words import Condition, Exit, Outcome, Rule
from tests.ports import free_port

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()


def section(title: str) -> str:
    """Return the text below a heading, the headings below it included."""
    marks, rest = re.split(rf"^(#+) {re.escape(title)}\n", README, maxsplit=1, flags=re.MULTILINE)[1:]
    return re.split(rf"^#{{1,{len(marks)}}} ", rest, maxsplit=1, flags=re.MULTILINE)[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def table(first: str) -> list[list[str]]:
    """Return the rows of the table whose head begins with this cell, without its head."""
    [body] = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[ |-]+\n((?:\|.*\n)+)", README, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in body.splitlines()]


def named(cell: str) -> list[str]:
    """Return the words that a cell names as code."""
    return re.findall(r"`([^`]+)`", cell)


def command(name: str) -> click.Command:
    found = commands.get_command(click.Context(commands), name)
    assert found is not None, f"there is no command {name}"
    return found


def options(name: str) -> set[str]:
    return {option for parameter in command(name).params for option in parameter.opts if option.startswith("--")}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder through which the user passes that the embedded PostgreSQL runs as."""
    made = Path(tempfile.mkdtemp(prefix="syncd-readme-"))
    made.chmod(0o711)
    yield made
    shutil.rmtree(made)


class Shell:
    """A terminal in a folder, in which what the README says is typed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    async def typed(self, lines: str) -> subprocess.CompletedProcess[str]:
        return await asyncio.to_thread(
            subprocess.run,
            ["bash", "-c", lines],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def good(self, lines: str) -> str:
        """Type what ends well and without a complaint; return what it shows."""
        done = await self.typed(lines)
        assert (done.returncode, done.stderr) == (Exit.GOOD, ""), (lines, done)
        return done.stdout

    @contextmanager
    def second(self, line: str) -> Iterator[None]:
        """Run a command in a second terminal until it is ended by Ctrl-C."""
        running = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        )
        assert running.stdout is not None
        with running.stdout as shown:
            try:
                assert "A simulated tenant answers on " in shown.readline()
                yield
            finally:
                running.send_signal(signal.SIGINT)
                assert running.wait(10) == 0


async def test_the_rehearsal_goes_as_it_is_written(folder: Path) -> None:
    text = section("Rehearse with a database of your own").replace("8818", str(free_port()))
    install, crm, simulate, look, run, change, again = blocks(text, "sh")
    assert "pip install" in install  # the test runs in such an environment already
    [config] = blocks(text, "toml")
    tokens, *looks = look.strip().splitlines()
    shell = Shell(folder)
    shell.environment |= dict(pair.split("=") for pair in shlex.split(tokens)[1:])

    await shell.good(crm)
    (folder / "config.toml").write_text(config)
    # Held open meanwhile, so that not every command starts and stops the server.
    with shell.second(simulate):
        async with embedded_postgres(folder / "state"):
            await first_fill(shell, looks, run)
            await shell.good(change)
            suppress, once, parked, status, changes = again.strip().splitlines()
            await shell.good(suppress)
            shown = await shell.good(once)
            assert shown == "renewals: 1,500 desired; 2 removed, 1 refused and parked\n"
            assert "99999" in await shell.good(parked)
            assert "renewals: ok since " in await shell.good(status)
            assert "renewals 99999: add refused (not-in-crm, HTTP 404)" in await shell.good(changes)


async def first_fill(shell: Shell, looks: list[str], run: str) -> None:
    check, plan = looks
    await shell.good(check)
    planned = await shell.typed(plan)
    assert planned.returncode == Exit.HELD, "`plan` says that the first fill would be held"
    assert "1,499" in planned.stdout

    once, held, approve, second, third = run.strip().splitlines()
    assert (await shell.typed(once)).returncode == Exit.HELD
    digest = re.search(r"syncd approve renewals (\w+)", await shell.good(held))
    assert digest
    await shell.good(approve.replace("DIGEST", digest[1]))
    assert await shell.good(second) == "renewals: 1,500 desired; 1,499 added\n"
    assert await shell.good(third) == "renewals: 1,500 desired; in step, nothing to do\n"


def test_every_command_is_told_with_its_options() -> None:
    told: dict[str, set[str]] = {}
    for row in table("command"):
        names = re.findall(r"`syncd ([a-z]+)", row[0])
        for name, rest in re.findall(r"`syncd ([a-z]+)([^`]*)`", row[0]):
            told[name] = set(re.findall(r"--[a-z-]+", rest))
        for name in names:
            told[name] |= {option for option in named(row[0]) if option.startswith("--")}
    assert set(told) == set(COMMANDS)
    for name in told.keys() - {"simulate"}:
        assert told[name] == options(name), name


def test_every_command_line_names_options_that_exist() -> None:
    lines = re.findall(r"`syncd ([a-z]+)([^`]*)`", README)
    assert len(lines) > len(COMMANDS)
    for name, rest in lines:
        assert set(re.findall(r"--[a-z-]+", rest)) - {"--help"} <= options(name), f"syncd {name}{rest}"


def typed_lines() -> list[str]:
    """Return every command line of syncd that stands in a block to be typed or copied."""
    lines = [line for block in blocks(README, "(?:sh|crontab)") for line in block.splitlines()]
    lines += [unit["Service"]["ExecStart"] for unit in units() if unit.has_section("Service")]
    found = [match[1] for line in lines if (match := re.search(r"\bsyncd ((?:--config|[a-z]+\b).*)", line))]
    assert found
    return found


def units() -> list[configparser.RawConfigParser]:
    found = []
    for block in blocks(README, "ini"):
        unit = configparser.RawConfigParser()
        unit.read_string(block)
        found.append(unit)
    return found


@pytest.mark.parametrize("line", typed_lines())
def test_every_command_line_to_be_copied_is_understood(line: str) -> None:
    words = shlex.split(line.split(">")[0])
    name, *rest = words[2:] if words[0] == "--config" else words
    with command(name).make_context(name, rest):
        pass


def test_every_exit_status_is_told() -> None:
    assert [int(row[0]) for row in table("exit status")] == sorted(Exit)


def test_each_command_ends_with_the_statuses_that_its_help_tells() -> None:
    told = {name: row[2] for row in table("command") for name in re.findall(r"`syncd ([a-z]+)", row[0])}
    for name, statuses in told.items():
        numbers = {int(number) for number in statuses.split(", ")}
        assert numbers <= set(Exit)
        _, found, rest = (command(name).help or "").partition("Exit status:")
        if found:
            assert numbers == {int(n) for n in re.findall(r"\b\d+\b", rest)} - {Exit.BAD_CONFIG}, name


def test_every_setting_is_named_and_every_one_named_exists() -> None:
    told = {key for row in table("section") for key in named(row[1])}
    # The example is held to the settings by a test of its own. What stands in it as a number is a disposition.
    example = (ROOT / "config.example.toml").read_text()
    keys = {key for key in re.findall(r"^(?:# )?(\w+) = ", example, re.MULTILINE) if not key.isdigit()}
    assert told == keys | {"dispositions"}


def test_the_limits_of_the_guard_stand_with_their_defaults() -> None:
    told = {row[0].strip("`"): float(row[1]) for row in table("limit")}
    assert told == {field.name: float(getattr(GuardSettings(), field.name)) for field in fields(GuardSettings)}


@pytest.mark.parametrize(
    ("head", "words"),
    [
        ("outcome", {outcome.value for outcome in Outcome}),
        ("condition", {condition.value for condition in Condition}),
        ("reason", {str(reason) for reason in PARKED} - {"given-up"}),
    ],
)
def test_a_table_of_words_has_each_of_them_once(head: str, words: set[str]) -> None:
    assert sorted(told_by(head)) == sorted(words)


def test_the_decision_table_has_every_rule_in_the_order_of_the_code() -> None:
    assert told_by("rule") == list(Rule)


def test_the_rules_that_wait_for_a_listing_are_marked() -> None:
    marked = [word for row in table("rule") if row[0].endswith("°") for word in named(row[0])]
    [waiting] = re.findall(r"WHEN rule IN \(([^)]*)\) AND NOT %\(observed\)s", DECIDE)
    assert sorted(marked) == sorted(re.findall(r"'([^']+)'", waiting))


def test_each_kind_of_source_stands_with_its_extra() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for _, url, extra, *_ in table("database"):
        dialect = dialect_of(make_url(url.strip("`")).get_backend_name())
        assert dialect.driver or "sqlite" in url
        if extra:
            assert extra.strip("`") == dialect.extra
            assert dialect.extra in extras


def told_by(head: str) -> list[str]:
    """Return the words that the first cells of a table name."""
    return [word for row in table(head) for word in named(row[0].split(":")[0])]


def test_every_block_of_configuration_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SIMULATED_ACTION_TOKEN", "SIMULATED_DATA_TOKEN"):
        monkeypatch.setenv(name, "a token")
    found = blocks(README, "toml")
    assert found
    for block in found:
        (tmp_path / "config.toml").write_text(block)
        assert isinstance(load_config(tmp_path / "config.toml"), Config)


def test_every_file_that_is_linked_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


def test_every_file_of_the_code_that_is_named_is_there() -> None:
    paths = [word for word in named(section("The code")) if "/" in word]
    assert paths
    for path in paths:
        assert (ROOT / path).exists(), path
