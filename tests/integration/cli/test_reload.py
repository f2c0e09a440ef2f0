"""``syncd reload`` and SIGHUP: the daemon takes over a good file and keeps to the old one where the new is bad."""

import signal

import pytest
from command_line import CommandLine
from daemon_process import DaemonProcess, daemon


@pytest.fixture(autouse=True)
def _found(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands look for the daemon where it says that it runs."""
    monkeypatch.setenv("STATE_DIRECTORY", str(desk.directory))


def test_without_a_daemon_reload_says_so_also_after_one_that_was_killed(desk: CommandLine) -> None:
    def asked() -> None:
        finished = desk.run("reload")
        assert finished.status == 1
        assert f"no daemon that this user can see runs with {desk.config}" in finished.err

    asked()
    with daemon(desk) as running:
        running.until(lambda: "started" in running.sentences)
        running.signal(signal.SIGKILL)
        running.ended(60)
    assert list(desk.directory.glob("daemon-*.json")), "what it said of itself is still there"
    asked()


def test_a_good_file_is_taken_over_and_of_a_bad_one_is_said_what_is_wrong(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.more = 'every = "1h"'
    desk.crm.want(1, 2)
    with daemon(desk) as running:
        running.until(lambda: desk.listed == {1, 2})
        # Only the daemon may see its credentials.
        for name in desk.tokens:
            monkeypatch.delenv(name)
        takes_over_a_good_file(desk, running)
        keeps_to_the_old_one(desk, running)
        asks_for_a_restart_where_only_that_helps(desk, running)
        assert running.stop() == 0


def takes_over_a_good_file(desk: CommandLine, running: DaemonProcess) -> None:
    desk.query = "SELECT * FROM due WHERE customer_id < 2"
    finished = desk.run("reload", "--wait")
    assert (finished.status, finished.out, finished.err) == (0, "taken over\n", "")
    running.until(lambda: desk.listed == {1})
    desk.query = "SELECT * FROM due"
    assert desk.run("reload").status == 0
    running.until(lambda: desk.listed == {1, 2})
    assert running.sentences.count("the file was taken over") == 2


def keeps_to_the_old_one(desk: CommandLine, running: DaemonProcess) -> None:
    desk.more = 'every = "often"'
    finished = desk.run("reload", "--wait")
    assert finished.status == 78
    assert "campaigns.renewals.every" in finished.err
    assert not any("not taken over" in sentence for sentence in running.sentences), "it was not even asked"
    running.signal(signal.SIGHUP)
    running.until(lambda: any("the file was not taken over: " in sentence for sentence in running.sentences))
    [line] = [sentence for sentence in running.sentences if "not taken over" in sentence]
    assert f"{desk.config}:" in line
    assert "campaigns.renewals.every" in line
    desk.config.unlink()
    running.signal(signal.SIGHUP)
    running.until(lambda: sum("not taken over" in sentence for sentence in running.sentences) == 2)


def asks_for_a_restart_where_only_that_helps(desk: CommandLine, running: DaemonProcess) -> None:
    desk.more, desk.listen = 'every = "1h"', "127.0.0.1:0"
    finished = desk.run("reload", "--wait")
    assert finished.status == 78
    assert "not taken over" in finished.err
    assert "[service] listen" in finished.err
    assert "restart syncd" in finished.err
    desk.listen = ""
    assert desk.run("reload", "--wait").status == 0
