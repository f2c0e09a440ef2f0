"""``syncd status``: how a campaign stands, the cause and the next step of each trouble, and what a monitor is told."""

import re
import time
from pathlib import Path

import pytest
from command_line import SECOND, CommandLine, query_state, wait_until
from test_terminal import on_a_terminal

from syncd.cli.application import operator
from syncd.simulator import Call, FaultKind
from syncd.vendor import RecordStatus
from tests.stage import CAMPAIGN

OPEN, WITH_AGENT = RecordStatus.NEW, RecordStatus.ACCEPTED
GUARD = "[campaigns.renewals.guard]\nmax_removals = 2\nfew = 0"


def told(desk: CommandLine, status: int) -> dict[str, str]:
    """Return what ``status`` tells of a campaign by label, the heading as ``renewals``; it ends with this status."""
    finished = desk.run("status")
    assert (finished.status, finished.err) == (status, "")
    first, *lines = finished.out.splitlines()
    found = {"renewals": first.removeprefix("renewals: ")}
    label = ""
    for line in lines:
        label = line[2:13].strip() or label
        found[label] = f"{found[label]}\n{line[13:]}" if label in found else line[13:]
    return found


# --- cause and next step ---------------------------------------------------------------------------------------------


def test_a_held_plan_is_told_with_its_limit_and_the_command_that_lets_it_through(desk: CommandLine) -> None:
    desk.more = GUARD
    desk.crm.want(*range(1, 21))
    desk.run("once")
    desk.crm.drop(1, 2, 3, 4)
    held = desk.run("once")
    assert held.status == 3
    [approve] = set(re.findall(r"syncd approve renewals \w+", held.out))

    found = told(desk, 1)
    assert found["renewals"].startswith("held since ")
    assert found["held"].startswith("4 removals and 0 additions since just now ")
    assert "max_removals = 2" in found["held"]
    assert found["next step"].splitlines()[1:] == ["syncd held renewals", approve]

    assert desk.run(*approve.split()[1:]).status == 0
    found = told(desk, 1)
    assert f" by {operator()} just now; what is left of it goes out with the next passes" in found["approved"]
    assert found["next step"].splitlines()[1:] == ["syncd once renewals"]
    assert desk.run("once").status == 0
    assert "approved" not in told(desk, 0)


def test_a_wrong_token_is_named_and_never_shown(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.crm.want(1)
    desk.run("once")
    monkeypatch.setenv("DATA_TOKEN", "a-wrong-token")
    monkeypatch.setenv("ACTION_TOKEN", "another-wrong-token")
    assert desk.run("once").status == 1
    found = told(desk, 1)
    assert found["renewals"].startswith("failing since ")
    assert "the login is refused" in found["last pass"]
    assert "check username and tokens with syncd check" in found["last pass"]
    assert found["last good"] == "just now"
    assert found["next step"].splitlines()[1:] == ["syncd check", "syncd once renewals"]
    assert "wrong-token" not in str(found)


def test_a_source_that_is_down_is_named_and_the_last_counts_stay_with_their_age(
    desk: CommandLine, database: str
) -> None:
    desk.crm.want(1, 2, 3)
    desk.run("once")
    query_state(database, "UPDATE pass SET ended = ended - interval '3 hours' RETURNING 1")
    desk.crm.path.rename(desk.directory / "elsewhere.sqlite")
    assert desk.run("once").status == 1
    found = told(desk, 1)
    assert "source crm: " in found["last pass"]
    assert found["counts"].startswith("3 desired, 0 suppressed; ")
    assert found["counts"].endswith(", as of 3 h ago")
    assert found["last good"] == "3 h ago"


def test_a_state_that_is_out_of_reach_is_one_line_and_1(desk: CommandLine) -> None:
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    for form in ((), ("--json",)):
        finished = desk.run("status", *form)
        assert (finished.status, finished.out) == (1, "")
        assert finished.err.startswith("syncd: state database: ")
        assert finished.err.count("\n") == 1


def test_a_removal_that_waits_for_an_agent_is_told_from_its_first_refusal(desk: CommandLine, database: str) -> None:
    desk.crm.want(1, 2, 3)
    desk.run("once")
    for customer in (1, 2):
        desk.tenant.set_record(CAMPAIGN, customer, status=WITH_AGENT)
    desk.crm.drop(1, 2)
    desk.run("once")
    query_state(database, "UPDATE change SET at = at - interval '40 min' WHERE customer = 2 RETURNING 1")
    desk.run("once")
    assert told(desk, 0)["deferred"] == (
        "2 customers wait to be removed until an agent lets go of the record, since 40 min ago"
    )
    desk.tenant.set_record(CAMPAIGN, 2, status=OPEN)
    desk.run("once")
    assert told(desk, 0)["deferred"] == (
        "1 customer waits to be removed until an agent lets go of the record, since just now"
    )
    desk.tenant.set_record(CAMPAIGN, 1, status=OPEN)
    desk.run("once")
    assert "deferred" not in told(desk, 0)


def test_a_suppressed_customer_with_an_agent_is_told_and_after_an_hour_alarms(desk: CommandLine, database: str) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.tenant.set_record(CAMPAIGN, 1, status=WITH_AGENT)
    desk.crm.suppress(1)
    desk.run("once")
    assert told(desk, 0)["suppressed"] == ("1 customer must not be called, and is not known to be out, since just now")
    query_state(database, "UPDATE suppressed_record SET shown_at = shown_at - interval '61 min' RETURNING 1")
    found = told(desk, 1)
    assert found["suppressed"].endswith(" since 1 h ago")
    assert found["next step"].startswith("Have the agents end the calls of the suppressed customers")
    assert "deferred" not in found, "a suppression is told as one"


# --- conditions ------------------------------------------------------------------------------------------------------


def test_a_campaign_without_a_pass_is_new_and_nobody_is_told_that_all_is_well(desk: CommandLine) -> None:
    found = told(desk, 1)
    assert found["renewals"] == "new, no pass has run yet"
    assert found["next step"].splitlines()[1:] == ["syncd plan renewals", "syncd once renewals"]


def test_a_pause_is_told_at_once_with_who_and_why_and_is_healthy(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.run("pause", "renewals", "--reason", "new script")
    for _ in range(2):  # before and after a pass has put it on record
        found = told(desk, 0)
        assert found["renewals"].startswith("paused since ")
        assert found["paused"] == f"just now by {operator()}: new script; suppressions go on"
        assert found["next step"].splitlines()[1:] == ["syncd resume renewals"]
        desk.run("once")
    desk.run("resume", "renewals")
    assert told(desk, 0)["next step"].startswith("It was resumed")


def test_a_pause_does_not_hide_that_the_suppression_list_cannot_be_read(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.run("pause", "renewals")
    desk.crm.run("DROP TABLE do_not_call")
    desk.run("once")
    found = told(desk, 1)
    assert found["renewals"].startswith("failing since ")
    assert "do_not_call" in found["last pass"]
    assert "paused" in found


def test_a_disabled_campaign_is_shown_and_alarms_nobody(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.more = SECOND + "enabled = false"
    finished = desk.run("status")
    assert finished.status == 0
    assert "winback: disabled; new, no pass has run yet\n" in finished.out


def test_a_campaign_that_the_file_has_no_more_is_not_shown(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    desk.run("once")
    desk.more = ""
    assert "winback" not in desk.run("status").out
    desk.more = SECOND.replace("winback", "renamed")
    assert "\nrenamed: ok since " in desk.run("status").out, "its identity is the tenant's user and the number"


def test_a_pass_that_does_not_come_makes_the_status_1(desk: CommandLine, database: str) -> None:
    desk.run("once")
    assert (
        told(desk, 0)["next pass"] == "not planned: `syncd run` plans it, `syncd once` runs one now, expected every 5m"
    )
    query_state(database, "UPDATE pass SET ended = ended - interval '16 min' RETURNING 1")
    found = told(desk, 1)
    assert found["next pass"].startswith("overdue: ")
    assert "see that the daemon or the timer runs" in found["next step"]


def test_a_pass_that_runs_and_one_that_was_killed_are_told_apart(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.crm.want(2)
    desk.strike(FaultKind.HANG, Call.ADD)
    with desk.start("once") as running:
        wait_until(lambda: desk.writes, running)
        status = desk.run_as_it_is("status")
        assert "  next pass  runs now, begun just now on " in status.out
        running.kill()
    limit = time.monotonic() + 60
    while "runs now" in desk.run("status").out:  # until the server has noticed that the process is gone
        assert time.monotonic() < limit
    found = told(desk, 0)
    assert found["died"].startswith("a pass never ended, begun just now on ")
    assert found["next pass"].startswith("not planned")


def test_counts_are_told_with_what_the_pass_then_sent(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 3, 4)
    desk.crm.suppress(4)
    desk.tenant.add_records(CAMPAIGN, [50])
    desk.run("once")
    assert told(desk, 0)["counts"] == (
        "4 desired, 1 suppressed; 1 in the campaign (0 ours, 1 foreign; 0 completed), then 3 added"
    )
    desk.run("once")
    assert told(desk, 0)["counts"] == "4 desired, 1 suppressed; 4 in the campaign (3 ours, 1 foreign; 0 completed)"


# --- forms -----------------------------------------------------------------------------------------------------------


def test_json_tells_the_same_in_the_words_of_the_readme(desk: CommandLine) -> None:
    desk.more = GUARD
    desk.crm.want(*range(1, 21), 100_001)
    desk.run("once")
    desk.crm.drop(1, 2, 3, 4)
    desk.run("once")
    finished = desk.run("status", "--json")
    document = finished.document
    assert (document["healthy"], document["exit_status"], finished.status) == (False, 1, 1)
    [campaign] = document["campaigns"]
    assert [document.keys(), campaign.keys(), campaign["held"].keys()] == keys_told()[:3]
    assert (campaign["condition"], campaign["desired"], campaign["listed"], campaign["ours"]) == ("held", 17, 20, 20)
    assert (campaign["held"]["removals"], campaign["parked"]) == (4, {"not-in-crm": 1})
    assert campaign["next_steps"][0]["commands"][1] == f"syncd approve renewals {campaign['held']['digest']}"
    assert campaign["last_pass"]["result"] == "held"
    assert campaign["last_listing"] == campaign["last_pass"]["began"]


def keys_told() -> list[set[str]]:
    """Return the keys that the README names, row by row."""
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    [body] = re.findall(r"^\| `--json` of \|.*\n\|[ |-]+\n((?:\|.*\n)+)", readme, re.MULTILINE)
    return [set(re.findall(r"`(\w+)`", line.split("|")[2])) for line in body.splitlines()]


def test_one_campaign_on_a_terminal_has_no_table_and_its_lines_fold_within_80_columns(desk: CommandLine) -> None:
    desk.crm.want(*range(1, 1501))
    desk.run("once")
    status, sent = on_a_terminal(desk, "status")
    lines = sent.splitlines()
    assert status == 1
    assert lines[0].startswith("renewals: held since ")
    assert any(re.fullmatch(r" {13}syncd approve renewals \w+", line) for line in lines)
    assert max(map(len, lines)) <= 80
