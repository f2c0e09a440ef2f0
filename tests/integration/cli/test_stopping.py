"""Signals during ``syncd once``: the first lets what is in flight be recorded, the second ends at once."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from command_line import CommandLine, query_state, wait_until

from syncd.simulator import Call, FaultKind


@pytest.fixture
def slow(desk: CommandLine) -> CommandLine:
    """A desk whose tenant takes its time over each of many adds."""
    desk.crm.want(*range(1, 41))
    desk.more = "batch_size = 1"
    desk.strike(FaultKind.LATENCY, Call.ADD, seconds=0.6)
    return desk


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_ends_the_pass_with_what_is_in_flight_recorded(
    slow: CommandLine, database: str, number: signal.Signals
) -> None:
    process = slow.start("once")
    wait_until(lambda: slow.writes, process)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 4
    assert "stopped before its end" in out
    assert err == "syncd: stopping: what is in flight is awaited and recorded; once more ends it at once\n"
    assert 0 < len(slow.listed) < 40
    added = query_state(database, "SELECT customer FROM ledger WHERE presence = 'in'")
    assert {customer for (customer,) in added} == slow.listed
    assert query_state(database, "SELECT * FROM claim") == []
    assert query_state(database, "SELECT result FROM pass") == [("stopped",)]


def test_a_second_signal_ends_at_once_and_the_next_pass_finishes_the_work(slow: CommandLine) -> None:
    slow.tenant.faults.clear()
    slow.strike(FaultKind.LATENCY, Call.ADD, seconds=2)
    process = slow.start("once")
    wait_until(lambda: slow.writes, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "stopping" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")

    slow.tenant.faults.clear()
    wait_until_free(slow)
    assert slow.listed == set(range(1, 41))


def wait_until_free(desk: CommandLine) -> None:
    """Run passes until all is settled: what the tenant was told last is believed when two listings show it."""
    for _ in range(4):
        finished = desk.run("once")
        if finished.status == 0:
            return
    pytest.fail(finished.out + finished.err)


def test_a_pass_that_does_not_end_in_time_is_cancelled_and_the_next_one_finishes_the_work(
    desk: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncd.cli.passes.STOP_SECONDS", 0.2)
    desk.crm.want(1)
    desk.strike(FaultKind.HANG, Call.LIST)

    def interrupt() -> None:
        limit = time.monotonic() + 60
        while not desk.tenant.log.of(Call.LIST) and time.monotonic() < limit:
            time.sleep(0.02)
        os.kill(os.getpid(), signal.SIGINT)

    with ThreadPoolExecutor() as pool:
        pool.submit(interrupt)
        finished = desk.run("once")
    assert (finished.status, finished.out) == (4, "renewals: nothing was read; stopped before its end\n")
    desk.tenant.faults.clear()
    assert desk.run("once").out == "renewals: 1 desired; 1 added\n"


def test_a_reader_that_has_seen_enough_is_no_error(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 901))
    assert desk.run("migrate").status == 0
    reading, writing = os.pipe()
    os.close(reading)
    with desk.start("plan", "--csv", stdout=writing) as process:
        os.close(writing)
        _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (1, "")
