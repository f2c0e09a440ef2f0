"""``syncd run``: its life as a process, from the first pass to the signal that ends it."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import psycopg
import pytest
from command_line import CommandLine, query_state, wait_until
from daemon_process import daemon

from syncd.simulator import Call, FaultKind
from tests.receiving import receiving


@pytest.fixture(autouse=True)
def _quick(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A campaign that is due each second, and state of the daemon's own in the test's directory."""
    desk.more = 'every = "1s"'
    monkeypatch.setenv("STATE_DIRECTORY", str(desk.directory))


def ledger(database: str) -> set[int]:
    return {customer for (customer,) in query_state(database, "SELECT customer FROM ledger WHERE presence = 'in'")}


def test_a_new_row_is_in_the_campaign_within_one_interval_and_sigterm_ends_the_daemon_with_0(desk: CommandLine) -> None:
    desk.crm.want(1)
    with daemon(desk) as running:
        running.until(lambda: desk.listed == {1})
        desk.crm.want(2)
        running.until(lambda: desk.listed == {1, 2})
        assert running.stop() == 0
    assert running.sentences[0] == "started"
    assert running.sentences[-1] == "stopped"
    line = next(line for line in running.lines if line.get("result") == "good")
    assert line["event"] == "1 desired; 1 added"
    assert line["campaign"] == "renewals"
    assert line["desired"] == 1


def test_a_signal_ends_the_daemon_with_what_is_in_flight_recorded(desk: CommandLine, database: str) -> None:
    desk.crm.want(*range(1, 41))
    desk.more += "\nbatch_size = 1"
    desk.strike(FaultKind.LATENCY, Call.ADD, seconds=0.6)
    with daemon(desk) as running:
        running.until(lambda: desk.writes)
        assert running.stop() == 0
    assert 0 < len(desk.listed) < 40
    assert ledger(database) == desk.listed
    assert query_state(database, "SELECT * FROM claim") == []
    assert running.passes("stopped") == 1


def test_a_tenant_that_hangs_does_not_keep_the_daemon(desk: CommandLine, database: str) -> None:
    desk.tenant_timeout = "1s"
    desk.crm.want(1)
    desk.strike(FaultKind.HANG, Call.ADD)
    with daemon(desk) as running:
        running.until(lambda: desk.writes)
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 50
    assert query_state(database, "SELECT customers FROM claim") == [([1],)]


def test_a_source_that_does_not_answer_does_not_keep_the_daemon(desk: CommandLine, database: str) -> None:
    desk.more += f"""
[sources.asleep]
url = "{database.replace("postgresql://", "postgresql+psycopg://")}"
[campaigns.surveys]
id = 126
tenant = "acme"
source = "asleep"
query = "SELECT 1 AS customer_id FROM pg_sleep(600)"
"""
    desk.tenant.add_campaign(126)
    asleep = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
    with daemon(desk) as running:
        running.until(lambda: query_state(database, asleep) == [(1,)])
        began = time.monotonic()
        assert running.stop() == 0
        assert time.monotonic() - began < 30, "the query takes 600"
    wait_until(lambda: query_state(database, asleep) == [(0,)])
    assert running.passes("stopped") >= 1


def test_a_second_signal_ends_it_at_once_and_the_next_daemon_finishes_the_work(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 41))
    desk.more = 'every = "1h"\nbatch_size = 1'
    desk.strike(FaultKind.LATENCY, Call.ADD, seconds=5)
    with daemon(desk) as running:
        running.until(lambda: desk.writes)
        running.signal(signal.SIGINT)
        running.until(lambda: any("once more ends it at once" in line for line in running.sentences))
        running.signal(signal.SIGINT)
        assert running.ended(30) == 130
    desk.tenant.faults.clear()
    with daemon(desk) as running:
        running.until(lambda: len(desk.listed) >= 32)
        assert running.stop() == 0


def test_a_daemon_that_was_killed_carries_on_when_it_is_started_and_doubles_nothing(
    desk: CommandLine, database: str
) -> None:
    desk.crm.want(*range(1, 41))
    desk.more = 'every = "1h"\nbatch_size = 1'
    desk.strike(FaultKind.LATENCY, Call.ADD, seconds=0.6)
    with daemon(desk) as running:
        running.until(lambda: len(desk.listed) >= 4)
        running.signal(signal.SIGKILL)
        running.ended(60)
    assert len(desk.listed) < 40, "in mid-pass"
    desk.tenant.faults.clear()
    desk.more = 'every = "1s"\nbatch_size = 4'
    with daemon(desk) as running:
        running.until(lambda: desk.listed == set(range(1, 41)) and running.passes() >= 2)
        assert running.stop() == 0
    assert list(desk.directory.rglob("daemon-*.json")) == [], "what the killed one left is cleared away"
    assert query_state(database, "SELECT count(*) FROM pass WHERE result = 'died'") == [(1,)]
    sent = [customer for entry in desk.tenant.log.of(Call.ADD) for customer in entry.done]
    assert sorted(sent) == list(range(1, 41)), "each was added once"
    assert ledger(database) == desk.listed


def test_one_daemon_takes_over_the_pass_of_another_that_was_killed(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.more = 'every = "1h"'
    desk.strike(FaultKind.LATENCY, Call.LIST, seconds=30)
    with daemon(desk, "first") as first:
        first.until(lambda: desk.tenant.log.of(Call.LIST))
        with daemon(desk, "second") as second:
            second.until(lambda: "started" in second.sentences)
            desk.tenant.faults.clear()
            first.signal(signal.SIGKILL)
            second.until(lambda: desk.listed == {1})
            second.until(lambda: second.passes() == 1)
            assert second.stop() == 0


def test_a_wrong_configuration_ends_it_with_78_and_one_line(desk: CommandLine) -> None:
    desk.more = 'every = "often"'
    finished = desk.run("run")
    assert finished.status == 78
    [line] = finished.err.splitlines()
    assert line.startswith(f"syncd: {desk.config}:")
    assert "campaigns.renewals.every" in line


def test_a_directory_that_cannot_be_had_ends_it_with_78_and_one_line(desk: CommandLine) -> None:
    desk.state += f'\ndirectory = "{desk.crm.path}/below"'
    finished = desk.run("run")
    assert finished.status == 78
    [line] = finished.err.splitlines()
    assert "[state] directory" in line
    assert "cannot be written to" in line


def test_an_address_that_is_taken_ends_it_with_one_line(desk: CommandLine) -> None:
    desk.listen = desk.url.removeprefix("http://")
    finished = desk.run("run")
    assert finished.status == 1
    [line] = finished.err.splitlines()
    assert f"{desk.listen} cannot be had" in line
    assert not list(desk.directory.glob("daemon-*.json"))


def test_what_it_answers_over_http_tells_the_truth_while_a_campaign_fails_and_when_it_is_good_again(
    desk: CommandLine,
) -> None:
    def answer(path: str) -> tuple[int, str]:
        try:
            with urlopen(f"{page}{path}", timeout=60) as answered:  # noqa: S310 - loopback
                return answered.status, answered.read().decode()
        except HTTPError as error:
            with error:
                return error.code, error.read().decode()

    desk.crm.want(1)
    desk.listen = "127.0.0.1:0"
    with daemon(desk) as running:
        running.until(lambda: running.passes() >= 1)
        page = running.lines[0]["page"]
        assert answer("/healthz") == (200, "ok\n")
        assert answer("/readyz") == (200, "ready\n")
        desk.strike(FaultKind.ANSWER, status=401)
        running.until(lambda: running.passes("failed") >= 1)
        status, why = answer("/readyz")
        assert (status, why.startswith("campaign renewals: failing since")) == (503, True)
        assert answer("/healthz") == (200, "ok\n")
        assert 'syncd_passes_total{campaign="renewals",result="failed"}' in answer("/metrics")[1]
        desk.tenant.faults.clear()
        running.until(lambda: answer("/readyz")[0] == 200)
        assert running.stop() == 0


def test_the_daemon_waits_for_a_state_that_is_out_of_reach_tells_of_it_once_and_can_be_stopped_meanwhile(
    desk: CommandLine, database: str
) -> None:
    lost = "nothing is sent while the state is out of reach"
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    desk.crm.want(1)
    with receiving() as receiver, psycopg.connect(database.replace(f"/{name}?", "/syncd?"), autocommit=True) as server:
        server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        with daemon(desk, "other") as other:
            other.until(lambda: lost in other.sentences)
            assert other.stop() == 0
        # Only the one that stays tells anybody, so that no word of the other comes late.
        desk.more += f'\n[notify]\nurls = ["{receiver.notices()}"]\nafter = "0s"'
        with daemon(desk) as running:
            running.until(lambda: lost in running.sentences)
            running.until(lambda: receiver.titles)
            receiver.bodies.clear()
            server.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
            running.until(lambda: desk.listed == {1})
            running.until(lambda: receiver.titles)
            assert running.stop() == 0
    assert running.sentences.count(lost) == 1
    assert running.sentences.count("the state is back") == 1
    assert len(receiver.titles) == 1, "that it is back"


@pytest.fixture
def own_state() -> Iterator[Path]:
    """A place for a server of the daemon's own: a short path that its user may pass."""
    directory = Path(tempfile.mkdtemp(prefix="syncd-tests-"))
    directory.chmod(0o711)
    yield directory
    shutil.rmtree(directory)


def test_commands_work_beside_a_daemon_with_a_state_of_its_own_which_survives_the_loss_of_its_server(
    desk: CommandLine, own_state: Path
) -> None:
    desk.state = f'directory = "{own_state}"'
    desk.crm.want(1)
    with daemon(desk) as running:
        running.until(lambda: running.passes() >= 1)
        assert "renewals" in desk.run_as_it_is("status").out
        assert desk.run_as_it_is("once", "--wait").status == 0
        [pid_file] = own_state.glob("postgres/*/postmaster.pid")
        os.kill(int(pid_file.read_text().split()[0]), signal.SIGKILL)
        desk.crm.want(2)
        running.until(lambda: desk.listed == {1, 2})
        assert running.stop() == 0
    assert not list(own_state.glob("postgres/*/postmaster.pid"))
