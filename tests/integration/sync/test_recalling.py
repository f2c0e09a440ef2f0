"""Recall: a customer whose call was completed is called again only where the row's version asks for it."""

import pytest
from pass_story import claims, complete, connect, drop, good_pass, parked, upload, writes

from syncd.config import RecallWhen
from syncd.simulator import Call, Fault, FaultKind
from syncd.words import Exit
from tests.stage import Stage

ON_VERSION = {"recall": RecallWhen.ON_VERSION}


async def called_once(stage: Stage, version: object = 1) -> None:
    """Bring customer 7 to where the call was made, with this version known to syncd."""
    stage.crm.want(7, version=version)
    await good_pass(stage)
    await good_pass(stage)
    complete(stage, 7)
    await good_pass(stage)
    assert stage.ledger(7)["called"]


async def test_nobody_is_recalled_unasked_whatever_the_version_says(stage: Stage) -> None:
    await called_once(stage)
    for version in (2, 3):
        stage.crm.update(7, version=version)
        await good_pass(stage)
        assert writes(stage) == []
    drop(stage, 7)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_another_version_asks_for_one_more_call_and_not_for_two(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    report = await good_pass(stage)
    assert report.sentence() == "1 desired; 1 recalled"
    assert writes(stage) == ["delete 7", "add 7"]
    await good_pass(stage)
    assert writes(stage) == []
    complete(stage, 7)
    stage.clock.move(hours=25)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []


async def test_a_customer_whose_record_has_left_the_list_is_recalled_by_an_add_alone(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    drop(stage, 7)
    await good_pass(stage)
    assert writes(stage) == []
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_a_customer_is_recalled_once_in_24_hours_at_most(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    await good_pass(stage)
    complete(stage, 7)
    stage.crm.update(7, version=3)
    stage.clock.move(hours=23, minutes=50)
    await good_pass(stage)
    assert writes(stage) == []
    stage.clock.move(minutes=15)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]


async def test_the_version_that_changes_between_the_last_open_listing_and_the_call_asks_for_a_new_call(
    stage: Stage,
) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    stage.crm.want(7, version=1)
    await good_pass(stage)
    await good_pass(stage)  # the listing shows it open; version 1 was read before
    stage.crm.update(7, version=2)
    complete(stage, 7)  # called for version 1, for all that anybody knows
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]


async def test_a_version_that_a_later_listing_still_showed_open_counts_as_called_for(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.crm.want(7, version=1)
    await good_pass(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)  # version 2 read while open
    await good_pass(stage)  # and shown open once more
    complete(stage, 7)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []


async def test_an_unknown_version_is_remembered_and_not_recalled(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    upload(stage, 7)
    complete(stage, 7)
    stage.crm.want(7, version=5)
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["called_version"] == "5"
    stage.tenant.manner.deletes_completed = True
    stage.crm.update(7, version=6)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]


async def test_a_row_that_loses_its_version_recalls_nobody_and_neither_does_its_return(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    for version in (None, 1, None, 1):
        stage.crm.update(7, version=version)
        await good_pass(stage)
        assert writes(stage) == []


@pytest.mark.parametrize("recall", list(RecallWhen))
@pytest.mark.parametrize("leaves", [False, True])
async def test_a_source_that_flickers_rings_nobody_twice(stage: Stage, recall: RecallWhen, leaves: bool) -> None:
    stage.settings(recall=recall)
    await called_once(stage)
    if leaves:
        drop(stage, 7)
    for _ in range(3):
        stage.crm.drop(7)
        stage.crm.want(8)  # an empty source would be held
        await good_pass(stage)
        stage.crm.want(7, version=1)
        await good_pass(stage)
        assert "add 7" not in writes(stage)


async def test_a_record_that_cannot_be_deleted_waits_until_it_leaves_the_list(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert parked(stage, 7) == "recall-duplicate"
    stage.clock.move(hours=25)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    drop(stage, 7)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
    for _ in range(2):
        await good_pass(stage)
        assert writes(stage) == []


async def test_a_record_that_cannot_be_deleted_is_tried_again_when_the_version_changes_again(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert parked(stage, 7) == "recall-duplicate"
    stage.crm.update(7, version=3)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    stage.clock.move(days=2)
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_record_gone_since_the_listing_is_recalled_all_the_same(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    stage.crm.update(7, version=2)
    stage.world.reached = lambda point: drop(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    assert 7 in stage.listed


async def test_a_recall_whose_customer_an_agent_has_on_the_line_adds_nobody(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    stage.world.reached = lambda point: connect(stage, 7) if point == "plan" else None
    await good_pass(stage)
    assert writes(stage) == ["delete 7"]
    stage.world.reached = lambda point: None
    await good_pass(stage)
    assert writes(stage) == []


async def test_a_recall_whose_delete_got_no_answer_sends_no_add(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    armed = stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.DELETE}), status=206, text="The response timed out.")
    )
    report = await stage.once()
    assert armed.struck == 1
    assert writes(stage) == ["delete ?"]
    assert report.exit_status is Exit.PARTIAL
    assert [kind for kind, _ in claims(stage)] == ["recall"]


async def test_an_add_of_a_recall_that_was_lost_and_is_then_shown_completed_counts_as_served(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    armed = stage.tenant.faults.add(
        Fault(kind=FaultKind.ANSWER, calls=frozenset({Call.ADD}), status=206, deed=True, text="The response timed out.")
    )
    report = await stage.once()
    assert armed.struck == 1
    assert report.exit_status is Exit.PARTIAL
    complete(stage, 7)
    stage.clock.move(days=2)
    for _ in range(3):
        await good_pass(stage)
        assert writes(stage) == []
    assert stage.ledger(7)["called"]


async def test_a_completed_record_shown_open_again_is_believed_at_the_second_listing(stage: Stage) -> None:
    await called_once(stage)
    stage.tenant.set_record(125, 7, status=0)
    await good_pass(stage)
    assert stage.ledger(7)["status"] == 3
    await good_pass(stage)
    assert stage.ledger(7)["status"] == 0
    assert stage.ledger(7)["called"]
    stage.crm.drop(7)
    stage.crm.want(8)
    await good_pass(stage)
    assert sorted(writes(stage)) == ["add 8", "delete 7"]


async def test_recalls_beyond_the_weeks_adds_are_not_begun(stage: Stage) -> None:
    stage.settings(**ON_VERSION, max_adds_per_week=2)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    for version, sent in ((2, ["delete 7", "add 7"]), (3, []), (4, [])):
        stage.crm.update(7, version=version)
        await good_pass(stage)
        assert writes(stage) == sent
        complete(stage, 7)
        await good_pass(stage)
        stage.clock.move(hours=25)
    stage.clock.move(days=7)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]


async def test_a_recalled_customer_whose_new_record_is_gone_before_the_call_is_added_again(stage: Stage) -> None:
    stage.settings(**ON_VERSION)
    stage.tenant.manner.deletes_completed = True
    await called_once(stage)
    stage.crm.update(7, version=2)
    await good_pass(stage)
    assert writes(stage) == ["delete 7", "add 7"]
    await good_pass(stage)
    drop(stage, 7)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]


async def test_a_recall_whose_delete_is_answered_without_a_word_that_tells_waits_until_the_record_leaves(
    stage: Stage,
) -> None:
    stage.settings(**ON_VERSION)
    await called_once(stage)
    stage.tenant.manner.terse_deletes = True
    stage.crm.update(7, version=2)
    assert (await stage.once()).exit_status is Exit.PARTIAL
    assert writes(stage) == ["delete 7"]
    assert parked(stage, 7) == "recall-duplicate"
    for _ in range(2):
        await stage.once()
        assert writes(stage) == []
    assert claims(stage) == []
    drop(stage, 7)
    await good_pass(stage)
    assert writes(stage) == ["add 7"]
