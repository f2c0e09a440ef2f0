"""``pause`` and ``resume``: what is put on record, and what a campaign does meanwhile."""

from command_line import SECOND, CommandLine, query_state

from syncd.cli.application import operator


def test_a_pause_is_on_record_with_who_said_so_and_why(desk: CommandLine, database: str) -> None:
    desk.run("pause", "renewals", "--reason", "new\n script")
    recorded = "SELECT name, paused_by, pause_reason, paused_at IS NOT NULL FROM campaign"
    assert query_state(database, recorded) == [("renewals", operator(), "new script", True)]
    desk.run("resume", "renewals")
    assert query_state(database, recorded) == [("renewals", None, None, False)]


def test_a_pause_without_a_reason_is_told_without_one(desk: CommandLine) -> None:
    assert desk.run("pause", "renewals").status == 0
    assert desk.run("pause", "renewals").out.endswith(f" UTC by {operator()}; nothing was changed\n")


def test_pausing_one_campaign_leaves_the_other_at_work_and_all_stops_both(desk: CommandLine) -> None:
    desk.tenant.add_campaign(126)
    desk.more = SECOND
    desk.crm.want(1)
    desk.run("pause", "renewals")
    first = desk.run("once")
    assert (first.status, first.out) == (0, "renewals: nothing was read; paused\nwinback: 1 desired; 1 added\n")

    paused = desk.run("pause", "--all").out.splitlines()
    assert paused[0].startswith("renewals: is paused already, since ")
    assert paused[1] == "winback: paused; suppressions go on"
    assert desk.run("resume", "--all").out.count("goes on with its next pass") == 2


def test_a_campaign_paused_before_its_first_pass_keeps_that_pass_from_adding(desk: CommandLine) -> None:
    desk.crm.want(1)
    desk.run("pause", "renewals")
    finished = desk.run("once")
    assert finished.status == 0
    assert "paused" in finished.out
    assert desk.writes == []
    desk.run("resume", "renewals")
    desk.run("once")
    assert desk.listed == {1}


def test_resuming_a_campaign_that_never_ran_changes_nothing(desk: CommandLine, database: str) -> None:
    assert desk.run("resume", "renewals").out == "renewals: is not paused; nothing was changed\n"
    assert query_state(database, "SELECT name FROM campaign") == []
    wrong = desk.run("resume", "renewal")
    assert wrong.status == 64
    assert "did you mean renewals?" in wrong.err
