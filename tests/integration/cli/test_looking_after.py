"""``held``, ``approve``, ``pause``, ``resume``, ``parked`` and ``retry``: what a person looks at and decides."""

import csv
import io
import re

from command_line import CommandLine, query_state

from syncd.cli.application import operator


def digest_in(text: str) -> str:
    found = re.search(r"syncd approve renewals (\w+)", text)
    assert found, text
    return found[1]


def test_a_first_fill_is_held_looked_at_and_let_through_once(desk: CommandLine, database: str) -> None:
    desk.crm.want(*range(1, 1202))
    first = desk.run("once")
    assert first.status == 3
    assert "1,201 customers would be added by a query that no good pass has run yet" in first.out
    assert desk.writes == []
    digest = digest_in(first.out)

    held = desk.run("held", "renewals")
    assert held.status == 0
    assert "0 removals, 1,201 additions" in held.out
    assert "  1 would be added: needs a call, and is not in the campaign" in held.out
    assert "and 1,191 more: syncd held renewals --csv" in held.out
    assert digest_in(held.out) == digest
    [document] = desk.run("held", "--json").document["campaigns"]
    assert document.keys() == {"campaign", "digest", "since", "why", "removals", "additions"}
    assert (document["campaign"], document["digest"], document["additions"]) == ("renewals", digest, 1201)
    rows = list(csv.DictReader(io.StringIO(desk.run("held", "--csv").out)))
    assert [int(row["customer"]) for row in rows] == list(range(1, 1202))
    assert {(row["campaign"], row["kind"], row["rule"]) for row in rows} == {("renewals", "add", "new")}

    approved = desk.run("approve", "renewals", digest)
    assert approved.status == 0
    assert f"1,201 changes of {digest} let through with the next passes, each once, until " in approved.out
    assert query_state(database, "SELECT by, digest FROM approval") == [(operator(), digest)]
    assert desk.run("held").out == "Nothing is held.\n"

    second = desk.run("once")
    assert (second.status, second.out) == (0, "renewals: 1,201 desired; 1,201 added\n")
    assert desk.listed == set(range(1, 1202))


def test_a_digest_that_is_wrong_or_used_is_refused_in_one_line(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 1202))
    digest = digest_in(desk.run("once").out)
    wrong = desk.run("approve", "renewals", "0123456789ab")
    assert wrong.status == 1
    assert wrong.err == (
        f"syncd: campaign renewals: 0123456789ab cannot be approved: the plan that is held is {digest}; "
        "see `syncd held renewals`\n"
    )
    desk.run("approve", "renewals", digest)
    used = desk.run("approve", "renewals", digest)
    assert used.status == 1
    assert f"it was approved already, by {operator()} at " in used.err
    assert used.err.count("\n") == 1


def test_a_paused_campaign_sends_nothing_but_suppressions(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 3)
    desk.run("once")
    paused = desk.run("pause", "renewals", "--reason", "new script")
    assert (paused.status, paused.out) == (0, "renewals: paused; suppressions go on\n")
    again = desk.run("pause", "renewals", "--reason", "other")
    assert again.out.startswith("renewals: is paused already, since ")
    assert again.out.endswith(f" UTC by {operator()}: new script; nothing was changed\n")
    desk.crm.want(4)
    desk.crm.suppress(2)
    finished = desk.run("once")
    assert finished.status == 0
    assert "paused" in finished.out
    assert desk.listed == {1, 3}
    assert desk.run("resume", "--all").out == "renewals: goes on with its next pass\n"
    assert desk.run("resume", "renewals").out == "renewals: is not paused; nothing was changed\n"
    desk.run("once")
    assert desk.listed == {1, 3, 4}


def test_a_campaign_is_paused_before_its_first_pass(desk: CommandLine) -> None:
    desk.crm.want(1)
    assert desk.run("pause", "--all").status == 0
    desk.run("once")
    assert desk.listed == set()


def test_pausing_asks_for_a_campaign_that_there_is(desk: CommandLine) -> None:
    finished = desk.run("pause", "renewal")
    assert finished.status == 64
    assert "did you mean renewals?" in finished.err
    assert desk.run("pause").status == 64
    assert desk.run("pause", "renewals", "--all").status == 64


def test_parked_customers_are_shown_with_why_and_tried_when_a_person_says_so(desk: CommandLine) -> None:
    desk.crm.want(1, 100_001, 100_002)
    assert desk.run("once").status == 0
    shown = desk.run("parked", "renewals")
    assert shown.status == 0
    assert shown.out.startswith("renewals: 2 not in the vendor's CRM\n")
    assert "100001" in shown.out
    [document] = desk.run("parked", "--json").document["campaigns"]
    assert document["parked"] == {"not-in-crm": 2}
    assert [one["customer"] for one in document["customers"]] == [100_001, 100_002]

    desk.tenant.add_customers([100_001])
    desk.run("once")
    assert 100_001 not in desk.listed, "the time of the next try has not come"
    retried = desk.run("retry", "renewals", 100_001, 7)
    assert retried.status == 0
    assert "renewals: not parked, so left alone: 7\n" in retried.out
    desk.run("once")
    assert 100_001 in desk.listed
    assert desk.run("retry", "renewals").out.startswith("renewals: 1 customer will be tried in the next pass")


def test_nothing_held_and_nobody_parked_is_said(desk: CommandLine) -> None:
    assert desk.run("held").out == "Nothing is held.\n"
    assert desk.run("parked").out == "renewals: nobody is parked\n"
