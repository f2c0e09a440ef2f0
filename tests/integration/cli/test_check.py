"""``syncd check``: all that the configuration names is looked at, and each thing is told in a line."""

import psycopg
import pytest
from command_line import CommandLine, state_of
from transaction_pooler import pooled

from syncd.simulator import Call, FaultKind
from syncd.vendor import CampaignState
from tests.stage import CAMPAIGN


def test_a_good_configuration_is_all_ticks(desk: CommandLine) -> None:
    desk.crm.want(1, 2)
    desk.run("migrate")
    finished = desk.run("check")
    assert finished.status == 0
    assert finished.out.splitlines() == [
        f"ok: config {desk.config}: 1 tenant, 1 source, 1 campaign",
        "ok: state: reachable, schema syncd is up to date",
        "ok: source crm: connects",
        "ok: campaign renewals, query: 2 rows with customer_id, phone, schedule_at, version",
        "ok: campaign renewals, suppress: 0 rows with customer_id",
        "ok: tenant acme: the data token is accepted",
        "ok: tenant acme: the action token is accepted",
        "ok: campaign renewals: 'Renewals' takes changes, 0 records",
    ]
    assert desk.listed == set()


def test_a_schema_that_is_not_there_is_advice_and_is_not_made(desk: CommandLine, database: str) -> None:
    desk.crm.want(1)
    finished = desk.run("check")
    assert finished.status == 0
    assert "advice: state: reachable; the schema syncd is not there yet; run `syncd migrate`" in finished.out
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regnamespace('syncd')").fetchone() == (None,)


def test_a_schema_of_a_newer_syncd_is_wrong(desk: CommandLine, database: str) -> None:
    desk.run("migrate")
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE syncd.schema_version SET version_num = 'from the future'")
    finished = desk.run("check")
    assert finished.status == 1
    assert "wrong: state: reachable; the schema syncd was made by a newer syncd; install that version" in finished.out


def test_all_is_looked_at_even_when_everything_fails(desk: CommandLine) -> None:
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    desk.strike(FaultKind.ANSWER, status=401)
    desk.query = "SELECT 1 AS nobody"
    finished = desk.run("check", "--json")
    assert finished.status == 1
    by_subject: dict[str, list[str]] = {}
    for check in finished.document["checks"]:
        assert set(check) == {"subject", "result", "what", "advice"}
        by_subject.setdefault(check["subject"], []).append(check["result"])
    assert by_subject == {
        f"config {desk.config}": ["ok"],
        "state": ["wrong"],
        "source crm": ["ok"],
        "campaign renewals, query": ["wrong"],
        "campaign renewals, suppress": ["ok"],
        "tenant acme": ["wrong", "wrong"],
        "campaign renewals": ["wrong"],
    }


def test_a_refused_login_is_not_tried_for_each_campaign(desk: CommandLine) -> None:
    desk.strike(FaultKind.ANSWER, status=401)
    desk.run("check")
    assert len(desk.tenant.log.of(Call.STATUS)) == 1


def test_a_source_that_is_not_there_is_told_once_with_advice(desk: CommandLine) -> None:
    desk.crm.path.unlink()
    finished = desk.run("check")
    assert finished.status == 1
    [line] = [line for line in finished.out.splitlines() if line.startswith("wrong")]
    assert line.startswith("wrong: source crm: there is no file ")


def test_rows_that_cannot_be_used_are_counted_and_shown(desk: CommandLine) -> None:
    desk.crm.want(1, 2, "nobody")
    desk.crm.want(3, at="soon")
    finished = desk.run("check")
    assert (
        "advice: campaign renewals, query: 4 rows with customer_id, phone, schedule_at, version; "
        "1 have no usable customer_id: 'nobody'; they are never sent\n"
    ) in finished.out
    assert "; 1 have a schedule_at that is no date-time; they are never sent\n" in finished.out


def test_only_the_beginning_of_a_long_result_is_read(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 10_001))
    assert "query: the first 5,000 rows with" in desk.run("check").out


def test_matching_by_phone_needs_the_phone_in_both_queries(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.more = 'match_on = "phone"'
    finished = desk.run("check")
    assert finished.status == 1
    assert (
        'wrong: campaign renewals, suppress: 0 rows with customer_id; match_on = "phone" needs a column phone'
        in finished.out
    )


def test_an_action_token_that_is_refused_is_wrong(desk: CommandLine) -> None:
    desk.tenant.rotate(action_token="another", data_token="data-1")
    desk.more = ""
    finished = desk.run("check")
    assert "tenant acme: the data token is accepted" in finished.out
    assert "wrong: tenant acme: the action token is refused (HTTP 401)" in finished.out
    assert finished.status == 1


@pytest.mark.parametrize("state", [CampaignState.NEW, CampaignState.COMPLETED, CampaignState.MANUAL_PURGED])
def test_a_campaign_that_takes_no_changes_is_wrong(desk: CommandLine, state: CampaignState) -> None:
    desk.tenant.campaigns[CAMPAIGN].set_state(state)
    finished = desk.run("check")
    assert finished.status == 1
    assert "wrong: campaign renewals: " in finished.out


def test_offline_connects_to_nothing(desk: CommandLine) -> None:
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    desk.crm.path.unlink()
    finished = desk.run("check", "--offline")
    assert finished.status == 0
    assert finished.out.splitlines()[1:] == ["ok: source crm: its driver is installed"]
    assert desk.tenant.log.of(*Call) == []


def test_offline_says_which_driver_is_missing(desk: CommandLine) -> None:
    desk.more = '[sources.old]\nurl = "firebird://reader@old.internal/old"'
    finished = desk.run("check", "--offline")
    assert finished.status == 1
    assert "wrong: source old: " in finished.out
    assert "ok: source crm: its driver is installed" in finished.out


@pytest.mark.parametrize("sessions", [1, 2])
def test_a_transaction_pooler_that_would_break_the_lock_is_found(
    desk: CommandLine, database: str, sessions: int
) -> None:
    desk.run("migrate")
    with pooled(database, sessions) as url:
        desk.state = state_of(url)
        finished = desk.run("check")
    assert finished.status == 1
    assert "wrong: state: statements of one connection reach different sessions" in finished.out
