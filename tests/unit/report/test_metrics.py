"""The metrics: named by Prometheus' conventions, from zero on, and only of campaigns that are there."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncd.clock import SystemClock
from syncd.config import Secret, TenantSettings
from syncd.dialer.client import Tenant
from syncd.dialer.tokens import Call
from syncd.errors import CampaignBlocked, LockHeld
from syncd.report.metrics import Metrics
from syncd.report.shown import Shown
from syncd.report.words import PARKED
from syncd.state.campaigns import Result
from syncd.sync import PassReport
from syncd.words import Condition, Kind, Outcome
from tests.showing import NOW, campaign, desk_at_night, failing, good, held


def series(metrics: Metrics) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    families = text_string_to_metric_families(metrics.render().decode())
    return {(one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples}


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return series(metrics).get((name, frozenset(labels.items())))


def of_campaigns(metrics: Metrics) -> set[str]:
    return {value for _, labels in series(metrics) for label, value in labels if label == "campaign"}


def passed(**what: object) -> PassReport:
    report = PassReport("renewals", NOW - timedelta(seconds=40), NOW)
    for name, one in what.items():
        setattr(report, name, one)
    return report


def metrics_of(shown: Iterable[Shown]) -> Metrics:
    metrics = Metrics()
    metrics.refresh(list(shown), NOW)
    return metrics


def test_names_and_units_keep_to_prometheus_conventions() -> None:
    metrics = metrics_of(desk_at_night().shown)
    metrics.passed("renewals", passed(steps={"apply": 1.5}))
    for family in text_string_to_metric_families(metrics.render().decode()):
        assert family.name.startswith(("syncd_", "process_"))
        assert family.documentation.endswith("."), family.name
        assert not family.name.endswith(("_minutes", "_ms", "_milliseconds", "_percent", "_count", "_created"))
        for one in family.samples:
            if family.type == "counter":
                assert one.name.endswith("_total")


def test_how_campaigns_stand_is_told_of_each() -> None:
    metrics = metrics_of([good("renewals"), held("win-back"), failing("collections")])
    assert value(metrics, "syncd_desired_customers", campaign="renewals") == 18_204
    assert value(metrics, "syncd_foreign_records", campaign="renewals") == 12
    assert value(metrics, "syncd_held_changes", campaign="win-back", change="removal") == 5_412
    assert value(metrics, "syncd_held_changes", campaign="renewals", change="removal") == 0
    assert value(metrics, "syncd_parked_customers", campaign="win-back", reason="vendor-dnc") == 121
    assert value(metrics, "syncd_deferred_removal_customers", campaign="win-back") == 2
    assert value(metrics, "syncd_deferred_removal_oldest_age_seconds", campaign="win-back") == 31 * 60
    assert value(metrics, "syncd_suppressed_in_campaign_oldest_age_seconds", campaign="collections") == 74 * 60
    assert value(metrics, "syncd_open_claim_customers", campaign="collections") == 3
    assert value(metrics, "syncd_last_good_pass_timestamp_seconds", campaign="renewals") == NOW.timestamp() - 180


def test_a_condition_is_one_of_a_set() -> None:
    metrics = metrics_of([held("win-back")])
    told = {
        condition: value(metrics, "syncd_campaign_condition", campaign="win-back", condition=condition.value)
        for condition in Condition
    }
    assert told == {condition: float(condition is Condition.HELD) for condition in Condition}


def test_what_is_not_known_is_not_told_as_zero() -> None:
    metrics = metrics_of([campaign("pilot", Condition.NEW, since=None, due_at=None, listed_at=None, last_good_at=None)])
    assert value(metrics, "syncd_desired_customers", campaign="pilot") is None
    assert value(metrics, "syncd_last_good_pass_timestamp_seconds", campaign="pilot") is None
    assert value(metrics, "syncd_campaign_overdue", campaign="pilot") == 1


def test_a_disabled_campaign_is_told_as_such_and_is_never_overdue() -> None:
    one = campaign("archive", Condition.OK, settings={"enabled": False}, due_at=NOW - timedelta(days=9))
    metrics = metrics_of([one])
    assert value(metrics, "syncd_campaign_enabled", campaign="archive") == 0
    assert value(metrics, "syncd_campaign_overdue", campaign="archive") == 0
    assert value(metrics, "syncd_next_pass_timestamp_seconds", campaign="archive") is None


def test_every_reason_to_be_parked_begins_at_zero() -> None:
    metrics = metrics_of([good("renewals")])
    for reason in PARKED:
        assert value(metrics, "syncd_parked_customers", campaign="renewals", reason=str(reason)) == 0


def test_every_result_begins_at_zero_so_that_the_first_is_seen_as_an_increase() -> None:
    metrics = metrics_of([good("renewals")])
    for result in set(Result) - {Result.DIED}:  # which no process lives to count
        assert value(metrics, "syncd_passes_total", campaign="renewals", result=result.value) == 0


def test_a_pass_is_counted_with_its_changes_its_steps_and_its_delay() -> None:
    metrics = Metrics()
    metrics.passed(
        "renewals",
        passed(
            outcomes=Counter({(Kind.ADD, Outcome.DONE): 18, (Kind.REMOVE, Outcome.DEFERRED): 2}),
            steps={"lock": 0.1, "apply": 7.5},
            suppressed_out=4,
            longest_suppression=timedelta(seconds=12),
        ),
    )
    metrics.passed("renewals", passed(steps={"apply": 2.5}))
    assert value(metrics, "syncd_passes_total", campaign="renewals", result="good") == 2
    assert value(metrics, "syncd_changes_total", campaign="renewals", change="add", outcome="done") == 18
    assert value(metrics, "syncd_changes_total", campaign="renewals", change="remove", outcome="deferred") == 2
    assert value(metrics, "syncd_suppressions_total", campaign="renewals") == 4
    assert value(metrics, "syncd_pass_duration_seconds_sum", campaign="renewals") == 80
    assert value(metrics, "syncd_pass_step_duration_seconds_sum", campaign="renewals", step="apply") == 10
    assert value(metrics, "syncd_suppression_delay_seconds_bucket", campaign="renewals", le="10.0") == 0
    assert value(metrics, "syncd_suppression_delay_seconds_bucket", campaign="renewals", le="30.0") == 1
    assert value(metrics, "syncd_suppression_delay_seconds_count", campaign="renewals") == 1


def test_a_pass_that_failed_counts_as_such_and_one_that_another_host_ran_as_none() -> None:
    metrics = Metrics()
    blocked = passed()
    blocked.fail(CampaignBlocked("renewals", "it is stopped"))
    locked = passed()
    locked.fail(LockHeld("renewals"))
    metrics.passed("renewals", blocked)
    metrics.passed("renewals", locked)
    assert value(metrics, "syncd_passes_total", campaign="renewals", result="blocked") == 1
    assert value(metrics, "syncd_passes_total", campaign="renewals", result="failed") is None


def test_a_clock_that_was_set_back_makes_no_duration_negative() -> None:
    metrics = Metrics()
    metrics.passed("renewals", passed(ended=NOW - timedelta(hours=1)))
    assert value(metrics, "syncd_pass_duration_seconds_sum", campaign="renewals") == 0


def test_nothing_is_told_any_more_of_a_campaign_that_left_the_configuration() -> None:
    metrics = metrics_of([good("renewals"), held("win-back")])
    metrics.passed("win-back", passed(steps={"apply": 1.0}, longest_suppression=timedelta(seconds=1)))
    assert of_campaigns(metrics) == {"renewals", "win-back"}
    metrics.refresh([good("renewals")], NOW)
    assert of_campaigns(metrics) == {"renewals"}


def test_while_the_state_is_lost_only_what_is_known_is_told_and_counting_goes_on() -> None:
    metrics = metrics_of([good("renewals")])
    metrics.state_lost()
    metrics.passed("renewals", passed(result=Result.FAILED))
    assert value(metrics, "syncd_state_up") == 0
    assert value(metrics, "syncd_desired_customers", campaign="renewals") is None
    assert value(metrics, "syncd_passes_total", campaign="renewals", result="failed") == 1
    metrics.refresh([good("renewals")], NOW)
    assert value(metrics, "syncd_state_up") == 1


def test_calls_and_rates_are_told_by_tenant() -> None:
    settings = TenantSettings(
        name="acme",
        base_url="http://127.0.0.1:1",
        username="acmecorp01",
        action_token=Secret("one"),
        data_token=Secret("two"),
        requests_per_second=12,
    )
    tenant = Tenant(settings, clock=SystemClock())
    tenant.calls.update({(Call.ADD, 207): 5, (Call.DELETE, None): 1})
    metrics = Metrics()
    metrics.tenants([tenant])
    assert value(metrics, "syncd_calls_total", tenant="acme", call="add", answer="207") == 5
    assert value(metrics, "syncd_calls_total", tenant="acme", call="delete", answer="none") == 1
    assert value(metrics, "syncd_allowed_requests_per_second", tenant="acme") == 12
    assert value(metrics, "syncd_requests_in_flight", tenant="acme") == 0
    assert value(metrics, "syncd_requests_waiting", tenant="acme") == 0


@pytest.mark.parametrize("name", ['say "hi"', "back\\slash", "Ünïcödé ☎", "a{b=c}"])
def test_a_campaign_may_be_called_anything(name: str) -> None:
    one = good("renewals")
    metrics = metrics_of([replace(one, settings=replace(one.settings, name=name))])
    assert of_campaigns(metrics) == {name}
