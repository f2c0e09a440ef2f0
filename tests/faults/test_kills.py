"""``kill -9`` of real processes: at each named point of a pass, in its calls, at any moment, and of the daemon."""

import signal
from collections import Counter
from random import Random
from typing import Final

import pytest

from syncd.simulator import Call
from tests.faults import laws
from tests.faults.company import Company, until
from tests.faults.kills import POINTS, AtPoint, InCall, schedule, stir

FEW: Final = ("observe", "apply", "tell")


@pytest.mark.parametrize("points", [FEW, pytest.param(POINTS, marks=pytest.mark.prove)], ids=["few", "all"])
def test_at_whatever_point_a_process_is_killed_two_passes_mend_all(company: Company, points: tuple[str, ...]) -> None:
    random = Random(1)
    company.want(*range(1, 30))
    for point in points:
        stir(company, random)
        assert AtPoint(point).befall(company), f"not killed at {point}"
        company.wait_for_the_lock()
        laws.hold(company)
    # One that is killed when it has told of itself has nothing left to do.
    assert company.ask("SELECT count(*) FROM pass WHERE result = 'died'") == [(len(points) - 1,)]


@pytest.mark.parametrize(
    ("call", "deed"),
    [
        (Call.ADD, True),
        (Call.DELETE, False),
        pytest.param(Call.ADD, False, marks=pytest.mark.prove),
        pytest.param(Call.DELETE, True, marks=pytest.mark.prove),
    ],
)
def test_a_process_that_is_killed_in_a_call_leaves_nothing_doubled_or_lost(
    company: Company, call: Call, deed: bool
) -> None:
    company.want(*range(1, 30))
    company.passes(2)
    stir(company, Random(str(call)))
    assert InCall(call, 1, deed).befall(company)
    assert company.ask("SELECT id FROM claim"), "no call was on its way"
    company.wait_for_the_lock()
    laws.hold(company)


def test_random_deaths_break_no_law(company: Company) -> None:
    random, tally = Random(6), Counter[str]()
    company.want(*range(1, 40))
    company.passes(2)
    for _ in range(2):
        schedule(company, random, tally)
    assert sum(tally.values()) > tally["came to its end before"], tally


def test_a_daemon_that_is_killed_again_and_again_breaks_no_law(company: Company) -> None:
    random = Random(7)
    company.want(*range(1, 30))
    for requests in (3, 14):
        before = company.tenant.log.total
        daemon = company.start("run")
        until(lambda limit=before + requests: company.tenant.log.total >= limit, daemon)
        stir(company, random)
        daemon.kill()
        daemon.communicate(timeout=90)
        assert daemon.returncode == -signal.SIGKILL
        company.wait_for_the_lock()
    laws.hold(company)
