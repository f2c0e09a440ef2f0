"""``syncd suppress``, ``syncd unsuppress`` and ``syncd migrate``."""

from command_line import CommandLine, query_state

from syncd.cli.application import operator
from syncd.vendor import RecordStatus
from tests.stage import CAMPAIGN


def test_a_suppressed_customer_is_taken_out_and_never_added_again(desk: CommandLine, database: str) -> None:
    desk.crm.want(*range(1, 31))
    desk.run("once")
    finished = desk.run("suppress", 7, "--reason", "asked  by\nmail")
    assert finished.status == 0
    assert "It takes effect at the next pass of each campaign, within 5m" in finished.out
    assert query_state(database, "SELECT account, customer, origin, reason, by FROM suppression") == [
        ("", 7, "operator", "asked by mail", operator())
    ]
    assert desk.run("once").out == "renewals: 30 desired; 1 removed\n"
    assert 7 not in desk.listed
    desk.run("once")
    assert desk.writes == []


def test_suppressing_twice_keeps_who_did_it_first_and_why(desk: CommandLine, database: str) -> None:
    desk.run("suppress", 7, "--reason", "first")
    again = desk.run("suppress", "007", "--reason", "second")
    assert again.status == 0
    assert "customer 7 is suppressed already, since " in again.out
    assert query_state(database, "SELECT reason FROM suppression") == [("first",)]


def test_taking_it_back_lets_the_source_decide_again(desk: CommandLine) -> None:
    desk.crm.want(7)
    desk.run("suppress", 7, "--reason", "mistaken")
    assert desk.run("once").out == "renewals: 1 desired; in step, nothing to do\n"
    assert desk.run("unsuppress", 7).out.startswith("customer 7 is no longer suppressed by `syncd suppress`")
    assert desk.run("unsuppress", 7).out == (
        "customer 7 was not suppressed by `syncd suppress`; nothing was changed.\n"
    )
    assert desk.run("once").out == "renewals: 1 desired; 1 added\n"


def test_what_an_agent_said_by_a_disposition_stays_and_is_told(desk: CommandLine) -> None:
    desk.more = '[tenants.acme.dispositions]\n2004 = "Never again"'
    desk.crm.want(7, 8)
    desk.run("once")
    desk.tenant.set_record(CAMPAIGN, 7, status=RecordStatus.COMPLETED, disposition=2004)
    desk.write_config()
    config = desk.config.read_text()
    desk.config.write_text(config.replace("\n[sources", "do_not_call = [2004]\n\n[sources", 1))
    assert desk.run_as_it_is("once").status == 0
    finished = desk.run("unsuppress", 7)
    assert finished.status == 0
    assert "customer 7 stays suppressed in tenant acmecorp01, by a disposition, since " in finished.out
    assert finished.out.endswith(" UTC by syncd: disposition: Never again.\n")


def test_a_reason_is_required(desk: CommandLine) -> None:
    assert desk.run("suppress", 7).status == 64
    assert desk.run("suppress", 7, "--reason", " ").status == 64


def test_a_customer_is_a_positive_bigint(desk: CommandLine) -> None:
    for customer in ("0", "-1", "12a", "9223372036854775808", "1" * 5000, "١٢"):
        finished = desk.run("suppress", "--reason", "x", "--", customer)
        assert (finished.status, finished.err.count("\n")) == (64, 1)
        assert "no customer" in finished.err


def test_migrating_says_whether_there_was_anything_to_do(desk: CommandLine) -> None:
    assert desk.run("migrate").out == "state: the schema was brought up to date\n"
    assert desk.run("migrate").out == "state: the schema is up to date\n"
