"""Status in words: what is well, what to do in each condition, and how long ago and how soon things are."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncd.config import CampaignSettings
from syncd.report.status import document, facts, heading, healthy, next_pass, next_steps
from syncd.report.words import ago, ahead, moment, plain
from syncd.state.held import HeldPlan
from syncd.state.overview import Approved, Counts, Overview, Paused, RecentPass, UnendedPass, Waiting
from syncd.state.passes import PastPass
from syncd.words import Condition, Reason

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query="", every=timedelta(minutes=5))
BY_CRON = replace(SETTINGS, every=None, cron="0 8 * * mon-fri")
HELD = HeldPlan(1, "a7a2e4d2c58d", NOW - timedelta(hours=3), ("4 of 9 records would be removed",), 4, 0)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def past(result: str = "good", sentence: str = "9 desired; 9 added", *, ended: float = 2, passes: int = 1) -> PastPass:
    """Return a pass that ended so many minutes ago."""
    began, end = minutes_ago(ended + passes), minutes_ago(ended)
    return PastPass(7, 1, "run", began, end, "alpha", passes, True, result, sentence, {"listed": 9})


def campaign(condition: Condition = Condition.OK, *, last: PastPass | None = None, **found: Any) -> Overview:
    """Return a campaign that has been in a condition for three hours and whose last pass ended two minutes ago."""
    last = last or past()
    given = {
        "campaign": 1,
        "since": minutes_ago(180),
        "listed_at": minutes_ago(2),
        "last_pass": last,
        "last_good_at": minutes_ago(2),
        "counts": Counts(9, 9, 8, 1, 2, 3, added=0, removed=0, as_of=minutes_ago(2)),
        "recent": (RecentPass(last.began, last.ended, last.result, last.passes),),
    }
    return Overview("renewals", "acmecorp01", 125, condition=condition, **(given | found))


NEVER_RUN = Overview("renewals", "acmecorp01", 125)


def told(overview: Overview, settings: CampaignSettings = SETTINGS) -> dict[str, str]:
    return {fact.label: fact.text for fact in facts(overview, settings, NOW)}


def commands(overview: Overview, settings: CampaignSettings = SETTINGS) -> list[str]:
    return [command for step in next_steps(overview, settings, NOW) for command in step.commands]


# --- what is well ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("condition", Condition)
def test_a_campaign_is_well_while_it_is_ok_new_or_paused_and_its_passes_come(condition: Condition) -> None:
    well = condition in (Condition.OK, Condition.NEW, Condition.PAUSED)
    assert healthy(campaign(condition), SETTINGS, NOW) is well


@pytest.mark.parametrize("condition", Condition)
def test_a_disabled_campaign_is_nobodys_concern_whatever_it_was(condition: Condition) -> None:
    disabled = replace(SETTINGS, enabled=False)
    assert healthy(campaign(condition), disabled, NOW)
    assert [step.commands for step in next_steps(campaign(condition), disabled, NOW)] == [()]
    assert heading(campaign(condition), disabled, NOW).startswith("disabled")


@pytest.mark.parametrize("condition", [Condition.OK, Condition.PAUSED])
def test_a_campaign_whose_passes_do_not_come_is_not_well_and_says_where_to_look(condition: Condition) -> None:
    late = campaign(condition, last=past(ended=16))
    assert not healthy(late, SETTINGS, NOW)
    assert next_pass(late, SETTINGS, NOW) == "overdue"
    assert next_steps(late, SETTINGS, NOW)[0].what.startswith("No pass came when one should have")
    assert healthy(replace(late, running=UnendedPass(minutes_ago(1), "alpha")), SETTINGS, NOW)


def test_a_new_campaign_is_well_within_its_first_interval_and_not_while_nothing_is_to_run_it() -> None:
    planned = replace(NEVER_RUN, campaign=1, since=minutes_ago(1), due_at=NOW + timedelta(minutes=1))
    assert healthy(planned, SETTINGS, NOW)
    assert healthy(replace(planned, due_at=None), SETTINGS, NOW)
    assert not healthy(replace(planned, since=minutes_ago(16), due_at=None), SETTINGS, NOW)
    for settings in (SETTINGS, BY_CRON):
        assert not healthy(NEVER_RUN, settings, NOW)


def test_a_suppressed_customer_in_the_campaign_for_over_an_hour_is_not_well_even_in_a_pause() -> None:
    paused = campaign(Condition.PAUSED, suppressed_in=Waiting(1, minutes_ago(60)))
    assert healthy(paused, SETTINGS, NOW)
    late = replace(paused, suppressed_in=Waiting(1, minutes_ago(61)))
    assert not healthy(late, SETTINGS, NOW)
    assert "agents" in next_steps(late, SETTINGS, NOW)[0].what


# --- what to do ------------------------------------------------------------------------------------------------------


def test_nothing_is_to_be_done_about_a_campaign_that_is_ok() -> None:
    assert next_steps(campaign(), SETTINGS, NOW) == []


@pytest.mark.parametrize(
    ("overview", "typed"),
    [
        (NEVER_RUN, ["syncd plan renewals", "syncd once renewals"]),
        (campaign(Condition.PARTIAL), ["syncd once renewals"]),
        (campaign(Condition.HELD, held=HELD), ["syncd held renewals", "syncd approve renewals a7a2e4d2c58d"]),
        (campaign(Condition.HELD), ["syncd once renewals"]),
        (campaign(Condition.BLOCKED), ["syncd check", "syncd once renewals"]),
        (campaign(Condition.FAILING), ["syncd check", "syncd once renewals"]),
        (campaign(Condition.PAUSED, paused=Paused(NOW, "ann", "")), ["syncd resume renewals"]),
        (campaign(Condition.PAUSED), ["syncd once renewals"]),
        (campaign(parked={Reason.NOT_IN_CRM: 2}), ["syncd parked renewals", "syncd retry renewals"]),
        (campaign(parked={"given-up": 2}), ["syncd parked renewals", "syncd retry renewals"]),
        (campaign(parked={Reason.TOO_FAR_AHEAD: 2}), []),
    ],
)
def test_each_condition_has_the_commands_to_type_next(overview: Overview, typed: list[str]) -> None:
    assert commands(overview) == typed


def test_every_condition_but_ok_has_a_next_step() -> None:
    for condition in set(Condition) - {Condition.OK}:
        assert next_steps(campaign(condition), SETTINGS, NOW), condition


def test_a_held_plan_that_failing_passes_leave_behind_is_told_beside_the_failure() -> None:
    steps = next_steps(campaign(Condition.FAILING, held=HELD), SETTINGS, NOW)
    assert [step.commands[0] for step in steps] == ["syncd held renewals", "syncd check"]


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_campaign_that_is_ok_tells_its_passes_its_listing_and_its_counts_and_no_more() -> None:
    assert told(campaign(due_at=NOW + timedelta(minutes=3))) == {
        "last pass": "2 min ago, good: 9 desired; 9 added",
        "listing": "read whole 2 min ago",
        "counts": "9 desired, 3 suppressed; 9 in the campaign (8 ours, 1 foreign; 2 completed)",
        "next pass": "in 3 min (2026-11-24 12:03 UTC)",
    }
    assert heading(campaign(), SETTINGS, NOW) == "ok since 2026-11-24 09:00 UTC (3 h ago)"


def test_one_that_never_ran_says_so() -> None:
    assert heading(NEVER_RUN, SETTINGS, NOW) == "new, no pass has run yet"
    assert told(NEVER_RUN) == {
        "listing": "not read whole yet",
        "next pass": "overdue: `syncd run` plans it, `syncd once` runs one now, expected every 5m",
    }
    assert told(NEVER_RUN, BY_CRON)["next pass"] == "not planned: `syncd run` plans it, `syncd once` runs one now"


def test_one_whose_only_pass_was_stopped_is_new_and_has_a_pass() -> None:
    stopped = campaign(Condition.NEW, last=past("stopped", "nothing was read; stopped before its end"))
    assert heading(stopped, SETTINGS, NOW) == "new, no pass has come to its end yet"


def test_what_was_sent_after_the_counting_is_told_with_it() -> None:
    counts = Counts(9, 0, 0, 0, 0, 3, added=1499, removed=2, as_of=minutes_ago(2))
    assert told(campaign(counts=counts))["counts"].endswith(
        "(0 ours, 0 foreign; 0 completed), then 1,499 added and 2 removed"
    )


def test_counts_of_an_older_pass_say_how_old_they_are() -> None:
    failing = campaign(
        Condition.FAILING,
        last=past("failed", "source crm: no connection"),
        counts=Counts(9, 9, 8, 1, 2, 3, added=0, removed=0, as_of=minutes_ago(180)),
        last_good_at=minutes_ago(180),
    )
    found = told(failing)
    assert found["counts"].endswith(", as of 3 h ago")
    assert found["last good"] == "3 h ago"
    assert told(replace(failing, last_good_at=None))["last good"] == "no pass has been good yet"


def test_passes_without_news_and_one_that_died_are_told_as_what_they_are() -> None:
    several = past(sentence="in step, nothing to do", passes=118)
    assert told(campaign(last=several))["last pass"] == (
        "2 min ago, good, the last of 118 without news since 2 h ago: in step, nothing to do"
    )
    died = replace(past("died", "The pass did not end."), ended=None)
    assert told(campaign(last=died))["last pass"] == "began 3 min ago on alpha and died"
    found = told(campaign(died=UnendedPass(minutes_ago(20), "alpha"), running=None))
    assert found["died"] == "a pass never ended, begun 20 min ago on alpha; the next one settles what it left"


def test_a_pass_that_runs_says_since_when_and_where() -> None:
    assert (
        told(campaign(running=UnendedPass(minutes_ago(4), "alpha")))["next pass"]
        == "runs now, begun 4 min ago on alpha"
    )
    assert told(campaign(running=UnendedPass(None, None)))["next pass"] == "runs now"


def test_what_is_held_and_approved_is_told_with_its_digest() -> None:
    found = told(campaign(Condition.HELD, last=past("held", "all of it again"), held=HELD))
    assert found["held"] == "4 removals and 0 additions since 3 h ago (a7a2e4d2c58d): 4 of 9 records would be removed"
    assert found["last pass"] == "2 min ago, held"
    approved = Approved("a7a2e4d2c58d", "ann", minutes_ago(1), NOW + timedelta(hours=24))
    assert told(campaign(Condition.HELD, approved=approved))["approved"] == (
        "a7a2e4d2c58d by ann 1 min ago; what is left of it goes out with the next passes, until 2026-11-25 12:00 UTC"
    )


def test_who_waits_is_counted_with_the_age_of_the_first() -> None:
    found = told(
        campaign(
            Condition.PARTIAL,
            parked={"given-up": 3, Reason.NOT_IN_CRM: 1200},
            deferred=Waiting(2, minutes_ago(35)),
            suppressed_in=Waiting(1, minutes_ago(5)),
            open_claims=1,
            paused=Paused(minutes_ago(30), "ann", "new script"),
        )
    )
    assert found["parked"] == "3 given up after weeks of refusals, 1,200 not in the vendor's CRM"
    assert found["deferred"] == (
        "2 customers wait to be removed until an agent lets go of the record, since 35 min ago"
    )
    assert found["suppressed"] == "1 customer must not be called, and is not known to be out, since 5 min ago"
    assert found["unanswered"] == "a call got no answer for 1 customer; the listing settles it"
    assert found["paused"] == "30 min ago by ann: new script; suppressions go on"


def test_what_others_have_written_is_harmless_on_a_terminal() -> None:
    hostile = "down\x1b[2J\r\nand\u202e out\x07"
    found = told(
        campaign(
            last=past("failed", hostile),
            paused=Paused(NOW, hostile, hostile),
            held=replace(HELD, sentences=(hostile,)),
            approved=Approved("d", hostile, NOW, NOW),
        )
    )
    assert all(text.isprintable() for text in found.values())
    assert plain(hostile) == "down [2J and out"


def test_json_has_null_where_nothing_is_known() -> None:
    found = document(NEVER_RUN, SETTINGS, NOW)
    assert (found["condition"], found["healthy"], found["enabled"]) == ("new", False, True)
    for key in ("desired", "listed", "ours", "foreign", "suppressed", "held", "last_pass", "next_pass", "since"):
        assert found[key] is None, key
    assert found["parked"] == {}


# --- how long ago, how soon ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "before", "after"),
    [
        (0, "just now", "now"),
        (59, "just now", "in less than a minute"),
        (60, "1 min ago", "in 1 min"),
        (3599, "59 min ago", "in 59 min"),
        (3600, "1 h ago", "in 1 h"),
        (86_399, "23 h ago", "in 23 h"),
        (86_400, "1 day ago", "in 1 day"),
        (172_800, "2 days ago", "in 2 days"),
    ],
)
def test_ages_are_told_as_people_say_them(seconds: int, before: str, after: str) -> None:
    span = timedelta(seconds=seconds)
    assert (ago(NOW - span, NOW), ahead(NOW + span, NOW)) == (before, after)


def test_a_clock_that_differs_between_hosts_makes_no_nonsense() -> None:
    later = NOW + timedelta(seconds=90)
    assert ago(later, NOW) == "just now"
    assert ahead(NOW - timedelta(hours=2), NOW) == "now"


def test_a_moment_is_told_in_utc() -> None:
    assert moment(datetime.fromisoformat("2026-11-24T10:05:59+02:00")) == "2026-11-24 08:05 UTC"
