"""``syncd once``: what it says, in which words, and with which exit status it ends."""

import sqlite3
from contextlib import closing

import pytest
from command_line import SECOND, CommandLine, query_state, wait_until

from syncd.simulator import Call, FaultKind
from syncd.vendor import CampaignState
from tests.stage import CAMPAIGN


def test_a_pass_is_told_in_one_line_and_a_second_one_sends_nothing(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 51))
    first = desk.run("once")
    assert (first.status, first.out, first.err) == (0, "renewals: 50 desired; 50 added\n", "")
    assert desk.listed == set(range(1, 51))

    second = desk.run("once")
    assert (second.status, second.out) == (0, "renewals: 50 desired; in step, nothing to do\n")
    assert desk.writes == []


def test_json_is_one_document_with_the_words_of_the_tables(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 3, "nobody")
    desk.crm.suppress(3)
    finished = desk.run("once", "--json")
    document = finished.document
    assert document["exit_status"] == finished.status == 3  # a quarter of the rows is invalid: held
    [campaign] = document["campaigns"]
    assert campaign["campaign"] == "renewals"
    assert (campaign["result"], campaign["condition"], campaign["exit_status"]) == ("held", "held", 3)
    assert (campaign["desired"], campaign["rows"], campaign["invalid"], campaign["suppressed"]) == (3, 4, 1, 1)
    assert (campaign["listed"], campaign["ours"], campaign["foreign"]) == (0, 0, 0)
    assert campaign["held"]["digest"] in campaign["sentence"]
    assert campaign["error"] is None
    assert campaign["ended"] > campaign["began"]


def test_what_the_guard_holds_is_3_and_names_the_command_that_lets_it_through(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 21))
    desk.more = "[campaigns.renewals.guard]\nmax_new_query_additions = 10\nfew = 0"
    finished = desk.run("once")
    assert finished.status == 3
    assert "syncd approve renewals" in finished.out
    assert desk.listed == set()


def test_a_campaign_that_takes_no_changes_is_5(desk: CommandLine) -> None:
    desk.tenant.campaigns[CAMPAIGN].set_state(CampaignState.MANUAL_STOPPED)
    finished = desk.run("once")
    assert finished.status == 5
    assert finished.err.startswith("syncd: campaign renewals: ")
    assert finished.err.count("\n") == 1
    assert finished.out == ""


def test_a_customer_of_whom_the_answer_says_nothing_makes_the_pass_done_in_part(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.strike(FaultKind.MISSING_ENTRIES, Call.ADD, share=1.0)
    finished = desk.run("once")
    assert finished.status == 4
    assert "without a known outcome" in finished.out


@pytest.mark.parametrize(
    ("kind", "how"),
    [
        (FaultKind.ANSWER, {"status": 200, "text": "<html>Down for maintenance</html>", "html": True}),
        (FaultKind.TRUNCATED, {}),
        (FaultKind.ENDLESS, {}),
        (FaultKind.ANSWER, {"status": 401}),
    ],
)
def test_a_tenant_that_answers_nonsense_is_one_line_and_1(
    desk: CommandLine, kind: FaultKind, how: dict[str, object]
) -> None:
    desk.crm.want(1)
    desk.strike(kind, Call.STATUS, **how)
    finished = desk.run("once")
    assert desk.tenant.faults.armed[0].struck > 0
    assert finished.status == 1
    assert finished.err.startswith("syncd: campaign renewals: tenant acme: ")
    assert finished.err.count("\n") == 1
    assert "-1" not in finished.err  # the tokens


def test_a_source_without_customer_id_is_one_line_that_says_what_to_write(desk: CommandLine) -> None:
    desk.query = "SELECT phone FROM due"
    finished = desk.run("once")
    assert finished.status == 1
    assert finished.err == (
        "syncd: campaign renewals: source crm: the query has no column customer_id, only: phone; "
        "write SELECT <your column> AS customer_id\n"
    )


def test_a_locked_sqlite_is_one_line(desk: CommandLine) -> None:
    desk.source_timeout = "1s"
    with closing(sqlite3.connect(desk.crm.path)) as writer:
        writer.execute("PRAGMA journal_mode = delete")
        writer.execute("BEGIN EXCLUSIVE")
        finished = desk.run("once")
    assert finished.status == 1
    assert "database is locked; another program is writing to the file" in finished.err
    assert finished.err.count("\n") == 1


def test_postgres_out_of_reach_is_one_line_and_nothing_is_sent(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    finished = desk.run("once")
    assert finished.status == 1
    assert finished.err.startswith("syncd: state database: ")
    assert finished.err.count("\n") == 1
    assert desk.listed == set()


def test_disabled_campaigns_are_left_out_unless_they_are_named(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.tenant.add_campaign(126)
    desk.more = SECOND + "enabled = false"
    finished = desk.run("once")
    assert finished.out == "renewals: 1 desired; 1 added\nwinback: disabled, left out\n"
    finished = desk.run("once", "winback", "renewals")
    assert finished.out == "renewals: 1 desired; in step, nothing to do\nwinback: 1 desired; 1 added\n"


def test_of_several_campaigns_the_gravest_status_is_that_of_the_command(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.tenant.add_campaign(126, state=CampaignState.NEW)
    desk.more = SECOND
    desk.strike(FaultKind.MISSING_ENTRIES, Call.ADD, share=1.0, campaign=125)
    finished = desk.run("once", "--json")
    assert [campaign["exit_status"] for campaign in finished.document["campaigns"]] == [4, 5]
    assert finished.status == finished.document["exit_status"] == 5


def test_another_pass_that_has_the_lock_is_75_and_is_waited_for_with_wait(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 11))
    desk.strike(FaultKind.LATENCY, Call.ADD, count=1, seconds=4)
    other = desk.start("once")
    wait_until(lambda: desk.writes, other)
    refused = desk.run_as_it_is("once")
    waited = desk.run_as_it_is("once", "--wait")
    out, err = other.communicate(timeout=60)
    assert (refused.status, refused.out) == (75, "")
    assert refused.err == "syncd: campaign renewals: another pass is running; wait for it with --wait\n"
    assert (waited.status, waited.out) == (0, "renewals: 10 desired; in step, nothing to do\n")
    assert (other.returncode, out, err) == (0, "renewals: 10 desired; 10 added\n", "")


def test_a_pass_is_on_record_with_what_started_it(desk: CommandLine, database: str) -> None:
    desk.crm.want(1)
    desk.run("once")
    assert query_state(database, "SELECT kind, result, sentence FROM pass") == [("once", "good", "1 desired; 1 added")]
