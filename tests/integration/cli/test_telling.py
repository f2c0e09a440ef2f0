"""``syncd once`` tells people and pings heartbeats as the daemon does; ``syncd check`` looks at the addresses."""

import signal
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from command_line import CommandLine, wait_until

from syncd.vendor import CampaignState
from tests.receiving import Receiver, receiving
from tests.stage import CAMPAIGN


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@dataclass
class Wired:
    """A desk whose configuration names a receiver, and an address for each heartbeat."""

    desk: CommandLine
    receiver: Receiver

    def __post_init__(self) -> None:
        self.desk.more = f"""
heartbeat = "{self.receiver.address("/renewals")}"
[notify]
urls = ["{self.receiver.notices()}"]
heartbeat = "{self.receiver.address("/all")}"
"""

    def stop_campaign(self) -> None:
        self.desk.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)


@pytest.fixture
def wired(desk: CommandLine, receiver: Receiver) -> Wired:
    return Wired(desk, receiver)


def test_a_good_pass_pings_both_heartbeats_and_tells_nobody(wired: Wired) -> None:
    finished = wired.desk.run("once")
    assert (finished.status, finished.err) == (0, "")
    assert wired.receiver.paths == ["/renewals", "/all"]


def test_a_blocked_pass_is_told_once_by_commands_that_follow_one_another(wired: Wired) -> None:
    wired.stop_campaign()
    assert [wired.desk.run("once").status for _ in range(2)] == [5, 5]
    assert wired.receiver.titles == ["syncd: campaign renewals is blocked"]
    assert wired.receiver.paths == ["/"], "no heartbeat"
    wired.desk.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_RUNNING)
    assert wired.desk.run("once").status == 0
    assert wired.receiver.titles[1:] == ["syncd: campaign renewals is good again"]


def test_nobody_there_to_be_told_is_a_line_of_the_log_and_no_other_exit_status(wired: Wired) -> None:
    wired.receiver.down()
    good = wired.desk.run("once")
    wired.stop_campaign()
    blocked = wired.desk.run("once")
    assert (good.status, blocked.status) == (0, 5)
    assert good.err.count("the heartbeat was not taken") == 2
    [line] = [line for line in blocked.err.splitlines() if "a notice was not taken" in line]
    assert f":{wired.receiver.port}" not in good.err + line


def test_a_receiver_that_hangs_does_not_keep_a_command_that_is_told_to_stop(wired: Wired) -> None:
    wired.stop_campaign()
    wired.receiver.hanging = threading.Event()
    wired.desk.more = wired.desk.more.replace(wired.receiver.notices(), wired.receiver.notices("?rto=60"))
    once = wired.desk.start("once")
    wait_until(lambda: wired.receiver.reached, once)
    once.send_signal(signal.SIGTERM)
    out, err = once.communicate(timeout=40)
    assert (once.returncode, out) == (5, ""), err
    assert "stopping" in err


def test_check_looks_at_the_addresses_and_sends_nothing(wired: Wired) -> None:
    finished = wired.desk.run("check", "--offline")
    assert finished.status == 0
    assert "ok: notify: 1 address that Apprise can read\n" in finished.out
    assert wired.receiver.paths == []


def test_check_names_an_address_that_apprise_cannot_read_by_its_place(desk: CommandLine) -> None:
    desk.more = '[notify]\nurls = ["json://127.0.0.1", "nonsense://hook-secret"]'
    finished = desk.run("check", "--offline")
    assert finished.status == 1
    assert "wrong: notify: number 2 of urls is no address that Apprise can read" in finished.out
    assert "hook-secret" not in finished.out + finished.err


def test_check_says_how_to_get_apprise(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "apprise", None)
    assert "notify" not in desk.run("check", "--offline").out
    desk.more = '[notify]\nurls = ["json://127.0.0.1"]'
    finished = desk.run("check", "--offline")
    assert finished.status == 1
    assert "Apprise, which is not installed; pip install 'syncd[notify]'" in finished.out
