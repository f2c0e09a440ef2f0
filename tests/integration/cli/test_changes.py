"""``syncd changes``: the journal as people read it, as CSV and as JSON, however long it is."""

import csv
import io
import os
import re
import string
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from command_line import SECOND, CommandLine, query_state, wait_until
from test_terminal import on_a_terminal

from syncd.simulator import Call, FaultKind


def told(desk: CommandLine, *arguments: object) -> list[str]:
    """Return the lines of the journal without their times."""
    finished = desk.run("changes", *arguments)
    assert (finished.status, finished.err) == (0, "")
    return [re.sub(r"^20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  ", "", line) for line in finished.out.splitlines()]


def fill(database: str, rows: int) -> None:
    """Put changes on record, a hundred a second, the last one just now."""
    query_state(
        database,
        "INSERT INTO change (at, pass, customer, campaign, kind, rule, outcome)"
        " SELECT now() - n * interval '0.01 s', 1, n, (SELECT id FROM campaign), 'add', 'new', 'done'"
        f" FROM generate_series(1, {rows}) n RETURNING 1",
    )


# --- what is told ----------------------------------------------------------------------------------------------------


def test_each_change_is_told_with_why_and_what_the_vendor_answered(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 100_001)
    desk.run("once")
    desk.crm.drop(1)
    desk.crm.suppress(2)
    desk.run("once")
    added, other, refused, suppressed, removed = told(desk)
    assert added == "renewals 1: add done (HTTP 200), because it needs a call, and is not in the campaign"
    assert other == added.replace("renewals 1", "renewals 2")
    assert refused == (
        "renewals 100001: add refused (not-in-crm, HTTP 404), because it needs a call, and is not in the campaign;"
        " the vendor says: The customer-id has not been found."
    )
    assert re.fullmatch(
        r"renewals 2: remove done \(HTTP \d+\), because it must not be called, and is in the campaign;"
        r" out 0s after the list showed it",
        suppressed,
    )
    assert removed.startswith("renewals 1: remove done (HTTP ")
    assert removed.endswith("because it needs no call any more")


def test_a_call_that_got_no_answer_is_told_twice_when_it_was_made_and_when_the_listing_settled_it(
    desk: CommandLine,
) -> None:
    desk.crm.want(1)
    desk.strike(FaultKind.MISSING_ENTRIES, Call.ADD, share=1.0)
    assert desk.run("once").status == 4
    desk.tenant.faults.clear()
    assert desk.run("once").status == 0
    asked, settled = told(desk)
    assert asked.startswith("renewals 1: add unknown (")
    assert settled.startswith("renewals 1: add done (no-answer), because it got no answer, and the listing shows what")
    assert desk.run("changes", "--json").document["changes"][1]["rule"] == "settled"


def test_a_change_that_a_person_let_through_says_so(desk: CommandLine) -> None:
    desk.more = "[campaigns.renewals.guard]\nmax_new_query_additions = 1\nfew = 0"
    desk.crm.want(1, 2)
    digest = re.search(r"syncd approve renewals (\w+)", desk.run("once").out)
    assert digest
    desk.run("approve", "renewals", digest[1])
    desk.run("once")
    assert [line.endswith("; approved by a person") for line in told(desk)] == [True, True]


def test_what_the_vendor_says_is_harmless_on_a_terminal(desk: CommandLine, database: str) -> None:
    desk.crm.want(1)
    desk.run("once")
    query_state(database, "UPDATE change SET message = E'no\\x1b[2J\\r\\nway\\u202e' RETURNING 1")
    finished = desk.run("changes")
    assert finished.out.rstrip("\n").isprintable()
    assert finished.out.endswith("; the vendor says: no [2J way\n")
    _, row = desk.run("changes", "--csv").out.splitlines()
    assert row.isprintable()
    assert "\x1b" not in desk.run("changes", "--json").out


# --- which changes ---------------------------------------------------------------------------------------------------


def test_without_more_it_is_the_last_day_and_since_goes_further_back(desk: CommandLine, database: str) -> None:
    desk.crm.want(1)
    desk.run("once")
    desk.crm.want(2)
    desk.run("once")
    # Two days ago may be another week, of which the journal has no part yet.
    query_state(database, "SELECT 1; CREATE TABLE change_long_ago PARTITION OF change DEFAULT")
    query_state(database, "UPDATE change SET at = at - interval '2 days' WHERE customer = 1 RETURNING 1")
    assert [line[:11] for line in told(desk)] == ["renewals 2:"]
    before = (datetime.now(UTC) - timedelta(days=3)).replace(microsecond=0)
    for since in ("3d", "72h", before.isoformat(), f"{before:%Y-%m-%d}", f"{before:%Y-%m-%dT%H:%M}"):
        assert [line[:11] for line in told(desk, "--since", since)] == ["renewals 1:", "renewals 2:"], since
    after = datetime.now(UTC) + timedelta(hours=5)
    assert told(desk, "--since", f"{after:%Y-%m-%dT%H:%M}")[0].startswith("No change is on record since ")
    berlin = after.replace(tzinfo=None).isoformat(timespec="minutes") + "+09:00"
    assert told(desk, "--since", berlin), "an offset counts"


@pytest.mark.parametrize("since", ["", "yesterday", "2 h", "-2h", "2026-13-01", "99999999999h", "10:00"])
def test_a_time_that_is_none_is_one_clear_line_and_64(desk: CommandLine, since: str) -> None:
    finished = desk.run("changes", "--since", since)
    assert (finished.status, finished.out, finished.err.count("\n")) == (64, "", 1)
    assert "give a duration back from now" in finished.err


def test_a_pass_is_shown_alone_and_also_when_the_file_has_its_campaign_no_more(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    desk.crm.want(1)
    desk.run("once")
    assert [line[:11] for line in told(desk)] == ["renewals 1:", "winback 1: "]
    desk.more = ""
    assert [line[:11] for line in told(desk)] == ["renewals 1:"]
    assert [line[:11] for line in told(desk, "--pass", 2)] == ["winback 1: "]
    assert told(desk, "renewals", "--pass", 2) == ["No change is on record of pass 2."]
    assert told(desk, "--pass", 99) == ["No change is on record of pass 99."]


def test_a_renamed_campaign_has_its_new_name(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    desk.crm.want(1)
    desk.run("once")
    desk.more = SECOND.replace("winback", "again")
    assert told(desk, "again")[0].startswith("again 1: ")


@pytest.mark.parametrize(
    "arguments", [("renewal",), ("--pass", "0"), ("--pass", "x"), ("--pass", str(2**64)), ("--csv", "--json")]
)
def test_what_makes_no_sense_is_bad_usage(desk: CommandLine, arguments: tuple[str, ...]) -> None:
    finished = desk.run("changes", *arguments)
    assert (finished.status, finished.err.count("\n")) == (64, 1)


def test_a_state_that_is_out_of_reach_is_one_line_and_1(desk: CommandLine) -> None:
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    for form in ((), ("--csv",), ("--json",)):
        finished = desk.run("changes", *form)
        assert (finished.status, finished.out, finished.err.count("\n")) == (1, "", 1)


# --- forms -----------------------------------------------------------------------------------------------------------


def test_csv_and_json_have_the_same_rows_under_the_keys_of_the_readme(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 100_001)
    desk.run("once")
    desk.crm.suppress(2)
    desk.strike(FaultKind.LATENCY, Call.DELETE, seconds=0.1)
    desk.run("once")
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    [row] = re.findall(r"^\| `changes` \| `changes`, (.*)$", readme, re.MULTILINE)
    keys = re.findall(r"`(\w+)`", row)

    document = desk.run("changes", "--json").document["changes"]
    rows = list(csv.DictReader(io.StringIO(desk.run("changes", "--csv").out)))
    assert [list(one) for one in document] == [list(one) for one in rows] == [keys] * 4
    for told_so, written in zip(document, rows, strict=True):
        assert datetime.fromisoformat(written["at"]) == datetime.fromisoformat(told_so["at"]).replace(microsecond=0)
        same = keys[1:-2]
        assert [written[key] for key in same] == ["" if told_so[key] is None else str(told_so[key]) for key in same]
    assert [one["reason"] for one in document] == [None, None, "not-in-crm", None]
    assert document[3]["delay_seconds"] > 0.1
    assert document[0]["delay_seconds"] is None
    assert (rows[0]["approved"], rows[0]["delay_seconds"]) == ("false", "")


def test_csv_has_no_formula_of_anybodys_making(desk: CommandLine, database: str) -> None:
    desk.section = """ "=cmd|' /C calc'!A0" """
    desk.crm.want(1)
    assert desk.run("once").status == 0
    query_state(database, "UPDATE change SET message = '@SUM(1)', reason = '-1+1' RETURNING 1")
    desk.crm.want(2, 3, "=4", "@5", "\t=6", "-7")
    assert desk.run("once").status == 3, "too many rows have no usable id"
    planned = desk.run("plan", "--csv").out
    for out in (planned, desk.run("held", "--csv").out, journal := desk.run("changes", "--csv").out):
        rows = list(csv.reader(io.StringIO(out)))
        assert rows[1:]
        assert {cell[0] for row in rows for cell in row if cell} <= set("'0123456789" + string.ascii_letters)
        assert "'=cmd|' /C calc'!A0" in rows[1]
    assert ",'-1+1,200,'@SUM(1),false," in journal


def test_nothing_on_record_is_an_empty_document_and_a_heading(desk: CommandLine) -> None:
    assert desk.run("changes", "--json").document == {"changes": []}
    assert desk.run("changes", "--csv").out.startswith("at,campaign,pass,customer,")
    assert told(desk)[0].startswith("No change is on record since ")


def test_a_terminal_folds_a_row_below_itself_within_80_columns(desk: CommandLine) -> None:
    desk.crm.want(100_001)
    desk.run("once")
    status, sent = on_a_terminal(desk, "changes")
    first, *rest = sent.splitlines()
    assert status == 0
    assert re.match(r"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d  renewals 100001: add refused", first)
    assert rest
    assert all(line.startswith(" " * 21) for line in rest)
    assert max(map(len, (first, *rest))) <= 80


# --- long journals ---------------------------------------------------------------------------------------------------


def test_memory_stays_flat_however_long_the_journal_is(desk: CommandLine, database: str) -> None:
    desk.run("once")
    peaks = []
    for rows in (1, 50_000):
        fill(database, rows)
        process = desk.start("changes", "--csv", stdout=subprocess.PIPE)
        assert process.stdout is not None
        lines = sum(1 for _ in process.stdout)
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert (process.returncode, lines) == (0, rows + 1 + (rows > 1))
        peaks.append(used.ru_maxrss)
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()
    assert peaks[1] - peaks[0] < 15_000, "kilobytes"


def test_a_reader_that_takes_its_time_keeps_no_transaction_open(desk: CommandLine, database: str) -> None:
    desk.run("once")
    fill(database, 20_000)
    states = (
        "SELECT state FROM pg_stat_activity WHERE query LIKE 'FETCH%' AND datname = current_database()"
        # It waits for its reader, and is not between two looks.
        " AND state_change < clock_timestamp() - interval '1 s'"
    )
    with desk.start("changes", "--json") as process:
        wait_until(lambda: query_state(database, states), process)
        assert query_state(database, states) == [("idle",)]
        # What the journal's old parts are dropped with.
        assert query_state(database, "SELECT 1; LOCK TABLE change IN ACCESS EXCLUSIVE MODE NOWAIT")
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err, out.count('"customer"')) == (0, "", 20_000)


def test_a_reader_that_has_seen_enough_is_no_error(desk: CommandLine, database: str) -> None:
    desk.run("once")
    fill(database, 20_000)
    with desk.start("changes") as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1
