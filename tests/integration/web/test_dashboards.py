"""``syncd dashboards``: what it writes is accepted by promtool, and asks for nothing that the daemon does not tell."""

import json
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from syncd.cli import main
from syncd.cli.dashboards import FILES
from syncd.clock import SystemClock
from syncd.config import Secret, TenantSettings
from syncd.dialer.client import Tenant
from syncd.dialer.tokens import Call
from syncd.report.metrics import Metrics
from syncd.sync import PassReport
from syncd.words import Exit, Kind, Outcome
from tests.showing import NOW, desk_at_night

FOLDER = Path(__file__).parents[3] / "syncd" / "report" / "dashboards"
README = (Path(__file__).parents[3] / "README.md").read_text()
ALERTS = (FOLDER / "syncd-alerts.yml").read_text()
DASHBOARD = json.loads((FOLDER / "syncd-dashboard.json").read_text())

OTHERS = {"process_resident_memory_bytes", "process_cpu_seconds_total", "process_open_fds"}
"""Metrics of every process, which Prometheus' own client tells."""


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        pytest.fail("promtool is not installed; it is in Debian's package prometheus")
    return found


def run(promtool: str, *arguments: str | Path, given: bytes = b"") -> str:
    done = subprocess.run([promtool, *arguments], input=given, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.decode()


def metrics() -> bytes:
    """Return what a daemon tells that has done everything."""
    settings = TenantSettings(
        name="acme", base_url="http://127.0.0.1:1", username="a", action_token=Secret("a"), data_token=Secret("d")
    )
    tenant = Tenant(settings, clock=SystemClock())
    tenant.calls[Call.ADD, 207] += 1
    metrics = Metrics()
    metrics.tenants([tenant])
    metrics.refresh(desk_at_night().shown, NOW)
    metrics.passed(
        "renewals",
        PassReport(
            "renewals",
            NOW - timedelta(seconds=9),
            NOW,
            steps={"apply": 1.0},
            outcomes=Counter({(Kind.ADD, Outcome.DONE): 1}),
        ),
    )
    return metrics.render()


def told() -> dict[str, set[str]]:
    """Return the names of all series that a daemon tells, with their labels."""
    names: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(metrics().decode()):
        for one in family.samples:
            names.setdefault(one.name, set()).update(one.labels)
    return names


def panels() -> Iterator[dict[str, object]]:
    for panel in DASHBOARD["panels"]:
        yield panel
        yield from panel.get("panels", [])


def dashboard_queries() -> list[str]:
    """Return every query of the dashboard, as Grafana sends it with all campaigns chosen."""
    queries = [target["expr"] for panel in panels() for target in panel.get("targets", [])]  # type: ignore[attr-defined]
    assert len(queries) > 30
    return [query.replace("$campaign", ".*").replace("$__rate_interval", "5m") for query in queries]


def alert_queries() -> list[str]:
    """Return every query of the alerts."""
    queries = re.findall(r"^        expr: (?:>-\n)?((?:.+\n)+?)(?=^        \w+:)", ALERTS, re.MULTILINE)
    assert len(queries) == ALERTS.count("- alert:")
    return queries


def named(query: str) -> set[str]:
    return set(re.findall(r"\b(?:syncd|process)_\w+", query))


@pytest.mark.parametrize("queries", [dashboard_queries, alert_queries])
def test_every_metric_that_is_named_is_told_by_the_daemon(queries: object) -> None:
    asked = set().union(*map(named, queries()))  # type: ignore[operator]
    assert asked
    assert asked <= told().keys() | OTHERS


def test_every_name_that_looks_like_a_metric_in_the_files_is_one() -> None:
    for name in FILES:
        words = set(re.findall(r"\bsyncd_\w+", (FOLDER / name).read_text()))
        assert words <= told().keys(), name


def test_every_metric_of_syncd_is_on_the_dashboard() -> None:
    shown = set().union(*map(named, dashboard_queries()))
    names = {re.sub(r"_(bucket|count|sum)$", "", name) for name in shown}
    families = {re.sub(r"_(bucket|count|sum)$", "", name) for name in told() if name.startswith("syncd_")}
    # In alerts alone: which campaigns count, and since when one has its condition, which the timeline shows.
    assert families - names == {"syncd_campaign_enabled", "syncd_campaign_condition_since_timestamp_seconds"}


def test_the_readme_names_every_metric_with_its_labels_and_every_alert() -> None:
    labels: dict[str, set[str]] = {}
    for names, with_labels in re.findall(r"^\| ((?:`syncd_\w+`,? ?)+)\|([^|]*)\|", README, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            labels[name] = set(re.findall(r"`(\w+)`", with_labels))
    families: dict[str, set[str]] = {}
    for name, found in told().items():
        if name.startswith("syncd_"):
            families.setdefault(re.sub(r"_(bucket|count|sum)$", "", name), set()).update(found - {"le"})
    assert labels == families
    alerts = re.findall(r"`(Syncd\w+)`", README)
    assert sorted(alerts) == sorted(re.findall(r"- alert: (\w+)", ALERTS))


def test_every_label_that_is_asked_for_is_one_of_the_metric() -> None:
    labels = told()
    asked = 0
    for query in [*dashboard_queries(), *alert_queries()]:
        for name, selector in re.findall(r"\b(syncd_\w+)\{([^}]*)\}", query):
            asked += 1
            assert set(re.findall(r"(\w+)=", selector)) <= labels[name], query
    assert asked > 30


def test_promtool_finds_nothing_to_mend_in_the_metrics(promtool: str) -> None:
    assert run(promtool, "check", "metrics", given=metrics()) == ""


def test_promtool_accepts_the_rules_and_every_query_of_the_dashboard(promtool: str, tmp_path: Path) -> None:
    assert f"{ALERTS.count('- alert:')} rules found" in run(promtool, "check", "rules", FOLDER / "syncd-alerts.yml")
    rules = [{"record": f"query:{place}", "expr": query} for place, query in enumerate(dashboard_queries())]
    # JSON is YAML.
    (tmp_path / "queries.yml").write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in run(promtool, "check", "rules", tmp_path / "queries.yml")


def test_the_rules_pass_their_own_tests_as_they_are_written(promtool: str, tmp_path: Path) -> None:
    assert main(["dashboards", str(tmp_path / "rules")]) == Exit.GOOD
    assert "SUCCESS" in run(promtool, "test", "rules", tmp_path / "rules" / "syncd-alerts.test.yml")


def test_a_rule_that_is_changed_fails_its_tests(promtool: str, tmp_path: Path) -> None:
    main(["dashboards", str(tmp_path)])
    rules = tmp_path / "syncd-alerts.yml"
    rules.write_text(rules.read_text().replace("for: 1h", "for: 2h"))
    done = subprocess.run(
        [promtool, "test", "rules", tmp_path / "syncd-alerts.test.yml"], capture_output=True, timeout=60, check=False
    )
    assert done.returncode != 0


def test_every_alert_has_a_test_that_sees_it_fire() -> None:
    tests = (FOLDER / "syncd-alerts.test.yml").read_text()
    fired = set(re.findall(r"alertname: (\w+)\n +eval_time: \w+\n +exp_alerts:", tests))
    assert fired == set(re.findall(r"- alert: (\w+)", ALERTS))


def test_panels_do_not_overlap_and_have_numbers_of_their_own() -> None:
    taken: set[tuple[int, int]] = set()
    numbers = [panel["id"] for panel in panels()]
    assert len(numbers) == len(set(numbers))
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < 24
        assert not cells & taken, panel["title"]
        taken |= cells


def test_it_writes_what_it_says_and_overwrites_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "made" / "here"
    assert main(["dashboards", str(folder)]) == Exit.GOOD
    assert {path.name for path in folder.iterdir()} == set(FILES)
    assert all(str(folder / name) in capsys.readouterr().out for name in ["syncd-alerts.yml"])
    (folder / "syncd-alerts.yml").write_text("mine")
    assert main(["dashboards", str(folder)]) == Exit.FAILED
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert "--force" in complaint
    assert (folder / "syncd-alerts.yml").read_text() == "mine"
    assert main(["dashboards", str(folder), "--force"]) == Exit.GOOD
    assert (folder / "syncd-alerts.yml").read_text() == ALERTS


def test_a_directory_that_cannot_be_is_told_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    assert main(["dashboards", str(tmp_path / "file" / "below")]) == Exit.FAILED
    complaint = capsys.readouterr().err
    assert complaint.count("\n") == 1
    assert complaint.startswith(f"syncd: {tmp_path}/file")
