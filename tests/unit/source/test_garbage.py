"""How often Python looks for garbage while blocks of rows come and go."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from syncd import garbage
from syncd.cli import main


@pytest.fixture(autouse=True)
def measure() -> Iterator[None]:
    """Give the tests that follow the measure that they had."""
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    yield
    gc.set_threshold(*before)


def looks() -> int:
    """Return how often Python has looked so far."""
    return sum(generation["collections"] for generation in gc.get_stats())


def read_blocks() -> int:
    """Make a million rows as a source does, two blocks in memory at a time; return how often Python looked."""
    before, ahead = looks(), []
    for low in range(0, 1_000_000, 5000):
        block = [(number, None, "v1") for number in range(low, low + 5000)]
        ahead = [*ahead[-1:], block]
    return looks() - before


def test_rows_that_come_and_go_are_no_reason_to_look() -> None:
    assert read_blocks() > 200
    garbage.look_rarely()
    assert read_blocks() < 5


def test_what_is_in_cycles_goes_all_the_same() -> None:
    class Link:
        """Something that holds itself."""

        def __init__(self) -> None:
            self.itself = self

    garbage.look_rarely()
    alive: weakref.WeakSet[Link] = weakref.WeakSet()
    most = 0
    for _ in range(3 * garbage.OBJECTS):
        alive.add(Link())
        most = max(most, len(alive))
    assert 0 < most < 2 * garbage.OBJECTS


def test_every_command_looks_rarely() -> None:
    assert main(["--version"]) == 0
    assert gc.get_threshold()[0] == garbage.OBJECTS
