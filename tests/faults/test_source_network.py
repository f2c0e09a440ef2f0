"""The network to a source is cut at any byte, half closed or stalled: what was not read whole is never acted on."""

from collections.abc import Callable, Iterable, Iterator
from random import Random

import psycopg
import pytest

from syncd.simulator import Call
from tests.faults import laws
from tests.faults.company import Company
from tests.faults.kills import stir
from tests.faults.proxy import Proxy, between
from tests.stage import Crm

LONG: str = "x" * 2000
"""A version that makes an answer long enough to be cut at many places."""


class PostgresCrm(Crm):
    """A CRM in PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.run("CREATE TABLE due (customer_id bigint, schedule_at timestamptz, version text, phone text)")
        self.run("CREATE TABLE do_not_call (customer_id bigint, phone text)")

    def run(self, statement: str, values: Iterable[tuple[object, ...]] = ()) -> None:
        with psycopg.connect(self.url) as connection:
            for row in list(values) or [()]:
                connection.execute(statement.replace("?", "%s").encode(), row)


@pytest.fixture
def to_source(company: Company) -> Iterator[Proxy]:
    """The company's network to its CRM, which is another schema of the PostgreSQL that has the state."""
    name = company.state_url.partition("syncd@/")[2].partition("?")[0]
    with between(f"{company.state_url.partition('host=')[2]}/.s.PGSQL.5432") as proxy:
        company.crm = PostgresCrm(company.state_url)
        company.source = f'url = "postgresql://syncd@127.0.0.1:{proxy.port}/{name}"'
        yield proxy


@pytest.mark.parametrize(
    ("ruin", "places"),
    [
        (Proxy.cut, [0.6]),
        pytest.param(Proxy.cut, [0.2, 0.4, 0.9], marks=pytest.mark.prove),
        pytest.param(Proxy.half_close, [0.5], marks=pytest.mark.prove),
        pytest.param(Proxy.stall, [0.5], marks=pytest.mark.prove),
    ],
)
def test_what_was_not_read_whole_is_never_acted_on(
    company: Company, to_source: Proxy, ruin: Callable[[Proxy], None], places: list[float]
) -> None:
    random = Random(13)
    company.want(*range(1, 40))
    company.crm.run("UPDATE due SET version = ?", [(LONG,)])
    to_source.passed = 0
    company.passes(2)
    whole = to_source.passed // 2
    for place in places:
        stir(company, random)
        company.crm.run("UPDATE due SET version = ?", [(LONG,)])
        to_source.after(int(place * whole), ruin)
        before = company.tenant.log.total
        (report,) = company.passes(1)
        assert not to_source.waits, "nothing happened to the network"
        assert report.sentence().startswith("source crm: "), report.sentence()
        for entry in company.tenant.writes:
            if entry.number > before:
                assert entry.call is Call.DELETE
                assert set(laws.customers(entry)) <= company.suppressed.keys()
        to_source.mend()
        laws.hold(company)
