"""The metrics in Prometheus' text format: what this process counts, and beside it what is read for each scrape.

How campaigns stand is the same on every host that shares the state; what is counted (``_total``, durations, delays) is
what this process did since it began. Labels are names of sections and words of syncd, never customers.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_PLAIN_0_0_4,
    CollectorRegistry,
    Counter,
    Histogram,
    Summary,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.process_collector import ProcessCollector

from syncd.dialer.client import Tenant
from syncd.errors import LockHeld
from syncd.report.gauges import Asking, Standings
from syncd.report.shown import Shown
from syncd.sync import PassReport
from syncd.sync.report import EXITS

PASS_SECONDS: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200)
DELAY_SECONDS: Final = (1, 5, 10, 30, 60, 120, 300, 900, 3600, 21600, 86400)

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
"""Of what is rendered."""

# When a series began tells nothing here, and would be a third of all lines.
disable_created_metrics()  # type: ignore[no-untyped-call]


class Metrics:
    """All metrics of the process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._standings, self._asking = Standings(), Asking()
        ProcessCollector(registry=self._registry)
        self._registry.register(self._standings)
        self._registry.register(self._asking)
        self._passes = Counter(
            "syncd_passes", "Passes, by how they ended.", ["campaign", "result"], registry=self._registry
        )
        self._changes = Counter(
            "syncd_changes",
            "Changes, by what became of them.",
            ["campaign", "change", "outcome"],
            registry=self._registry,
        )
        self._suppressions = Counter(
            "syncd_suppressions", "Suppressed customers taken out.", ["campaign"], registry=self._registry
        )
        self._duration = Histogram(
            "syncd_pass_duration_seconds",
            "How long passes took.",
            ["campaign"],
            buckets=PASS_SECONDS,
            registry=self._registry,
        )
        self._steps = Summary(
            "syncd_pass_step_duration_seconds",
            "How long the steps of passes took.",
            ["campaign", "step"],
            registry=self._registry,
        )
        self._delay = Histogram(
            "syncd_suppression_delay_seconds",
            "The slowest suppression of a pass, from the read that first showed it to the answer.",
            ["campaign"],
            buckets=DELAY_SECONDS,
            registry=self._registry,
        )

    def passed(self, campaign: str, report: PassReport) -> None:
        """Count a pass that has ended. One that found another at work is none."""
        if isinstance(report.error, LockHeld):
            return
        self._passes.labels(campaign, report.result.value).inc()
        for (kind, outcome), customers in report.outcomes.items():
            self._changes.labels(campaign, kind.value, outcome.value).inc(customers)
        self._suppressions.labels(campaign).inc(report.suppressed_out)
        if report.ended is not None:
            # A wall clock that is set back must not count as a duration.
            self._duration.labels(campaign).observe(max(0.0, (report.ended - report.began).total_seconds()))
        for step, seconds in report.steps.items():
            self._steps.labels(campaign, step).observe(seconds)
        if report.longest_suppression:
            self._delay.labels(campaign).observe(report.longest_suppression.total_seconds())

    def refresh(self, shown: Sequence[Shown], now: datetime) -> None:
        """Take over how the campaigns stand. Of one that is not among them any more nothing is told from now on."""
        counted = (self._passes, self._changes, self._suppressions, self._duration, self._steps, self._delay)
        for gone in {one.name for one in self._standings.shown} - {one.name for one in shown}:
            for family in counted:
                family.remove_by_labels({"campaign": gone})
        self._standings.shown, self._standings.at = shown, now
        for one in shown:
            # From zero on: of a series that begins with its first event no increase is ever seen.
            for result in EXITS:
                self._passes.labels(one.name, result.value)
            self._suppressions.labels(one.name)
            self._delay.labels(one.name)

    def state_lost(self) -> None:
        """Take note that the state is out of reach: how the campaigns stand is not known."""
        self._standings.at = None

    def tenants(self, tenants: Iterable[Tenant]) -> None:
        """Take over whose calls and rates are told from now on."""
        self._asking.tenants = tuple(tenants)

    def render(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
