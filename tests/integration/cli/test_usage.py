"""What is typed wrong, and configurations that cannot be used: a line each, and the exit status that says so."""

import subprocess
import sys

import pytest
from command_line import CommandLine

from syncd import __version__
from syncd.cli import COMMANDS, main


def test_a_campaign_that_is_not_there_is_64_and_names_the_one_that_was_meant(desk: CommandLine) -> None:
    for command in ("once", "plan"):
        finished = desk.run(command, "renewal")
        assert finished.status == 64
        assert finished.err == (
            f"syncd: there is no campaign 'renewal' in {desk.config}; did you mean renewals?; "
            f"see `syncd {command} --help`\n"
        )


@pytest.mark.parametrize("arguments", [("nonsense",), ("once", "--nonsense"), ("--nonsense",), ("suppress",)])
def test_bad_usage_is_64_and_one_line(desk: CommandLine, arguments: tuple[str, ...]) -> None:
    finished = desk.run(*arguments)
    assert (finished.status, finished.out, finished.err.count("\n")) == (64, "", 1)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_option_that_a_command_does_not_have_is_64_and_one_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--nonsense"]) == 64
    complaint = capsys.readouterr().err
    assert complaint.startswith("syncd: No such option")
    assert complaint.endswith(f"; see `syncd {command} --help`\n")
    assert complaint.count("\n") == 1


def test_every_problem_of_a_configuration_is_a_line_of_its_own(desk: CommandLine) -> None:
    desk.more = 'every = "soon"\nbatch_size = -1\nnonsense = true'
    finished = desk.run("once")
    assert finished.status == 78
    lines = finished.err.splitlines()
    assert len(lines) == 3
    assert all(line.startswith(f"syncd: {desk.config}:") for line in lines)


@pytest.mark.parametrize(
    "content", [b"", b"\xff\xfe garbage", b"[tenants", b"= = =", b"state = 3", b"\0" * 100, b"[campaigns.x]\nid = []"]
)
@pytest.mark.parametrize("command", ["once", "check", "migrate"])
def test_garbage_for_a_configuration_is_78_and_never_a_traceback(
    desk: CommandLine, content: bytes, command: str
) -> None:
    desk.config.write_bytes(content)
    finished = desk.run_as_it_is(command)
    assert (finished.status, finished.out) == (78, "")
    assert all(line.startswith("syncd: ") for line in finished.err.splitlines())


def test_a_configuration_that_is_not_there_is_78(desk: CommandLine) -> None:
    finished = desk.run_as_it_is("once")
    assert (finished.status, finished.err.count("\n")) == (78, 1)


def test_a_state_directory_that_cannot_be_is_one_line(desk: CommandLine) -> None:
    (desk.directory / "file").touch()
    desk.state = f'directory = "{desk.directory}/file/state"'
    finished = desk.run("once")
    assert finished.status == 1
    assert finished.err.startswith("syncd: state database: ")
    assert "set [state] directory" in finished.err
    assert finished.err.count("\n") == 1


def test_debug_shows_where_an_error_is_from(desk: CommandLine) -> None:
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    desk.write_config()
    desk.capture.readouterr()
    status = main(["--debug", "--config", str(desk.config), "once"])
    err = desk.capture.readouterr().err
    assert status == 1
    assert "Traceback (most recent call last)" in err
    assert err.splitlines()[-1].startswith("syncd: state database: ")


def test_a_bug_is_one_line_that_says_so(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("5551234567")

    monkeypatch.setattr("syncd.cli.once.chosen", fail)
    finished = desk.run("once")
    assert finished.status == 1
    assert finished.err == (
        "syncd: this is a bug: ZeroDivisionError; run it again with --debug and report what it shows\n"
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: syncd {command}")


def test_help_lists_all_commands_in_full_sentences(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    listed = capsys.readouterr().out.partition("Commands:")[2]
    assert [line.split()[0] for line in listed.strip().splitlines()] == list(COMMANDS)
    assert "..." not in listed


def test_no_command_at_all_is_64_and_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 64
    assert capsys.readouterr().err.startswith("Usage: syncd")


def test_the_module_runs_like_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "syncd", "--version"], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == (f"syncd {__version__}\n", "")
