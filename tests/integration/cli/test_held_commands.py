"""``held`` and ``approve``: what stands on record of a held plan, and freeing exactly that."""

import csv
import io
import re

from command_line import CommandLine, query_state

GUARD = "[campaigns.renewals.guard]\nmax_removals = 2\nmax_new_query_additions = 10\nfew = 0"


def hold_removals(desk: CommandLine) -> str:
    """Fill the campaign with ten customers, drop four of them, and return the digest under which these are held."""
    desk.more = GUARD
    desk.crm.want(*range(1, 11))
    assert desk.run("once").status == 0
    desk.crm.drop(1, 2, 3, 4)
    finished = desk.run("once")
    assert finished.status == 3
    assert desk.writes == []
    found = re.search(r"syncd approve renewals (\w+)", finished.out)
    assert found, finished.out
    return found[1]


def test_an_approval_frees_those_whom_a_person_saw_and_nobody_else(desk: CommandLine) -> None:
    digest = hold_removals(desk)
    assert "renewals: held since " in (seen := desk.run("held").out)
    assert "(just now): 4 removals, 0 additions" in seen
    assert "  4 would be removed: needs no call any more\n" in seen
    assert desk.run("approve", "renewals", digest).status == 0
    desk.crm.drop(5, 6, 7)

    second = desk.run("once")
    assert second.status == 3, "three more are as many as the guard holds"
    assert desk.listed == set(range(5, 11))
    again = desk.run("approve", "renewals", digest)
    assert (again.status, again.out, again.err.count("\n")) == (1, "", 1)


def test_one_change_is_told_as_one(desk: CommandLine) -> None:
    desk.more = GUARD.replace("max_removals = 2", "max_removal_percent = 10")
    desk.crm.want(1, 2, 3, 4, 5)
    desk.run("once")
    desk.crm.drop(1)
    finished = desk.run("once")
    assert finished.status == 3
    held = desk.run("held", "renewals").out
    assert ": 1 removal, 0 additions\n" in held
    assert " more: " not in held
    [digest] = re.findall(r"approve renewals (\w+)", held)
    assert desk.run("approve", "renewals", digest).out.startswith(f"renewals: 1 change of {digest} let through")


def test_csv_tells_times_in_utc_and_has_its_heading_also_when_nothing_is_held(desk: CommandLine) -> None:
    heading = "campaign,customer,kind,rule,call_at\n"
    assert desk.run("held", "--csv").out == heading
    desk.more = GUARD
    desk.crm.want(*range(1, 12), at="2026-11-25 10:00:00+02:00")
    assert desk.run("once").status == 3
    rows = list(csv.DictReader(io.StringIO(desk.run("held", "--csv").out)))
    assert [row["customer"] for row in rows] == [str(customer) for customer in range(1, 12)]
    assert {row["call_at"] for row in rows} == {"2026-11-25T08:00:00Z"}


def test_looking_at_what_is_held_sends_nothing_and_changes_nothing(desk: CommandLine, database: str) -> None:
    hold_removals(desk)
    record = "SELECT (SELECT max(xmin::text) FROM held_plan), count(*) FROM held_change"
    before = query_state(database, record)
    for form in ((), ("--json",), ("--csv",)):
        assert desk.run("held", *form).status == 0
        assert list(desk.tenant.log) == []
    assert query_state(database, record) == before


def test_an_expired_approval_says_so_and_frees_nobody(desk: CommandLine, database: str) -> None:
    digest = hold_removals(desk)
    assert desk.run("approve", "renewals", digest).status == 0
    query_state(database, "UPDATE approval SET expires_at = now() - interval '1 minute' RETURNING 1")
    assert desk.run("once").status == 3
    assert len(desk.listed) == 10
    desk.crm.want(1, 2, 3, 4)
    assert desk.run("once").status == 0
    late = desk.run("approve", "renewals", digest)
    assert late.status == 1
    assert "that approval has expired" in late.err


def test_a_campaign_that_never_ran_holds_nothing_and_a_name_that_is_wrong_is_bad_usage(desk: CommandLine) -> None:
    refused = desk.run("approve", "renewals", "0123456789ab")
    assert refused.status == 1
    assert refused.err == (
        "syncd: campaign renewals: 0123456789ab cannot be approved: the campaign holds nothing; "
        "see `syncd held renewals`\n"
    )
    for command in (("held", "renewal"), ("approve", "renewal", "0123456789ab")):
        finished = desk.run(*command)
        assert finished.status == 64
        assert "did you mean renewals?" in finished.err
    assert desk.run("held", "--csv", "--json").status == 64
