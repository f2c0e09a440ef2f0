"""Which notices are due: conditions, lengths of time and what was told before, case by case."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from syncd.config import NotifySettings
from syncd.report.notices import GRAVITY, Notice, Urgency, due
from syncd.state.held import HeldPlan
from syncd.state.notices import Situation, Subject, Told
from syncd.words import Condition

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
SETTINGS = NotifySettings(after=timedelta(minutes=15), remind=timedelta(hours=24))
PLAN = HeldPlan(1, "0123456789ab", NOW, ["1,201 customers would be added; the limit is 1,000"], 0, 1201)


def minutes_ago(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def campaign_that_is(condition: Condition, minutes: float = 0, *, trouble: float | None = None) -> Situation:
    """Return a campaign that has its condition for so many minutes, and has not been good for ``trouble`` of them."""
    bad = condition in GRAVITY
    return Situation(
        campaign=1,
        condition=condition,
        since=minutes_ago(minutes),
        trouble_since=minutes_ago(minutes if trouble is None else trouble) if bad else None,
        sentence="tenant acme: no connection; try later" if bad else "",
        held=PLAN if condition is Condition.HELD else None,
        late=0,
        late_since=None,
        many=0,
        many_at=None,
    )


def told_of(*what: Condition, minutes: float = 60) -> dict[Subject, Told]:
    return {Subject.TROUBLE: Told(tuple(one.value for one in what), minutes_ago(minutes))} if what else {}


def one_due(situation: Situation, told: dict[Subject, Told] | None = None, **more: datetime) -> Notice | None:
    notices = due("renewals", situation, told or {}, SETTINGS, NOW, **more)
    assert len(notices) < 2
    return notices[0] if notices else None


DAY = 24 * 60
NEW, OK, PARTIAL, HELD = Condition.NEW, Condition.OK, Condition.PARTIAL, Condition.HELD
BLOCKED, FAILING, PAUSED = Condition.BLOCKED, Condition.FAILING, Condition.PAUSED


@pytest.mark.parametrize(
    ("condition", "minutes", "told", "says"),
    [
        (NEW, 0, (), None),
        (OK, 0, (), None),
        (PAUSED, 99, (), None),
        (PARTIAL, 14.9, (), None),
        (PARTIAL, 15, (), "is done in part"),
        (FAILING, 14.9, (), None),
        (FAILING, 15, (), "is failing"),
        (HELD, 0, (), "is held"),
        (BLOCKED, 0, (), "is blocked"),
        # Once each, over all that the trouble becomes.
        (PARTIAL, 30, (PARTIAL,), None),
        (HELD, 30, (HELD,), None),
        (BLOCKED, 30, (BLOCKED,), None),
        (FAILING, 30, (FAILING,), None),
        # Worse is news, after it has lasted; less bad is none, unless a person has to do something.
        (FAILING, 14.9, (PARTIAL,), None),
        (FAILING, 15, (PARTIAL,), "is failing"),
        (FAILING, 15, (HELD, BLOCKED), "is failing"),
        (BLOCKED, 0, (HELD,), "is blocked"),
        (HELD, 0, (BLOCKED,), "is held"),
        (HELD, 0, (FAILING,), "is held"),
        (PARTIAL, 99, (FAILING,), None),
        (PARTIAL, 99, (HELD,), None),
        (FAILING, 99, (HELD, FAILING), None),
        (HELD, 0, (HELD, FAILING), None),
        # A pause is neither trouble nor its end.
        (PAUSED, 2 * DAY, (FAILING,), None),
        (OK, 0, (FAILING,), "is good again"),
        (OK, 0, (HELD, FAILING), "is good again"),
        (NEW, 0, (FAILING,), None),
    ],
)
def test_a_condition_is_told_once_when_it_is_news(
    condition: Condition, minutes: float, told: tuple[Condition, ...], says: str | None
) -> None:
    notice = one_due(campaign_that_is(condition, minutes), told_of(*told))
    assert (notice and notice.text.title) == (says and f"syncd: campaign renewals {says}")


@pytest.mark.parametrize(
    ("condition", "told", "then"),
    [
        (HELD, (), ("held",)),
        (FAILING, (PARTIAL,), ("partial", "failing")),
        (HELD, (FAILING,), ("held", "failing")),
        (OK, (HELD, FAILING), None),
    ],
)
def test_what_was_told_is_kept_until_the_trouble_is_over(
    condition: Condition, told: tuple[Condition, ...], then: tuple[str, ...] | None
) -> None:
    notice = one_due(campaign_that_is(condition, 20), told_of(*told))
    assert notice is not None
    assert notice.what == then


@pytest.mark.parametrize("condition", [FAILING, PARTIAL])
def test_failing_and_partial_by_turns_is_trouble_from_its_beginning(condition: Condition) -> None:
    assert one_due(campaign_that_is(condition, 1, trouble=14)) is None
    assert one_due(campaign_that_is(condition, 1, trouble=15)) is not None
    assert one_due(campaign_that_is(FAILING, 1, trouble=500), told_of(PARTIAL)) is None


@pytest.mark.parametrize("condition", GRAVITY)
def test_trouble_is_told_again_each_remind_while_it_lasts(condition: Condition) -> None:
    lasting = campaign_that_is(condition, 3 * DAY)
    assert one_due(lasting, told_of(*GRAVITY, minutes=DAY - 0.1)) is None
    reminder = one_due(lasting, told_of(*GRAVITY, minutes=DAY))
    assert reminder is not None
    assert " still " in reminder.text.title
    assert reminder.what == tuple(one.value for one in GRAVITY)


def test_a_reminder_names_the_condition_and_the_digest_of_now() -> None:
    held = replace(campaign_that_is(HELD, 2 * DAY), held=replace(PLAN, digest="fedcba987654"))
    assert one_due(held, told_of(HELD, minutes=60)) is None
    reminder = one_due(held, told_of(HELD, minutes=DAY))
    assert reminder is not None
    assert "`syncd approve renewals fedcba987654`" in reminder.text.body


@pytest.mark.parametrize(
    ("condition", "command"),
    [
        (PARTIAL, "syncd once renewals"),
        (HELD, "syncd approve renewals 0123456789ab"),
        (BLOCKED, "syncd check"),
        (FAILING, "syncd check"),
    ],
)
def test_a_notice_says_which_campaign_what_since_when_and_what_to_do(condition: Condition, command: str) -> None:
    notice = one_due(campaign_that_is(condition, 20))
    assert notice is not None
    what, since, do = notice.text.body.split("\n")
    assert "renewals" in notice.text.title
    assert ("1,201 customers would be added" if condition is HELD else "no connection") in what
    assert since == "Since 2026-11-24 11:40 UTC, for 20m."
    assert command in re.findall(r"`([^`]+)`", do)


def test_what_is_held_no_more_is_still_held_until_a_pass_ran() -> None:
    reminder = one_due(replace(campaign_that_is(HELD, 2 * DAY), held=None), told_of(HELD, minutes=DAY))
    assert reminder is not None
    assert "approved or dropped" in reminder.text.body


def test_a_recovery_says_what_it_was() -> None:
    notice = one_due(campaign_that_is(OK), told_of(HELD, FAILING))
    assert notice is not None
    assert notice.urgency is Urgency.SUCCESS
    assert "held and failing" in notice.text.body


def late(customers: int, minutes: float, condition: Condition = PARTIAL) -> Situation:
    return replace(campaign_that_is(condition, 0), late=customers, late_since=minutes_ago(minutes))


def told_late(minutes: float) -> dict[Subject, Told]:
    return {Subject.LATE_SUPPRESSION: Told((), minutes_ago(minutes))}


def test_a_late_suppression_is_told_at_once_reminded_of_and_told_to_be_over() -> None:
    notice = one_due(late(1, 61))
    assert notice is not None
    assert (notice.subject, notice.urgency) == (Subject.LATE_SUPPRESSION, Urgency.FAILURE)
    assert notice.text.title == "syncd: campaign renewals has 1 customer who must not be called"
    assert "Since 2026-11-24 10:59 UTC, for 1h 1m." in notice.text.body
    assert one_due(late(2, 70), told_late(9)) is None
    reminder = one_due(late(2, 2 * DAY), told_late(DAY))
    assert reminder is not None
    assert "still has 2 customers" in reminder.text.title
    over = one_due(campaign_that_is(OK), told_late(9))
    assert over is not None
    assert (over.urgency, over.what) == (Urgency.SUCCESS, None)


def test_partial_for_a_late_suppression_is_told_as_that_alone() -> None:
    lasting = replace(late(1, 2 * DAY), since=minutes_ago(2 * DAY), trouble_since=minutes_ago(2 * DAY))
    notice = one_due(lasting)
    assert notice is not None
    assert notice.subject is Subject.LATE_SUPPRESSION


def test_a_late_suppression_and_a_held_plan_are_two_notices_the_suppression_first() -> None:
    notices = due("renewals", late(1, 61, HELD), {}, SETTINGS, NOW)
    assert [notice.subject for notice in notices] == [Subject.LATE_SUPPRESSION, Subject.TROUBLE]


def test_a_list_that_suppresses_many_is_told_once_and_the_next_such_list_again() -> None:
    many = replace(campaign_that_is(OK), many=600, many_at=minutes_ago(5))
    notice = one_due(many)
    assert notice is not None
    assert notice.text.title == "syncd: campaign renewals loses 600 customers to the suppression list"
    assert notice.what is not None
    told = {Subject.MANY_SUPPRESSIONS: Told(notice.what, NOW)}
    assert one_due(many, told) is None
    assert one_due(campaign_that_is(OK), told) is None
    assert one_due(replace(many, many_at=minutes_ago(1)), told) is not None


@pytest.mark.parametrize(("hours", "told"), [(-1, False), (0, False), (0.1, True), (24, True), (24.1, False)])
def test_the_end_of_a_campaign_is_told_a_day_ahead(hours: float, told: bool) -> None:
    notice = one_due(campaign_that_is(OK), ends_at=NOW + timedelta(hours=hours))
    assert (notice is not None) is told


def test_the_end_of_a_campaign_is_told_once_until_it_is_another() -> None:
    ends_at = NOW + timedelta(hours=20)
    notice = one_due(campaign_that_is(OK), ends_at=ends_at)
    assert notice is not None
    assert notice.text.title == "syncd: campaign renewals ends at 2026-11-25 08:00 UTC"
    assert "in 20h" in notice.text.body
    assert notice.what is not None
    told = {Subject.END: Told(notice.what, NOW)}
    assert one_due(campaign_that_is(OK), told, ends_at=ends_at) is None
    assert one_due(campaign_that_is(OK), told, ends_at=ends_at + timedelta(hours=1)) is not None
    assert one_due(campaign_that_is(OK), told) is None


def test_with_no_time_to_wait_failing_is_told_at_once() -> None:
    impatient = replace(SETTINGS, after=timedelta())
    assert due("renewals", campaign_that_is(FAILING), {}, impatient, NOW) != []


def test_what_a_pass_says_of_itself_is_cut_to_what_receivers_take() -> None:
    notice = one_due(replace(campaign_that_is(BLOCKED), sentence="x" * 5000))
    assert notice is not None
    assert len(notice.text.body) < 1500


@pytest.mark.parametrize(
    ("condition", "commands"),
    [
        (PARTIAL, ["once 'it is ours'"]),
        (HELD, ["held 'it is ours'", "approve 'it is ours' 0123456789ab"]),
    ],
)
def test_what_is_to_be_done_can_be_copied_whatever_the_campaign_is_called(
    condition: Condition, commands: list[str]
) -> None:
    (notice,) = due("it is ours", campaign_that_is(condition, 60), {}, SETTINGS, NOW)
    assert [command for command in re.findall("`syncd (.*?)`", notice.text.body) if "ours" in command] == commands
