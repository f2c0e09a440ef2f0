"""Two hosts on one state: one vanishes in the middle of a pass, and whoever is left takes over. A pause stops both."""

import time
from collections.abc import Iterator
from random import Random

import psycopg
import pytest

from syncd.simulator import Call, Fault, FaultKind
from tests.faults import laws
from tests.faults.company import Company, until
from tests.faults.kills import stir
from tests.faults.proxy import Proxy, between
from tests.integration.source.source_databases import PASSWORD, Server, postgresql_server


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """A PostgreSQL that speaks TCP, as one for several hosts does."""
    with postgresql_server() as started:
        yield started


def directly(port: int) -> str:
    """Return the [state] lines for a host that reaches the state at a port."""
    return f'url = "postgresql://reader@127.0.0.1:{port}/postgres"\npassword = "env:STATE_PASSWORD"'


@pytest.fixture
def shared(company: Company, server: Server) -> Company:
    """A company whose state is on a server of its own."""
    company.environ = dict(company.environ) | {"STATE_PASSWORD": PASSWORD}
    company.state = directly(server.port)
    company.state_url = psycopg.conninfo.make_conninfo(
        host="127.0.0.1", port=server.port, user="reader", password=PASSWORD, dbname="postgres"
    )
    company.ask("DROP SCHEMA IF EXISTS syncd CASCADE")
    company.want(*range(1, 30))
    company.passes(2)
    stir(company, Random(17))
    return company


@pytest.mark.parametrize(
    ("ruin", "seconds"), [(Proxy.cut, 40), pytest.param(Proxy.vanish, 60, marks=pytest.mark.prove)]
)
def test_a_host_that_loses_the_state_is_taken_over_and_does_no_more(
    shared: Company, server: Server, ruin: object, seconds: float
) -> None:
    with between(("127.0.0.1", server.port)) as proxy:
        shared.state = directly(proxy.port)
        armed = shared.tenant.faults.add(Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=1))
        lost = shared.start("once")
        until(lambda: armed.struck, lost)
        ruin(proxy)
        began = time.monotonic()
        time.sleep(1.5)  # its calls that were on their way arrive
        sent = shared.tenant.log.total

        shared.state = directly(server.port)
        other = shared.start("once", "--wait")
        until(lambda: shared.tenant.log.total > sent, other, limit=seconds + 20)
        assert time.monotonic() - began < seconds
        said, _ = other.communicate(timeout=90)
        assert other.returncode in (0, 4), said
        said, _ = lost.communicate(timeout=90)
        assert lost.returncode == 1, said
        assert said.splitlines()[-1].startswith("syncd: campaign renewals: state database: "), said
    laws.hold(shared)


def run(company: Company, *command: str) -> None:
    """Run a command that has to succeed."""
    process = company.start(*command)
    said, _ = process.communicate(timeout=90)
    assert process.returncode == 0, said


@pytest.mark.prove
def test_a_pause_stops_the_writes_of_a_process_within_the_time_of_a_call(company: Company) -> None:
    company.want(*range(1, 201))
    latency = Fault(kind=FaultKind.LATENCY, calls=frozenset({Call.ADD}), seconds=0.3, count=None)
    armed = company.tenant.faults.add(latency)
    working = company.start("once")
    until(lambda: armed.struck, working)
    run(company, "pause", "renewals", "--reason", "a fire drill")
    begun = len(company.tenant.writes)
    said, _ = working.communicate(timeout=90)
    assert (working.returncode, "paused" in said) == (0, True), said
    # One call a worker may have been claimed before.
    assert len(company.tenant.writes) - begun <= 3
    assert 0 < len(company.ringing) < 200
    company.tenant.faults.clear()
    run(company, "resume", "renewals")
    laws.hold(company)
