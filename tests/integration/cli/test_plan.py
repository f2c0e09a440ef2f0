"""``syncd plan``: tells what a pass would do, and does nothing."""

import csv
import io

import psycopg
import pytest
from command_line import CommandLine, query_state

from syncd.simulator import Call, FaultKind
from syncd.vendor import CampaignState
from tests.stage import CAMPAIGN


@pytest.fixture
def filled(desk: CommandLine) -> CommandLine:
    """A desk after a good pass over 50 customers."""
    desk.crm.want(*range(1, 51))
    assert desk.run("once").status == 0
    return desk


def test_changes_are_told_by_kind_and_reason_and_nothing_is_sent(filled: CommandLine) -> None:
    filled.crm.drop(1, 2)
    filled.crm.want(60)
    filled.crm.suppress(3)
    finished = filled.run("plan")
    assert finished.status == 2
    assert finished.out.splitlines() == [
        "renewals: 4 changes pending; 49 desired, 50 listed",
        "renewals: add 1: needs a call, and is not in the campaign",
        "renewals: remove 1: must not be called, and is in the campaign",
        "renewals: remove 2: needs no call any more",
    ]
    assert filled.writes == []
    assert filled.listed == set(range(1, 51))


def test_a_campaign_in_step_has_nothing_to_do(filled: CommandLine) -> None:
    finished = filled.run("plan")
    assert (finished.status, finished.out) == (0, "renewals: nothing to do; 50 desired, 50 listed\n")


def test_nothing_is_written_into_the_state(filled: CommandLine, database: str) -> None:
    filled.crm.drop(*range(1, 40))  # would be held, and a pass would put that on record
    queries = [
        f"SELECT xmin::text, t::text FROM {table} t ORDER BY 2"
        for table in ("campaign", "ledger", "pass", "change", "held_plan", "claim", "parked", "reading")
    ]
    before = [query_state(database, query) for query in queries]
    assert filled.run("plan").status == 3
    assert [query_state(database, query) for query in queries] == before


def test_what_would_be_held_is_3_and_says_why(filled: CommandLine) -> None:
    filled.crm.drop(*range(1, 41))
    finished = filled.run("plan")
    assert finished.status == 3
    assert "40 of 50 open records would go" in finished.out


def test_csv_has_each_customer_with_kind_rule_and_time(filled: CommandLine) -> None:
    filled.crm.drop(1)
    filled.crm.want(*range(1000, 6000), at="2026-01-01T00:00:00Z")  # more than one block; passed: as soon as possible
    filled.crm.suppress(2)
    filled.more = "[campaigns.renewals.guard]\nmax_growth_percent = 0"
    finished = filled.run("plan", "--csv")
    rows = list(csv.DictReader(io.StringIO(finished.out)))
    assert finished.status == 2
    assert rows[0] == {
        "campaign": "renewals",
        "customer": "1",
        "kind": "remove",
        "rule": "dropped",
        "call_at": "",
    }
    assert [row["customer"] for row in rows] == ["1", "2", *map(str, range(1000, 6000))]
    assert {row["kind"] for row in rows[2:]} == {"add"}


def test_csv_tells_the_time_of_a_call_in_utc(filled: CommandLine) -> None:
    filled.crm.want(60, at="2040-01-01T10:00:00+02:00")
    filled.crm.want(61)
    rows = list(csv.DictReader(io.StringIO(filled.run("plan", "--csv").out)))
    assert {row["customer"]: (row["kind"], row["call_at"]) for row in rows} == {
        "60": ("park", "2040-01-01T08:00:00Z"),  # too far ahead
        "61": ("add", ""),
    }


def test_json_has_the_changes_with_their_reasons(filled: CommandLine) -> None:
    filled.crm.want(60)
    finished = filled.run("plan", "--json")
    [campaign] = finished.document["campaigns"]
    assert campaign["changes"] == [
        {"kind": "add", "rule": "new", "customers": 1, "why": "needs a call, and is not in the campaign"}
    ]
    assert campaign["exit_status"] == finished.document["exit_status"] == finished.status == 2
    assert (campaign["desired"], campaign["listed"], campaign["held"]) == (51, 50, None)


def test_a_blocked_campaign_is_5_and_a_tenant_that_fails_is_1(filled: CommandLine) -> None:
    filled.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    assert filled.run("plan").status == 5
    filled.strike(FaultKind.ANSWER, Call.STATUS, status=401)
    finished = filled.run("plan")
    assert finished.status == 1
    assert finished.err.startswith("syncd: campaign renewals: tenant acme: ")


def test_a_state_without_its_schema_is_left_as_it_is(desk: CommandLine, database: str) -> None:
    finished = desk.run("plan")
    assert finished.status == 1
    assert finished.err == "syncd: state database: its schema syncd is not up to date; run `syncd migrate`\n"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regnamespace('syncd')").fetchone() == (None,)


def test_csv_and_json_do_not_go_together(desk: CommandLine) -> None:
    finished = desk.run("plan", "--csv", "--json")
    assert finished.status == 64
    assert finished.err == "syncd: give --csv or --json, not both; see `syncd plan --help`\n"
