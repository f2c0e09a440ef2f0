"""Each row of the decision table by name, in the words of the people who rely on it."""

import pytest

from syncd.state.database import Connection
from syncd.words import Kind, Rule
from tests.integration.plan.laying import decisions, lay
from tests.integration.plan.oracle import Facts, Settings

USUAL = Settings()
ADD_ONLY = Settings(add_only=True)
REMOVES_ALL = Settings(removes_all=True)
RECALL = Settings(recall=True)
UNLISTED = Settings(observed=False)

OURS = {"presence": "in", "ours": True, "absent": 0}
THEIRS = {"presence": "in", "ours": False, "absent": 0}

ROWS: dict[str, tuple[Facts, Settings, Rule, Kind | None]] = {
    "a suppressed open record is removed, ours or not": (
        Facts(**THEIRS, suppressed=True), ADD_ONLY, Rule.SUPPRESSED_OPEN, Kind.REMOVE),
    "a suppressed record that an agent has is tried in each pass": (
        Facts(**OURS, suppressed=True, desired=True, stand="agent"), UNLISTED, Rule.SUPPRESSED_WITH_AGENT, Kind.REMOVE),
    "a suppressed record that may ring again is removed once for its state": (
        Facts(**OURS, suppressed=True, called=True, stand="may-ring-again"), USUAL,
        Rule.SUPPRESSED_MAY_RING_AGAIN, Kind.REMOVE),
    "a suppressed record that may ring again is not removed a second time in one state": (
        Facts(**OURS, suppressed=True, called=True, stand="may-ring-again", tried=True), USUAL,
        Rule.SUPPRESSED_COMPLETED, None),
    "a suppressed completed record is left alone": (
        Facts(**OURS, suppressed=True, called=True, stand="completed"), USUAL, Rule.SUPPRESSED_COMPLETED, None),
    "a suppressed customer whose add nobody answered is removed": (
        Facts(suppressed=True, desired=True, claim=True), USUAL, Rule.SUPPRESSED_CLAIM_OPEN, Kind.REMOVE),
    "a suppressed customer who is not in the campaign is never added": (
        Facts(suppressed=True, desired=True), USUAL, Rule.SUPPRESSED, None),
    "a deleted record that a listing still shows is removed again for the suppressed": (
        Facts(suppressed=True, presence="removed", ours=True, absent=0), USUAL, Rule.SUPPRESSED_OPEN, Kind.REMOVE),
    "nothing is done about a customer whose call nobody answered": (
        Facts(desired=True, claim=True), USUAL, Rule.CLAIM_OPEN, None),
    "a parked customer waits for the time": (Facts(desired=True, parked="waiting"), USUAL, Rule.PARKED, None),
    "a parked customer is tried when the time has come": (
        Facts(desired=True, parked="due"), USUAL, Rule.NEW, Kind.ADD),
    "a parked customer is tried when the row has changed": (
        Facts(desired=True, parked="changed"), USUAL, Rule.NEW, Kind.ADD),
    "the second half of a reschedule is owed, also without a listing": (
        Facts(desired=True, presence="owed", ours=True, week_full=True), UNLISTED, Rule.OWED, Kind.ADD),
    "nobody whose call was made is added again": (
        Facts(desired=True, presence="gone", ours=True, called=True, stand="completed"), USUAL, Rule.CALLED, None),
    "a changed version calls a customer again where that is asked for": (
        Facts(desired=True, presence="gone", called=True, stand="completed", version="other"), RECALL,
        Rule.CALLED_RECALL, Kind.ADD),
    "a record of ours that vanished is added again": (
        Facts(desired=True, presence="gone", ours=True, absent=1), USUAL, Rule.VANISHED, Kind.ADD),
    "a record of ours that vanished is left where that is asked for": (
        Facts(desired=True, presence="gone", ours=True, absent=1), Settings(leave_vanished=True), Rule.VANISHED, None),
    "a vanished record waits for a pass that observed": (
        Facts(desired=True, presence="gone", ours=True, absent=1), UNLISTED, Rule.VANISHED, None),
    "whoever left after having been with an agent is taken for called": (
        Facts(desired=True, presence="gone", ours=False, stand="agent"), USUAL, Rule.GONE_AFTER_AGENT, Kind.CALLED),
    "a customer whom the ledger does not know is added": (Facts(desired=True), UNLISTED, Rule.NEW, Kind.ADD),
    "a customer whom syncd took out and who is desired again is added": (
        Facts(desired=True, presence="removed", ours=True), UNLISTED, Rule.NEW, Kind.ADD),
    "a customer whom others took out is added": (
        Facts(desired=True, presence="gone", ours=False), USUAL, Rule.NEW, Kind.ADD),
    "a time beyond reach is parked without a call": (
        Facts(desired=True, time="far"), USUAL, Rule.NEW, Kind.PARK),
    "nobody is added more often in a week than allowed": (
        Facts(desired=True, presence="gone", ours=True, absent=1, week_full=True), USUAL, Rule.VANISHED, Kind.PARK),
    "a completed record is called again when its version changed": (
        Facts(**OURS, desired=True, called=True, stand="completed", version="other"), RECALL,
        Rule.COMPLETED_RECALL, Kind.RECALL),
    "an unknown version is remembered, not recalled": (
        Facts(**OURS, desired=True, called=True, stand="completed", version="unknown"), RECALL, Rule.COMPLETED, None),
    "a completed record is left alone": (
        Facts(**OURS, desired=True, called=True, stand="completed", version="other"), USUAL, Rule.COMPLETED, None),
    "a foreign record that the source wants becomes ours": (
        Facts(**THEIRS, desired=True), USUAL, Rule.ADOPT, Kind.ADOPT),
    "a foreign record in an unknown status is left alone": (
        Facts(**THEIRS, desired=True, stand="unknown"), USUAL, Rule.FOREIGN_UNKNOWN, None),
    "another time reschedules": (
        Facts(**OURS, desired=True, time="other"), ADD_ONLY, Rule.TIME_CHANGED, Kind.RESCHEDULE),
    "a time within the tolerance is the same": (Facts(**OURS, desired=True, time="near"), USUAL, Rule.IN_STEP, None),
    "a past time does not reschedule": (Facts(**OURS, desired=True, time="past"), USUAL, Rule.IN_STEP, None),
    "an open record whose time moved beyond reach is removed first": (
        Facts(**OURS, desired=True, time="far"), USUAL, Rule.TIME_CHANGED, Kind.REMOVE),
    "a time that moves in every pass parks the row": (
        Facts(**OURS, desired=True, time="other", flickered=True), USUAL, Rule.TIME_CHANGED, Kind.PARK),
    "a desired open record of ours is in step": (Facts(**OURS, desired=True), USUAL, Rule.IN_STEP, None),
    "a record of ours that an agent has is left alone": (
        Facts(**OURS, desired=True, stand="agent", time="other"), USUAL, Rule.BUSY, None),
    "a dropped record of ours is removed": (Facts(**OURS), USUAL, Rule.DROPPED, Kind.REMOVE),
    "a dropped record waits for a pass that observed": (Facts(**OURS), UNLISTED, Rule.DROPPED, None),
    "add-only removes nobody": (Facts(**OURS), ADD_ONLY, Rule.DROPPED, None),
    "a foreign record is left alone": (Facts(**THEIRS), USUAL, Rule.FOREIGN, None),
    "a foreign record is removed where all are ours to remove": (
        Facts(**THEIRS), REMOVES_ALL, Rule.FOREIGN_DROPPED, Kind.REMOVE),
    "a foreign record that an agent has is left alone": (
        Facts(**THEIRS, stand="agent"), REMOVES_ALL, Rule.BUSY_FOREIGN, None),
    "a dropped record that an agent has is tried": (
        Facts(**OURS, stand="agent"), USUAL, Rule.DROPPED_BUSY, Kind.REMOVE),
    "a dropped completed record is left alone": (
        Facts(**OURS, called=True, stand="completed"), REMOVES_ALL, Rule.DROPPED_COMPLETED, None),
    "a record of ours is released after two whole listings without it": (
        Facts(presence="removed", ours=True, absent=2), USUAL, Rule.RELEASE, Kind.RELEASE),
    "a record of ours is not released after one": (
        Facts(presence="removed", ours=True, absent=1), USUAL, Rule.ABSENT, None),
}  # fmt: skip


def test_every_row_of_the_table_has_a_test_that_names_it() -> None:
    assert {rule for _, _, rule, _ in ROWS.values()} == set(Rule)


@pytest.mark.parametrize("settings", sorted({row[1] for row in ROWS.values()}, key=repr), ids=repr)
async def test_each_row_decides_as_its_sentence_says(connection: Connection, settings: Settings) -> None:
    rows = {sentence: row for sentence, row in ROWS.items() if row[1] == settings}
    await lay(connection, [facts for facts, *_ in rows.values()])
    await decisions(connection, settings)
    cursor = await connection.execute("SELECT customer, rule, kind FROM planned")
    planned = {customer: (rule, kind) for customer, rule, kind in await cursor.fetchall()}
    for number, (sentence, (_, _, rule, kind)) in enumerate(rows.items(), 1):
        if kind is not None:
            assert planned.get(number) == (rule.value, kind.value), sentence
        else:  # a row that does nothing is not kept, unless there is something to remember of it
            assert planned.get(number, (rule.value, None))[1] is None, sentence
