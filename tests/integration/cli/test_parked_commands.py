"""``parked`` and ``retry``: whom people see, in which words, and what is tried again."""

from command_line import CommandLine, query_state
from test_terminal import on_a_terminal

from syncd.report.words import PARKED
from syncd.words import Reason

NEVER_PARKS = {
    Reason.DUPLICATE,
    Reason.NOT_FOUND,
    Reason.WITH_AGENT,
    Reason.COMPLETED,
    Reason.NO_ANSWER,
    Reason.NOT_SENT,
}


def park(database: str, customers: int) -> None:
    """Put customers from 200,001 on on record as parked, beside those who are."""
    query_state(
        database,
        "INSERT INTO parked (campaign, customer, reason, message, since, last_try, next_try)"
        " SELECT (SELECT id FROM campaign), 200000 + n, 'unknown-text', 'Something long that nobody has heard before',"
        " now() - interval '3 hours', now(), now() + interval '1 day'"
        f" FROM generate_series(1, {customers}) n RETURNING 1",
    )


def test_every_reason_to_park_has_words() -> None:
    assert set(PARKED) == set(Reason) - NEVER_PARKS | {"given-up"}


def test_a_terminal_shows_fifty_and_says_how_many_more_there_are(desk: CommandLine, database: str) -> None:
    desk.crm.want(100_001)
    desk.run("once")
    park(database, 60)
    status, sent = on_a_terminal(desk, "parked", "renewals")
    lines = sent.splitlines()
    assert status == 0
    assert lines[0] == "renewals: 1 not in the vendor's CRM, 60 refused in words that are not known"
    assert lines[1].split() == ["customer", "why", "parked", "tries", "next", "try"]
    assert [line.split()[0] for line in lines if line.startswith("200")] == [str(n) for n in range(200_001, 200_050)]
    assert "and 11 more; syncd parked renewals --json shows all" in lines
    assert "3 h ago" in sent
    assert max(map(len, lines)) <= 80


def test_lines_and_json_show_all_of_them(desk: CommandLine, database: str) -> None:
    desk.crm.want(100_001)
    desk.run("once")
    park(database, 60)
    lines = desk.run("parked").out.splitlines()
    assert len(lines) == 62
    assert lines[1].startswith("renewals: 100001: not in the vendor's CRM: ")
    assert lines[-1].startswith(
        "renewals: 200060: refused in words that are not known: Something long that nobody has heard before;"
        " parked 3 h ago; tries: 1; next try: 20"
    )
    [document] = desk.run("parked", "--json").document["campaigns"]
    assert document["parked"] == {"not-in-crm": 1, "unknown-text": 60}
    assert len(document["customers"]) == 61
    first = document["customers"][0]
    assert first.keys() == {
        "customer", "reason", "message", "since", "last_try", "attempts", "next_try", "given_up"
    }  # fmt: skip
    assert (first["customer"], first["reason"], first["attempts"], first["given_up"]) == (
        100_001,
        "not-in-crm",
        1,
        False,
    )
    assert first["since"].endswith("+00:00")


def test_json_is_one_document_also_when_nobody_is_parked(desk: CommandLine) -> None:
    assert desk.run("parked", "--json").document == {
        "campaigns": [{"campaign": "renewals", "parked": {}, "customers": []}]
    }


def test_when_the_next_try_comes_is_told_in_words(desk: CommandLine, database: str) -> None:
    desk.crm.want(100_001, 100_002, 100_003)
    desk.run("once")
    query_state(database, "UPDATE parked SET next_try = NULL WHERE customer = 100001 RETURNING 1")
    query_state(database, "UPDATE parked SET next_try = now() - interval '1 s' WHERE customer = 100002 RETURNING 1")
    query_state(database, "UPDATE parked SET next_try = NULL, given_up = true WHERE customer = 100003 RETURNING 1")
    shown = desk.run("parked").out.splitlines()
    assert shown[0] == "renewals: 1 given up after weeks of refusals, 2 not in the vendor's CRM"
    assert [line.rpartition("next try: ")[2] for line in shown[1:]] == ["when its row changes", "next pass", "given up"]


def test_retrying_names_who_is_not_parked_and_frees_the_others(desk: CommandLine, database: str) -> None:
    desk.crm.want(1, 100_001, 100_002)
    desk.run("once")
    strangers = desk.run("retry", "renewals", 7, 1, 7)
    assert (strangers.status, strangers.out) == (0, "renewals: not parked, so left alone: 1, 7\n")
    assert desk.run("retry", "renewals", 100_002).out.startswith("renewals: 1 customer will be tried in the next pass")
    assert query_state(database, "SELECT customer FROM parked") == [(100_001,)]


def test_retrying_nobody_says_so(desk: CommandLine) -> None:
    assert desk.run("retry", "renewals").out == "renewals: nobody is parked\n"
    assert desk.run("retry", "renewal").status == 64
    assert desk.run("retry", "renewals", "x").status == 64
