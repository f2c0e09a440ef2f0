"""Whole passes over a simulated campaign: what they do, and that a second one does nothing."""

from tests.stage import Stage


async def test_customers_who_need_a_call_arrive_and_those_who_are_dropped_leave(stage: Stage) -> None:
    stage.crm.want(*range(1, 501))
    report = await stage.once()
    assert report.sentence() == "500 desired; 500 added"
    assert stage.listed == set(range(1, 501))

    stage.crm.drop(1, 2, 3)
    stage.crm.want(600)
    report = await stage.once()
    assert report.sentence() == "498 desired; 1 added, 3 removed"
    assert stage.listed == set(range(4, 501)) | {600}


async def test_a_second_pass_over_an_unchanged_world_makes_no_writing_call(stage: Stage) -> None:
    stage.crm.want(*range(1, 501))
    await stage.once()
    await stage.once()
    before = stage.rows("SELECT xmin, customer FROM ledger ORDER BY customer")
    report = await stage.once()
    assert report.sentence() == "500 desired; in step, nothing to do"
    assert stage.writes == []
    assert stage.rows("SELECT xmin, customer FROM ledger ORDER BY customer") == before
