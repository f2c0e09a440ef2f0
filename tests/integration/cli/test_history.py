"""``syncd history``: past passes, what each decided, and how many of them had no news."""

import re
from pathlib import Path

import pytest
from command_line import SECOND, CommandLine, query_state
from test_terminal import on_a_terminal


def passes(desk: CommandLine, times: int) -> None:
    for _ in range(times):
        assert desk.run("once").status in (0, 5)


def test_passes_are_told_the_newest_first_and_those_without_news_share_a_row(desk: CommandLine) -> None:
    desk.crm.want(1, 2)
    passes(desk, 5)
    desk.crm.want(3)
    passes(desk, 1)
    lines = desk.run("history").out.splitlines()
    assert [re.sub(r"20\d\d-\S+ \S+ UTC|\d+\.\ds|in \d+s", "_", line) for line in lines] == [
        "renewals: pass 6, _, took _, good: 3 desired; 1 added",
        "renewals: pass 3, _, good: 3 passes without news _, the last: 2 desired; in step, nothing to do",
        "renewals: pass 2, _, took _, good: 2 desired; in step, nothing to do",  # the listing showed who was added
        "renewals: pass 1, _, took _, good: 2 desired; 2 added",
    ]


def test_limit_ends_the_rows_of_all_campaigns_together(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    desk.crm.want(1)
    passes(desk, 1)
    desk.crm.want(2)
    passes(desk, 1)
    named = [line.split(",")[0] for line in desk.run("history", "--limit", 3).out.splitlines()]
    assert named == ["winback: pass 4", "renewals: pass 3", "winback: pass 2"]
    assert desk.run("history", "renewals").out.count("\n") == 2


def test_a_campaign_that_the_file_has_no_more_is_left_out(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    passes(desk, 1)
    desk.more = ""
    assert "winback" not in desk.run("history").out


def test_a_pass_that_died_is_told_without_a_duration(desk: CommandLine, database: str) -> None:
    passes(desk, 1)
    query_state(database, "UPDATE campaign SET running = 99, running_since = now(), running_host = 'alpha' RETURNING 1")
    passes(desk, 1)
    died = next(line for line in desk.run("history").out.splitlines() if "pass 99" in line)
    assert re.fullmatch(r"renewals: pass 99, \S+ \S+ UTC, died: The pass did not end\.", died)
    [row] = [one for one in desk.run("history", "--json").document["passes"] if one["pass"] == 99]
    assert (row["ended"], row["host"], row["result"]) == (None, "alpha", "died")


def test_json_has_the_keys_of_the_readme_and_what_a_pass_counted(desk: CommandLine) -> None:
    desk.crm.want(1, 2, 100_001)
    passes(desk, 2)
    [second, first] = desk.run("history", "--json").document["passes"]
    readme = (Path(__file__).parents[3] / "README.md").read_text()
    [row] = re.findall(r"^\| `history` \| (.*?), and what it counted", readme, re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", row)) <= first.keys()
    assert (first["campaign"], first["kind"], first["desired"], first["passes"]) == ("renewals", "once", 3, 1)
    assert first["outcomes"] == {"add": {"done": 2, "refused": 1}}
    assert (second["listed"], second["result"]) == (2, "good")
    counted = desk.run("once", "--json").document["campaigns"][0].keys()
    assert counted - first.keys() == {"condition", "exit_status", "error"}, "what once tells beside it"


def test_a_terminal_has_a_table_of_80_columns_with_a_long_sentence_cut(desk: CommandLine) -> None:
    desk.more = "[campaigns.renewals.guard]\nmax_removals = 2\nmax_removal_percent = 10\nfew = 0" + SECOND
    desk.crm.want(*range(1, 21))
    desk.run("once")
    desk.crm.drop(*range(1, 10))
    desk.run("once")
    status, sent = on_a_terminal(desk, "history")
    lines = sent.splitlines()
    assert status == 0
    assert lines[0].split() == ["pass", "campaign", "when", "took", "result", "what"]
    assert lines[1].split()[:4] == ["4", "winback", "just", "now"]
    assert "…" in sent
    assert max(map(len, lines)) <= 80


def test_no_pass_no_such_campaign_and_no_state_are_one_line_each(desk: CommandLine) -> None:
    assert desk.run("history").out == "No pass is on record.\n"
    assert desk.run("history", "--json").document == {"passes": []}
    wrong = desk.run("history", "renewal")
    assert (wrong.status, wrong.err.count("\n")) == (64, 1)
    assert "did you mean renewals?" in wrong.err
    desk.state = 'url = "postgresql://syncd@127.0.0.1:1/syncd"'
    lost = desk.run("history")
    assert (lost.status, lost.out, lost.err.count("\n")) == (1, "", 1)


@pytest.mark.parametrize("limit", ["0", "-1", "many"])
def test_a_limit_that_is_none_is_bad_usage(desk: CommandLine, limit: str) -> None:
    assert desk.run("history", "--limit", limit).status == 64
