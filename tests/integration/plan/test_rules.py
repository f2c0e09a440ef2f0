"""Each row of the decision table by name, in the words of the people who rely on it."""

from datetime import datetime, timedelta

import pytest

from syncd.state.database import Connection
from syncd.state.planned import Queue
from syncd.words import Kind, Reason, Rule
from tests.integration.plan.laying import Planned, keep_everyone, lay, planned
from tests.integration.plan.oracle import ADDED, NOW, ROW_TIMES, WEEK, Facts, Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

USUAL = Settings()
ADD_ONLY = Settings(mode="add-only")
REMOVES_ALL = Settings(removes="all")
LEAVES_VANISHED = Settings(vanished="leave")
RECALLS = Settings(recall="on-version")
SKIPS_PAST = Settings(past_schedule="skip")
NO_WEEK = Settings(max_adds=0)
UNLISTED = Settings(observed=False)


def wanted(**facts: object) -> Facts:
    """A desired customer whom the ledger does not know."""
    return Facts(desired=True, **facts)  # type: ignore[arg-type]


def ours(**facts: object) -> Facts:
    """A record of ours that the last listing showed."""
    return Facts(presence="in", ours=True, absent=0, **facts)  # type: ignore[arg-type]


def theirs(**facts: object) -> Facts:
    """A record of somebody else's that the last listing showed."""
    return Facts(presence="in", absent=0, **facts)  # type: ignore[arg-type]


def completed(**facts: object) -> Facts:
    """A record of ours whose call was made."""
    return ours(stand=facts.pop("stand", "completed"), called=True, **facts)


def gone(**facts: object) -> Facts:
    """A record of ours that left without our doing, missing in the last whole listing."""
    return Facts(presence="gone", ours=facts.pop("ours", True), absent=1, **facts)  # type: ignore[arg-type]


def taken_out(**facts: object) -> Facts:
    """A record of ours that we deleted."""
    return Facts(presence="removed", ours=True, absent=facts.pop("absent", None), **facts)  # type: ignore[arg-type]


def owed(**facts: object) -> Facts:
    """A record of ours that we deleted to add it anew."""
    return Facts(presence="owed", ours=True, **facts)  # type: ignore[arg-type]


async def line_of(connection: Connection, facts: Facts, settings: Settings) -> Planned | None:
    """Return the plan's line of the only customer there is; None: nothing is to be done."""
    await lay(connection, [facts])
    return (await planned(connection, settings)).get(1)


Sentences = dict[str, tuple[Facts, Settings, Rule]]

REMOVED: Sentences = {
    "a suppressed open record is removed though it is somebody else's": (
        theirs(suppressed=True), ADD_ONLY, Rule.SUPPRESSED_OPEN),
    "a suppressed record in an unknown status is removed": (
        ours(suppressed=True, stand="unknown"), USUAL, Rule.SUPPRESSED_OPEN),
    "a suppressed record that no listing has shown yet is removed without one": (
        Facts(presence="in", ours=True, stand="never-seen", suppressed=True), UNLISTED, Rule.SUPPRESSED_OPEN),
    "a deleted record that a listing still shows is removed again for the suppressed": (
        taken_out(suppressed=True, absent=0), USUAL, Rule.SUPPRESSED_OPEN),
    "a suppressed record that was completed and is listed as open is removed at once": (
        completed(suppressed=True, reopened=True), UNLISTED, Rule.SUPPRESSED_OPEN),
    "a suppressed record that an agent has is tried in each pass": (
        ours(suppressed=True, desired=True, stand="agent"), UNLISTED, Rule.SUPPRESSED_WITH_AGENT),
    "a suppressed record completed as try again is removed": (
        completed(suppressed=True, stand="try-again"), USUAL, Rule.SUPPRESSED_MAY_RING_AGAIN),
    "a suppressed record completed as scheduled call back is removed": (
        completed(suppressed=True, stand="call-back"), UNLISTED, Rule.SUPPRESSED_MAY_RING_AGAIN),
    "a suppressed customer whose add nobody answered is removed in case it arrived": (
        wanted(suppressed=True, claim=True), UNLISTED, Rule.SUPPRESSED_CLAIM_OPEN),
    "an unanswered add to the suppressed is removed though a lagging listing shows the completed record we deleted": (
        taken_out(suppressed=True, absent=0, stand="completed", called=True, claim=True), UNLISTED,
        Rule.SUPPRESSED_CLAIM_OPEN),
    "a dropped record of ours is removed": (ours(), USUAL, Rule.DROPPED),
    "a dropped record is judged as if no claim were open": (ours(claim=True), USUAL, Rule.DROPPED),
    "a foreign record is removed where all are ours to remove": (theirs(), REMOVES_ALL, Rule.FOREIGN_DROPPED),
    "a dropped record that an agent has is tried": (ours(stand="agent"), USUAL, Rule.DROPPED_BUSY),
    "a dropped record in an unknown status is tried": (ours(stand="unknown"), USUAL, Rule.DROPPED_BUSY),
    "an open record whose time moved beyond reach is removed before it rings": (
        ours(desired=True, row="far", week_full=True, flickered=True), ADD_ONLY, Rule.TIME_CHANGED),
}  # fmt: skip

ADDED_NOW: Sentences = {
    "a customer whom the ledger does not know is added without a listing": (wanted(), UNLISTED, Rule.NEW),
    "a customer parked until now is tried": (wanted(parked="due"), USUAL, Rule.NEW),
    "a parked customer whose row has changed is tried at once": (wanted(parked="changed"), USUAL, Rule.NEW),
    "a customer whom we took out and who is desired again is added": (
        taken_out(desired=True), UNLISTED, Rule.NEW),
    "a customer whom others took out is added": (gone(ours=False, desired=True), USUAL, Rule.NEW),
    "the second half of a reschedule is owed without a listing and however full the week is": (
        owed(desired=True, week_full=True), UNLISTED, Rule.OWED),
    "the second half of a recall is owed though the customer was called": (
        owed(desired=True, stand="completed", called=True), RECALLS, Rule.OWED),
    "another version calls a customer again who has left": (
        gone(desired=True, stand="completed", called=True, version="other"), RECALLS, Rule.CALLED_RECALL),
    "a recall that met its own old record is tried when that has left": (
        gone(desired=True, stand="completed", called=True, version="other", parked="recall-duplicate"), RECALLS,
        Rule.CALLED_RECALL),
    "a record of ours that vanished is added again": (gone(desired=True), USUAL, Rule.VANISHED),
    "a record of ours that vanished before a listing saw it is added again": (
        gone(desired=True, stand="never-seen"), ADD_ONLY, Rule.VANISHED),
    "without a week's limit a full week keeps nobody out": (gone(desired=True, week_full=True), NO_WEEK, Rule.VANISHED),
    "a time in the past is sent as none": (wanted(row="past"), USUAL, Rule.NEW),
    "a row without a time is sent without one": (wanted(row="none"), USUAL, Rule.NEW),
}  # fmt: skip

PARKED: dict[str, tuple[Facts, Settings, Rule, Reason, datetime | None]] = {
    "a time beyond reach waits until it is within": (
        wanted(row="far"), USUAL, Rule.NEW, Reason.TOO_FAR_AHEAD, ROW_TIMES["far"] - WEEK),  # type: ignore[operator]
    "a value that cannot be sent waits for another row": (
        wanted(row="bad"), USUAL, Rule.NEW, Reason.INVALID_VALUE, None),
    "a time in the past waits for another row where it is skipped": (
        wanted(row="now"), SKIPS_PAST, Rule.NEW, Reason.IN_THE_PAST, None),
    "nobody is added more often in a week than allowed, and waits for the oldest add to be a week old": (
        gone(desired=True, week_full=True), USUAL, Rule.VANISHED, Reason.WEEKLY_LIMIT, min(ADDED) + WEEK),
    "nor by a recall": (
        gone(desired=True, stand="completed", called=True, version="other", week_full=True), RECALLS,
        Rule.CALLED_RECALL, Reason.WEEKLY_LIMIT, min(ADDED) + WEEK),
    "what is owed waits where the time has moved beyond reach since": (
        owed(desired=True, row="far"), USUAL, Rule.OWED, Reason.TOO_FAR_AHEAD,
        ROW_TIMES["far"] - WEEK),  # type: ignore[operator]
    "a time that moves in every pass waits for a day, however full the week is": (
        ours(desired=True, row="other", flickered=True, week_full=True), USUAL,
        Rule.TIME_CHANGED, Reason.FLICKERING_TIME, NOW + timedelta(hours=24)),
}  # fmt: skip

MOVED: Sentences = {
    "another time reschedules, also where nobody is removed": (
        ours(desired=True, row="other"), ADD_ONLY, Rule.TIME_CHANGED),
    "a time in place of none reschedules": (ours(desired=True, record="none"), USUAL, Rule.TIME_CHANGED),
    "a time in place of one that has come reschedules": (ours(desired=True, record="past"), USUAL, Rule.TIME_CHANGED),
    "no time in place of one to come reschedules": (ours(desired=True, row="none"), USUAL, Rule.TIME_CHANGED),
    "a parked record is rescheduled when its time has come": (
        ours(desired=True, row="other", parked="due"), USUAL, Rule.TIME_CHANGED),
    "a time that moved in every pass is tried once a day, so that a mended query is met": (
        ours(desired=True, row="other", flickered=True, parked="flickering-due"), USUAL, Rule.TIME_CHANGED),
}  # fmt: skip

LEDGER_ALONE: dict[str, tuple[Facts, Settings, Rule, Kind]] = {
    "a foreign open record that the source wants becomes ours": (
        theirs(desired=True), ADD_ONLY, Rule.ADOPT, Kind.ADOPT),
    "a foreign record with an agent that the source wants becomes ours": (
        theirs(desired=True, stand="agent"), USUAL, Rule.ADOPT, Kind.ADOPT),
    "whoever is gone after having been with an agent is taken for called": (
        gone(desired=True, stand="agent"), USUAL, Rule.GONE_AFTER_AGENT, Kind.CALLED),
    "whoever is gone after an unknown status is taken for called, ours or not": (
        gone(desired=True, ours=False, stand="unknown"), USUAL, Rule.GONE_AFTER_AGENT, Kind.CALLED),
    "a record of ours is released after two whole listings without it": (
        taken_out(absent=2), ADD_ONLY, Rule.RELEASE, Kind.RELEASE),
    "a dropped customer is released though a time that moved in every pass had it parked": (
        taken_out(absent=2, parked="flickering"), USUAL, Rule.RELEASE, Kind.RELEASE),
}  # fmt: skip

LEFT_ALONE: Sentences = {
    "a suppressed record that may ring again is not removed a second time in one state": (
        completed(suppressed=True, stand="try-again", tried=True), USUAL, Rule.SUPPRESSED_COMPLETED),
    "a suppressed completed record is left alone": (
        completed(suppressed=True), REMOVES_ALL, Rule.SUPPRESSED_COMPLETED),
    "a suppressed completed record that is listed as open is not removed a second time before the next listing": (
        completed(suppressed=True, reopened=True, tried=True), USUAL, Rule.SUPPRESSED_COMPLETED),
    "a suppressed customer who is not in the campaign is never added": (
        wanted(suppressed=True), USUAL, Rule.SUPPRESSED),
    "a suppressed customer is owed nothing": (owed(suppressed=True, desired=True), USUAL, Rule.SUPPRESSED),
    "a customer whose call nobody answered waits for the listing": (wanted(claim=True), USUAL, Rule.CLAIM_OPEN),
    "what is owed waits where its add was not answered": (owed(desired=True, claim=True), USUAL, Rule.CLAIM_OPEN),
    "a parked customer waits for the time": (wanted(parked="waiting"), USUAL, Rule.PARKED),
    "a parked customer without a time waits for another row": (wanted(parked="unchanged"), USUAL, Rule.PARKED),
    "a time that moved in every pass waits though the row has changed": (
        taken_out(desired=True, parked="flickering"), USUAL, Rule.PARKED),
    "nobody whose call was made is added again": (
        gone(desired=True, called=True, stand="completed", version="other"), USUAL, Rule.CALLED),
    "nobody is recalled for a version that was not known before": (
        gone(desired=True, called=True, stand="completed", version="unknown"), RECALLS, Rule.CALLED),
    "nobody is recalled for a version that went away": (
        gone(desired=True, called=True, stand="completed", version="none"), RECALLS, Rule.CALLED),
    "nobody is recalled twice in 24 hours": (
        gone(desired=True, called=True, stand="completed", version="other", recalled=True), RECALLS, Rule.CALLED),
    "a record of ours that vanished is left where that is asked for": (
        gone(desired=True), LEAVES_VANISHED, Rule.VANISHED),
    "a completed record is left alone": (completed(desired=True, version="other"), USUAL, Rule.COMPLETED),
    "a completed record listed as open is not believed at once": (
        completed(desired=True, reopened=True, row="other"), USUAL, Rule.COMPLETED),
    "a recall that met its own old record waits for it to leave": (
        completed(desired=True, version="other", parked="recall-duplicate"), RECALLS, Rule.COMPLETED),
    "a recall beyond the week's limit is not begun": (
        completed(desired=True, version="other", week_full=True), RECALLS, Rule.COMPLETED_RECALL),
    "a recall to a time beyond reach is not begun": (
        completed(desired=True, version="other", row="far"), RECALLS, Rule.COMPLETED_RECALL),
    "a foreign record in an unknown status is not adopted": (
        theirs(desired=True, stand="unknown"), USUAL, Rule.FOREIGN_UNKNOWN),
    "a reschedule beyond the week's limit is not begun": (
        ours(desired=True, row="other", week_full=True), USUAL, Rule.TIME_CHANGED),
    "a record stays where its new time cannot be sent": (ours(desired=True, row="bad"), USUAL, Rule.TIME_CHANGED),
    "a desired open record of ours is in step": (ours(desired=True), USUAL, Rule.IN_STEP),
    "a time within the tolerance is the same": (ours(desired=True, row="near"), USUAL, Rule.IN_STEP),
    "a time within the tolerance of one that has just come is the same": (
        ours(desired=True, row="soon", record="past"), USUAL, Rule.IN_STEP),
    "a time in the past reschedules nobody": (ours(desired=True, row="past"), SKIPS_PAST, Rule.IN_STEP),
    "a time that has come is the same as none": (ours(desired=True, row="none", record="past"), USUAL, Rule.IN_STEP),
    "a record that is parked is not rescheduled": (
        ours(desired=True, row="other", parked="waiting"), USUAL, Rule.IN_STEP),
    "another time waits while an agent has the record": (
        ours(desired=True, stand="agent", row="other"), USUAL, Rule.BUSY),
    "add-only removes nobody": (ours(), ADD_ONLY, Rule.DROPPED),
    "a foreign record is left alone": (theirs(), USUAL, Rule.FOREIGN),
    "a foreign record that an agent has is left alone": (theirs(stand="agent"), REMOVES_ALL, Rule.BUSY_FOREIGN),
    "a dropped completed record is left alone": (completed(), REMOVES_ALL, Rule.DROPPED_COMPLETED),
    "a record of ours is not released after one whole listing without it": (
        taken_out(absent=1), USUAL, Rule.ABSENT),
    "a record of ours is not released while a call on it is unanswered": (
        taken_out(absent=2, claim=True), USUAL, Rule.ABSENT),
    "a dropped customer is not added": (Facts(parked="due", presence="gone", absent=2), USUAL, Rule.ABSENT),
}  # fmt: skip

WAITING_FOR_A_LISTING: dict[str, Facts] = {
    "a vanished record": gone(desired=True),
    "who is gone after having been with an agent": gone(desired=True, stand="agent"),
    "a recall": completed(desired=True, version="other"),
    "an adoption": theirs(desired=True),
    "a reschedule": ours(desired=True, row="other"),
    "a time that moves in every pass": ours(desired=True, row="other", flickered=True),
    "a dropped record": ours(),
    "a dropped foreign record": theirs(),
    "a dropped record with an agent": ours(stand="agent"),
    "a release": taken_out(absent=2),
}


@pytest.mark.parametrize("sentence", REMOVED)
async def test_removed(connection: Connection, sentence: str) -> None:
    facts, settings, rule = REMOVED[sentence]
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind) == (rule, Kind.REMOVE)
    assert line.queue == (Queue.SUPPRESSIONS if facts.suppressed else Queue.REMOVALS)


@pytest.mark.parametrize("sentence", ADDED_NOW)
async def test_added(connection: Connection, sentence: str) -> None:
    facts, settings, rule = ADDED_NOW[sentence]
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind, line.queue) == (rule, Kind.ADD, Queue.ADDITIONS)
    assert line.send_at == (None if facts.row == "past" else facts.row_at)
    assert line.row_hash is not None, "a refusal would be tried anew in each pass"


@pytest.mark.parametrize("sentence", PARKED)
async def test_parked(connection: Connection, sentence: str) -> None:
    facts, settings, rule, reason, until = PARKED[sentence]
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind, line.queue) == (rule, Kind.PARK, Queue.LEDGER)
    assert (line.park_reason, line.park_until) == (reason, until)


@pytest.mark.parametrize("sentence", MOVED)
async def test_rescheduled(connection: Connection, sentence: str) -> None:
    facts, settings, rule = MOVED[sentence]
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind, line.queue) == (rule, Kind.RESCHEDULE, Queue.RESCHEDULES)
    assert line.send_at == facts.row_at


async def test_a_completed_record_is_called_again_when_its_version_changed(connection: Connection) -> None:
    line = await line_of(connection, completed(desired=True, version="other"), RECALLS)
    assert line
    assert (line.rule, line.kind, line.queue) == (Rule.COMPLETED_RECALL, Kind.RECALL, Queue.RECALLS)
    assert line.send_at == ROW_TIMES["same"]


@pytest.mark.parametrize("sentence", LEDGER_ALONE)
async def test_known_without_a_call(connection: Connection, sentence: str) -> None:
    facts, settings, rule, kind = LEDGER_ALONE[sentence]
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind, line.queue) == (rule, kind, Queue.LEDGER)


@pytest.mark.parametrize("sentence", LEFT_ALONE)
async def test_left_alone(connection: Connection, sentence: str, monkeypatch: pytest.MonkeyPatch) -> None:
    facts, settings, rule = LEFT_ALONE[sentence]
    keep_everyone(monkeypatch)
    line = await line_of(connection, facts, settings)
    assert line
    assert (line.rule, line.kind) == (rule, None)


@pytest.mark.parametrize("sentence", WAITING_FOR_A_LISTING)
async def test_waits_for_a_pass_that_observed(connection: Connection, sentence: str) -> None:
    facts = WAITING_FOR_A_LISTING[sentence]
    observed = await line_of(connection, facts, Settings(removes="all", recall="on-version"))
    unlisted = await line_of(connection, facts, Settings(removes="all", recall="on-version", observed=False))
    assert observed
    assert observed.kind
    assert unlisted is None or unlisted.kind is None


REMEMBERED: dict[str, Facts] = {
    "another version while the record is open": ours(desired=True, version="other"),
    "the first version of who was called": gone(desired=True, called=True, stand="completed", version="unknown"),
    "that nothing is owed to who was dropped": owed(),
    "that nothing is owed to the suppressed": owed(desired=True, suppressed=True),
}


@pytest.mark.parametrize("sentence", REMEMBERED)
async def test_remembered(connection: Connection, sentence: str) -> None:
    line = await line_of(connection, REMEMBERED[sentence], USUAL)
    assert line
    assert line.note
    assert line.kind is None


async def test_every_row_of_the_table_has_a_sentence() -> None:
    told = [*REMOVED.values(), *ADDED_NOW.values(), *PARKED.values(), *MOVED.values(), *LEDGER_ALONE.values()]
    assert {rule for _, _, rule, *_ in [*told, *LEFT_ALONE.values()]} == set(Rule)
