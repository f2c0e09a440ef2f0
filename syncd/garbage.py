"""How often Python looks for garbage that is in cycles."""

import gc
from typing import Final

OBJECTS: Final = 50_000
"""More than the rows of the few blocks that are in memory at a time."""


def look_rarely() -> None:
    """Have this process look when it holds so many new objects, in place of the 700 that are Python's own measure.

    A pass makes rows by the million, and no row is ever part of a cycle. By Python's measure each thousand of them is a
    reason to look through everything that was imported too: more than half of the time that reading a source took.
    """
    gc.set_threshold(OBJECTS)
