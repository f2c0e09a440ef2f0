"""When a pass gives a tenant up: what is counted of its failures, and how many are too many."""

from typing import Final

from syncd.clock import Clock

TRIES: Final = 4
"""The first and three more."""

PATIENCE: Final = 10.0
"""Seconds that a call waits for the tenant in all; whoever is told to wait longer gives up instead."""

_CALLS: Final = 3
"""Calls in a row that fail in every try before the pass ends; one alone may be about its customer."""


class Endurance:
    """Counts what failed in one pass since the tenant last answered anything."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._calls = self._tries = 0
        self._answered_at = self._failing_since = clock.monotonic()

    def answered(self) -> None:
        """Note an answer, be it a refusal: the tenant is there."""
        self._calls = self._tries = 0
        self._answered_at = self._clock.monotonic()

    def try_failed(self) -> bool:
        """Note a try that failed; return whether it is one too many.

        Many calls that fail side by side, each waiting for its turn at a low rate, are given up before they run out of
        tries one by one. A short blip that meets many of them at once is none of that.
        """
        if self._tries == 0:
            self._failing_since = self._clock.monotonic()
        self._tries += 1
        return self._tries >= _CALLS * TRIES and self._clock.monotonic() - self._failing_since > PATIENCE

    def call_failed(self, began: float, *, pushed_back: bool) -> bool:
        """Note a call that ran out of tries, ``began`` on the monotonic clock; return whether it is one too many.

        Being pushed back is never about a customer, so that once is enough where nothing else was answered meanwhile.
        """
        self._calls += 1
        return self._calls >= _CALLS or (pushed_back and self._answered_at <= began)
