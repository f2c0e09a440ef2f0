"""The metrics that are read for each scrape: how the campaigns stand in the state, how the tenants are asked."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from syncd import __version__
from syncd.dialer.client import Tenant
from syncd.report.shown import Shown
from syncd.report.words import PARKED
from syncd.state.overview import Counts, Waiting
from syncd.words import Condition


@dataclass(frozen=True, slots=True)
class Gauge:
    """One number of each campaign."""

    name: str
    meaning: str
    value: Callable[[Shown, datetime], float | None]
    """Given how a campaign stands and the time: the number, None where there is none to tell."""


class Standings(Collector):
    """How the campaigns stood when they were last looked at."""

    def __init__(self) -> None:
        self.shown: Sequence[Shown] = ()
        self.at: datetime | None = None
        """When that was; None: the state is out of reach, and how they stand is not known."""

    def collect(self) -> Iterator[Metric]:
        yield InfoMetricFamily("syncd_build", "The version that runs.", {"version": __version__})
        yield GaugeMetricFamily("syncd_state_up", "Whether the state database answered.", float(self.at is not None))
        if self.at is None:
            return
        for gauge in GAUGES:
            family = GaugeMetricFamily(gauge.name, gauge.meaning, labels=["campaign"])
            for one in self.shown:
                if (value := gauge.value(one, self.at)) is not None:
                    family.add_metric([one.name], value)
            yield family
        yield from self._conditions()
        yield from self._parked()
        yield from self._held()

    def _conditions(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "syncd_campaign_condition",
            "1 for the condition that the campaign has, 0 for the others.",
            labels=["campaign", "condition"],
        )
        for one in self.shown:
            for condition in Condition:
                family.add_metric([one.name, condition.value], float(one.overview.condition is condition))
        yield family

    def _parked(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "syncd_parked_customers",
            "Customers whom the vendor refuses or cannot take yet, by reason.",
            labels=["campaign", "reason"],
        )
        for one in self.shown:
            for reason, customers in ({str(reason): 0 for reason in PARKED} | dict(one.overview.parked)).items():
                family.add_metric([one.name, reason], customers)
        yield family

    def _held(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "syncd_held_changes",
            "Changes that wait for a person; a reschedule or recall is a removal and an addition.",
            labels=["campaign", "change"],
        )
        for one in self.shown:
            held = one.overview.held
            family.add_metric([one.name, "removal"], held.removals if held else 0)
            family.add_metric([one.name, "addition"], held.additions if held else 0)
        yield family


class Asking(Collector):
    """How the tenants are asked."""

    def __init__(self) -> None:
        self.tenants: Sequence[Tenant] = ()

    def collect(self) -> Iterator[Metric]:
        calls = CounterMetricFamily(
            "syncd_calls",
            "Requests sent to the tenant, by call and HTTP status; none: no answer came.",
            labels=["tenant", "call", "answer"],
        )
        for tenant in self.tenants:
            for (call, status), count in tenant.calls.items():
                calls.add_metric([tenant.name, call.value, "none" if status is None else str(status)], count)
        yield calls
        for name, meaning, value in _PACE:
            family = GaugeMetricFamily(name, meaning, labels=["tenant"])
            for tenant in self.tenants:
                family.add_metric([tenant.name], value(tenant))
            yield family


_PACE: Final[Sequence[tuple[str, str, Callable[[Tenant], float]]]] = (
    (
        "syncd_allowed_requests_per_second",
        "Requests a second that the tenant is asked at most now: less than is set while it pushes back.",
        lambda tenant: tenant.pace.rate,
    ),
    ("syncd_requests_in_flight", "Requests that wait for the tenant's answer.", lambda tenant: tenant.pace.in_use),
    ("syncd_requests_waiting", "Requests that wait for their turn.", lambda tenant: tenant.pace.waiting),
)


def _counted(name: str, meaning: str, value: Callable[[Counts], int]) -> Gauge:
    """Return the gauge of what a pass counts when it plans."""
    return Gauge(name, meaning, lambda one, _: value(one.overview.counts) if one.overview.counts else None)


def _time(name: str, meaning: str, value: Callable[[Shown], datetime | None]) -> Gauge:
    """Return the gauge of a time, in seconds since 1970."""
    return Gauge(name, meaning, lambda one, _: time.timestamp() if (time := value(one)) else None)


def _waiting(noun: str, who: str, value: Callable[[Shown], Waiting | None]) -> tuple[Gauge, Gauge]:
    """Return the gauges of customers who wait, and of how long the first of them has."""
    return (
        Gauge(f"syncd_{noun}_customers", f"{who}.", lambda one, _: waits.customers if (waits := value(one)) else 0),
        Gauge(
            f"syncd_{noun}_oldest_age_seconds",
            f"{who}: for how long the first has waited; 0: nobody does.",
            lambda one, now: max(0.0, (now - waits.since).total_seconds()) if (waits := value(one)) else 0,
        ),
    )


GAUGES: Final = (
    Gauge("syncd_campaign_enabled", "Whether the campaign is enabled.", lambda one, _: one.settings.enabled),
    Gauge(
        "syncd_campaign_running", "Whether a pass is under way, on any host.", lambda one, _: bool(one.overview.running)
    ),
    Gauge("syncd_campaign_overdue", "Whether a pass should have run by now.", lambda one, now: one.overdue(now)),
    _time(
        "syncd_campaign_condition_since_timestamp_seconds",
        "Since when the campaign has its condition.",
        lambda one: one.overview.since,
    ),
    _counted("syncd_desired_customers", "Customers who need a call.", lambda counts: counts.desired),
    _counted("syncd_suppressed_customers", "Customers who must not be called.", lambda counts: counts.suppressed),
    _counted("syncd_listed_records", "Records in the campaign.", lambda counts: counts.listed),
    _counted("syncd_ours_records", "Records that syncd added or adopted.", lambda counts: counts.ours),
    _counted("syncd_foreign_records", "Records that others put into the campaign.", lambda counts: counts.foreign),
    _counted("syncd_completed_records", "Records whose call is completed.", lambda counts: counts.completed),
    *_waiting(
        "suppressed_in_campaign",
        "Suppressed customers who are not known to be out of the campaign",
        lambda one: one.overview.suppressed_in,
    ),
    *_waiting(
        "deferred_removal",
        "Customers whose removal the vendor refuses while an agent has the record",
        lambda one: one.overview.deferred,
    ),
    Gauge(
        "syncd_open_claim_customers",
        "Customers whose last call got no answer; the listing settles it.",
        lambda one, _: one.overview.open_claims,
    ),
    Gauge(
        "syncd_last_pass_suppression_delay_seconds",
        "The slowest suppression of the last pass; 0: nobody was taken out.",
        lambda one, _: delay.total_seconds() if (delay := one.overview.suppression_delay) else 0,
    ),
    _time(
        "syncd_last_pass_timestamp_seconds",
        "When the last pass ended.",
        lambda one: one.overview.last_pass.ended if one.overview.last_pass else None,
    ),
    _time(
        "syncd_last_good_pass_timestamp_seconds",
        "When the last good pass ended.",
        lambda one: one.overview.last_good_at,
    ),
    _time(
        "syncd_last_listing_timestamp_seconds",
        "When the last listing that was read whole began.",
        lambda one: one.overview.listed_at,
    ),
    _time(
        "syncd_next_pass_timestamp_seconds",
        "When the next pass is due.",
        lambda one: one.overview.due_at if one.settings.enabled else None,
    ),
)
