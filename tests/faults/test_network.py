"""The network between syncd and tenant, state or source is cut, half closed, stalled, slow, or cut in mid-answer."""

import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from random import Random

import pytest

from syncd.simulator import Call, Fault, FaultKind
from tests.faults import laws
from tests.faults.company import Company, until
from tests.faults.kills import stir
from tests.faults.proxy import Proxy, between

Ruin = Callable[[Proxy], None]


def socket_of(state_url: str) -> str:
    """Return the path of the socket that a URL names."""
    return f"{state_url.partition('host=')[2]}/.s.PGSQL.5432"


@pytest.fixture
def to_tenant(company: Company) -> Iterator[Proxy]:
    """The company's network to its tenant."""
    host, _, port = company.tenant_url.removeprefix("http://").partition(":")
    with between((host, int(port))) as proxy:
        company.tenant_url = f"http://127.0.0.1:{proxy.port}"
        yield proxy


@pytest.fixture
def to_state(company: Company) -> Iterator[Proxy]:
    """The company's network to its state."""
    name = company.state_url.partition("syncd@/")[2].partition("?")[0]
    with between(socket_of(company.state_url)) as proxy:
        company.state = f'url = "postgresql://syncd@127.0.0.1:{proxy.port}/{name}"'
        yield proxy


def set_up(company: Company) -> None:
    """Have customers in the campaign, and a day's changes to be made."""
    company.want(*range(1, 30))
    company.passes(2)
    stir(company, Random(11))


def start_up_to(company: Company, call: Call, *, skip: int = 0, seconds: float = 1) -> subprocess.Popen[str]:
    """Start a pass and return while the tenant takes its time over a call of this kind."""
    fault = Fault(kind=FaultKind.LATENCY, calls=frozenset({call}), skip=skip, seconds=seconds)
    armed = company.tenant.faults.add(fault)
    process = company.start("once")
    until(lambda: armed.struck, process)
    return process


def ends(process: subprocess.Popen[str], *, within: float = 90) -> tuple[int, str]:
    """Return the exit status of a pass and what it said, which is never a traceback."""
    said, _ = process.communicate(timeout=within)
    assert "Traceback" not in said, said
    return process.returncode, said


@pytest.mark.parametrize(
    ("ruin", "call"),
    [
        (Proxy.cut, Call.ADD),
        pytest.param(Proxy.half_close, Call.DELETE, marks=pytest.mark.prove),
        pytest.param(Proxy.cut, Call.LIST, marks=pytest.mark.prove),
        pytest.param(Proxy.cut, Call.DELETE, marks=pytest.mark.prove),
        pytest.param(Proxy.half_close, Call.LIST, marks=pytest.mark.prove),
        pytest.param(Proxy.half_close, Call.ADD, marks=pytest.mark.prove),
    ],
)
def test_a_tenant_that_is_lost_in_a_call_is_mended_by_the_next_passes(
    company: Company, to_tenant: Proxy, ruin: Ruin, call: Call
) -> None:
    set_up(company)
    process = start_up_to(company, call)
    assert to_tenant.lines > 0
    ruin(to_tenant)
    status, said = ends(process)
    assert status in ((1, 4) if ruin is Proxy.cut else (0, 4)), said
    to_tenant.mend()
    laws.hold(company)


@pytest.mark.prove
def test_a_tenant_whose_network_stalls_for_a_while_is_waited_for(company: Company, to_tenant: Proxy) -> None:
    set_up(company)
    process = start_up_to(company, Call.DELETE)
    to_tenant.stall()
    time.sleep(2.5)  # longer than the timeout of a call
    assert process.poll() is None
    to_tenant.mend()
    status, said = ends(process)
    assert status in (0, 4), said
    laws.hold(company)


@pytest.mark.parametrize("size", [2000, *(pytest.param(size, marks=pytest.mark.prove) for size in (300, 5000))])
def test_a_tenant_that_is_lost_in_the_middle_of_an_answer_is_mended_by_the_next_passes(
    company: Company, to_tenant: Proxy, size: int
) -> None:
    set_up(company)
    to_tenant.after(size, Proxy.cut)
    status, said = ends(company.start("once"))
    assert status in (1, 4), said
    assert not to_tenant.waits, "the answer was not cut"
    to_tenant.mend()
    laws.hold(company)


@pytest.mark.parametrize(
    ("ruin", "call"),
    [
        (Proxy.half_close, Call.ADD),
        pytest.param(Proxy.cut, Call.ADD, marks=pytest.mark.prove),
        pytest.param(Proxy.cut, Call.LIST, marks=pytest.mark.prove),
        pytest.param(Proxy.half_close, Call.LIST, marks=pytest.mark.prove),
    ],
)
def test_without_the_state_nothing_more_is_sent_and_the_next_passes_mend_all(
    company: Company, to_state: Proxy, ruin: Ruin, call: Call
) -> None:
    set_up(company)
    process = start_up_to(company, call)
    ruin(to_state)
    sent = company.tenant.log.total
    status, said = ends(process)
    assert (status, said.count("\n")) == (1, 1), said
    assert "state database:" in said
    # Calls that were claimed before may still have been on their way: one a worker.
    assert company.tenant.log.total - sent <= 3
    to_state.mend()
    company.wait_for_the_lock()
    laws.hold(company)


@pytest.mark.prove
def test_a_state_that_is_lost_at_any_byte_of_its_answers_leaves_nothing_doubled_or_lost(
    company: Company, to_state: Proxy
) -> None:
    set_up(company)
    to_state.passed = 0
    ends(company.start("once"))
    whole, random = to_state.passed, Random(12)
    for _ in range(5):
        stir(company, random)
        to_state.after(random.randrange(whole // 2), Proxy.cut)  # the passes to come have less to do
        status, said = ends(company.start("once"))
        assert status == 1, said
        to_state.mend()
        company.wait_for_the_lock()
        laws.hold(company)


def test_while_the_state_does_not_answer_nothing_is_sent_and_the_pass_goes_on_when_it_does(
    company: Company, to_state: Proxy
) -> None:
    set_up(company)
    process = start_up_to(company, Call.DELETE)
    to_state.stall()
    time.sleep(1.5)  # what was claimed is with the tenant for a second at most before it has to be recorded
    sent = company.tenant.log.total
    time.sleep(0.5)
    assert (company.tenant.log.total, process.poll()) == (sent, None)
    to_state.mend()
    assert ends(process)[0] == 0
    laws.hold(company)


def test_a_state_that_stays_silent_is_given_up(
    company: Company, to_state: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_up(company)
    to_state.passed = 0
    company.passes(0)
    opening = to_state.passed
    monkeypatch.setattr("syncd.state.database.ANSWER_SECONDS", 1)
    to_state.after(opening + 1000, Proxy.stall)
    (report,) = company.passes(1)
    assert "state database: no answer within 1 s" in report.sentence()
    monkeypatch.undo()
    to_state.mend()
    company.wait_for_the_lock()
    laws.hold(company)


@pytest.mark.prove
@pytest.mark.parametrize("command", ["once", "run"])
def test_a_process_that_is_told_to_stop_ends_in_time_while_the_state_does_not_answer(
    company: Company, to_state: Proxy, command: str
) -> None:
    set_up(company)
    fault = Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.LIST}), seconds=0.3)
    armed = company.tenant.faults.add(fault)
    process = company.start(command)
    until(lambda: armed.struck, process)
    to_state.stall()
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    ends(process, within=40)
    assert time.monotonic() - began < 20
    to_state.mend()
    company.wait_for_the_lock()
    laws.hold(company)


@pytest.mark.prove
def test_a_slow_network_is_slow_and_nothing_else(company: Company, to_tenant: Proxy, to_state: Proxy) -> None:
    set_up(company)
    to_tenant.delay, to_state.delay = 0.05, 0.01
    assert ends(company.start("once"))[0] == 0
    to_tenant.mend()
    to_state.mend()
    laws.hold(company)
