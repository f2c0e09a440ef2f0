"""Commands that syncd prints are for copying into a shell, whatever a campaign is called."""

import json
import re
import shlex

from command_line import CommandLine
from test_terminal import on_a_terminal

from syncd.words import command

NAME = """it's "ours", $HOME & all"""
SECTION = json.dumps(NAME)


def copied(text: str) -> list[list[str]]:
    """Return the words of each command in a text that names the campaign, as a shell takes them."""
    commands = re.findall(rf"syncd \w+ {re.escape(shlex.quote(NAME))}(?: (?:--\w+|[0-9a-f]{{12}}))?", text)
    return [shlex.split(one) for one in commands]


def test_a_command_has_each_of_its_words_as_a_shell_takes_it() -> None:
    assert command("once", "renewals") == "syncd once renewals"
    assert shlex.split(command("approve", NAME, "0123456789ab")) == ["syncd", "approve", NAME, "0123456789ab"]


def test_reports_name_the_campaign_as_a_shell_takes_it(desk: CommandLine) -> None:
    desk.section = SECTION
    desk.more = f"[campaigns.{SECTION}.guard]\nmax_removals = 1\nfew = 0"
    desk.crm.want(*range(1, 14), 100_001)
    assert desk.run("once").status == 0
    desk.crm.drop(*range(1, 14))
    assert [words[1] for words in copied(desk.run("plan").out)] == ["held", "once"]
    once = desk.run("once")
    assert once.status == 3
    assert [words[1] for words in copied(once.out)] == ["held", "approve"]

    held = desk.run("held").out
    *_, more, (*approve, digest) = copied(held)
    assert more == ["syncd", "held", NAME, "--csv"]
    assert approve == ["syncd", "approve", NAME]
    steps = [step for one in desk.run("status", "--json").document["campaigns"] for step in one["next_steps"]]
    assert [copied(line)[0][1:] for step in steps for line in step["commands"]] == [
        ["held", NAME],
        ["approve", NAME, digest],
        ["parked", NAME],
        ["retry", NAME],
    ]
    assert copied(desk.run("explain", 1).out)[-1] == ["syncd", "approve", NAME, digest]
    _, shown = on_a_terminal(desk, "parked")
    assert copied(shown.replace("\r", ""))[-1] == ["syncd", "retry", NAME]
    refused = desk.run("approve", NAME, "0123456789ab").err
    assert copied(refused) == [["syncd", "held", NAME]]

    assert desk.run(*approve[1:], digest).status == 0
    assert desk.run("pause", NAME).status == 0
    [resume] = copied(desk.run("explain", 1).out.splitlines()[-1])
    assert desk.run(*resume[1:]).status == 0
