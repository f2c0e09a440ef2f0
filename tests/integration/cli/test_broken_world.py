"""A world in which everything is wrong at once: ``status`` alone tells the cause of each trouble, and what to type."""

import re
from collections.abc import Mapping

import pytest
from command_line import CommandLine
from test_terminal import on_a_terminal

from syncd.vendor import CampaignState

WORLD = """
[campaigns.renewals.guard]
max_new_query_additions = 10
few = 0

[campaigns.parking]
id = 126
tenant = "acme"
source = "crm"
query = "SELECT 100001 AS customer_id UNION ALL SELECT 100002"

[campaigns.blocked]
id = 127
tenant = "acme"
source = "crm"
query = "SELECT 1 AS customer_id"

[campaigns.refused]
id = 128
tenant = "globex"
source = "crm"
query = "SELECT 1 AS customer_id"

[campaigns.sourceless]
id = 129
tenant = "acme"
source = "erp"
query = "SELECT 1 AS customer_id"

[tenants.globex]
base_url = "{url}"
username = "globexcorp01"
action_token = "env:WRONG_TOKEN"
data_token = "env:WRONG_TOKEN"
timeout = "1s"

[sources.erp]
url = "sqlite:///{directory}/nowhere.sqlite"
"""


@pytest.fixture
def broken(desk: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A desk with a campaign for each trouble, after one pass over each."""
    desk.tokens["WRONG_TOKEN"] = "a-wrong-token"
    monkeypatch.setenv("WRONG_TOKEN", "a-wrong-token")
    desk.more = WORLD.format(url=desk.url, directory=desk.directory)
    desk.crm.want(*range(1, 21))
    for number in (126, 128, 129):
        desk.tenant.add_campaign(number)
    desk.tenant.add_campaign(127, state=CampaignState.NEW)
    assert desk.run("once").status == 1
    return desk


def told(shown: str) -> Mapping[str, str]:
    """Return what is told of each campaign, on one line each."""
    blocks = re.split(r"^(?=\S+: )", shown, flags=re.MULTILINE)
    return {block.split(":")[0]: " ".join(block.split()) for block in blocks if ": " in block}


def typed(block: str) -> list[str]:
    """Return the commands that are to be typed."""
    return re.findall(r"syncd \w+(?: renewals| parking| blocked| refused| sourceless)?(?: [0-9a-f]{12})?", block)


def test_status_alone_tells_the_cause_of_each_trouble_and_what_to_type_next(broken: CommandLine) -> None:
    finished = broken.run("status")
    found = told(finished.out)
    assert finished.status == 1
    assert list(found) == ["renewals", "parking", "blocked", "refused", "sourceless"]

    assert found["renewals"].startswith("renewals: held since ")
    assert "max_new_query_additions = 10" in found["renewals"]
    digest = re.search(r"\((\w{12})\)", found["renewals"])
    assert digest
    assert typed(found["renewals"])[-2:] == ["syncd held renewals", f"syncd approve renewals {digest[1]}"]

    assert found["parking"].startswith("parking: ok since ")
    assert "parked 2 not in the vendor's CRM" in found["parking"]
    assert typed(found["parking"])[-2:] == ["syncd parked parking", "syncd retry parking"]

    assert found["blocked"].startswith("blocked: blocked since ")
    assert "it has not been started" in found["blocked"]
    assert typed(found["blocked"])[-2:] == ["syncd check", "syncd once blocked"]

    assert found["refused"].startswith("refused: failing since ")
    assert "tenant globex: the login is refused" in found["refused"]
    assert "check username and tokens" in found["refused"]
    assert typed(found["refused"])[-2:] == ["syncd check", "syncd once refused"]

    assert found["sourceless"].startswith("sourceless: failing since ")
    assert "source erp: " in found["sourceless"]
    assert "nowhere.sqlite" in found["sourceless"]
    assert typed(found["sourceless"])[-2:] == ["syncd check", "syncd once sourceless"]

    assert "a-wrong-token" not in finished.out


def test_the_next_steps_are_commands_that_exist_and_help(broken: CommandLine) -> None:
    [held, approve] = typed(told(broken.run("status").out)["renewals"])[-2:]
    assert broken.run(*held.split()[1:]).out.startswith("renewals: held since ")
    assert broken.run(*approve.split()[1:]).status == 0
    broken.tenant.campaigns[127].set_state(CampaignState.MANUAL_RUNNING)
    broken.tenant.add_customers([100_001, 100_002])
    assert broken.run("retry", "parking").status == 0
    assert broken.run("once", "renewals", "blocked", "parking").status == 0
    found = told(broken.run("status").out)
    for name in ("renewals", "blocked", "parking"):
        assert found[name].startswith(f"{name}: ok since "), found[name]
        assert "next step" not in found[name]


def test_a_terminal_shows_all_of_it_within_80_columns_under_a_table(broken: CommandLine) -> None:
    status, sent = on_a_terminal(broken, "status")
    lines = sent.splitlines()
    assert status == 1
    assert lines[0].split() == ["campaign", "condition", "desired", "listed", "last", "pass", "next", "pass"]
    assert [line.split()[:2] for line in lines[1:6]] == [
        ["renewals", "held"],
        ["parking", "ok"],
        ["blocked", "blocked"],
        ["refused", "failing"],
        ["sourceless", "failing"],
    ]
    assert lines[6] == ""
    assert list(told("\n".join(lines[7:]))) == ["renewals", "parking", "blocked", "refused", "sourceless"]
    assert max(map(len, lines)) <= 80
