"""Rules of faults: which calls they strike and how often."""

from random import Random

from syncd.simulator import Call, Fault, FaultKind
from syncd.simulator.faults import Faults


def strikes(faults, times, call=Call.ADD, campaign=125, customers=frozenset()):
    return [faults.strike(call, campaign, customers).fault is not None for _ in range(times)]


def test_a_fault_strikes_after_those_it_skips_and_as_often_as_it_says():
    faults = Faults(Random(1))
    armed = faults.add(Fault(kind=FaultKind.RESET, skip=2, count=2))
    assert strikes(faults, 6) == [False, False, True, True, False, False]
    assert armed.struck == 2


def test_a_fault_strikes_only_the_calls_campaigns_and_customers_it_names():
    faults = Faults(Random(1))
    faults.add(
        Fault(kind=FaultKind.RESET, calls=frozenset({Call.DELETE}), campaign=7, customers=frozenset({3}), count=None)
    )
    assert strikes(faults, 1, Call.DELETE, 7, frozenset({3, 4})) == [True]
    assert strikes(faults, 1, Call.ADD, 7, frozenset({3})) == [False]
    assert strikes(faults, 1, Call.DELETE, 8, frozenset({3})) == [False]
    assert strikes(faults, 1, Call.DELETE, 7, frozenset({4})) == [False]


def test_latencies_add_up_and_one_fault_strikes_besides():
    faults = Faults(Random(1))
    faults.add(Fault(kind=FaultKind.RESET))
    faults.add(Fault(kind=FaultKind.LATENCY, seconds=1))
    faults.add(Fault(kind=FaultKind.HANG))
    faults.add(Fault(kind=FaultKind.LATENCY, seconds=2))
    strike = faults.strike(Call.LIST, 125, frozenset())
    assert (strike.seconds, strike.fault.kind) == (3, FaultKind.RESET)
    assert faults.strike(Call.LIST, 125, frozenset()).fault.kind is FaultKind.HANG


def test_chance_strikes_about_as_often_as_it_should_and_alike_for_a_seed():
    def struck():
        faults = Faults(Random(5))
        faults.add(Fault(kind=FaultKind.RESET, probability=0.25, count=None))
        return strikes(faults, 1000)

    assert struck() == struck()
    assert 200 < sum(struck()) < 300
