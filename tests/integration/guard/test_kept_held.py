"""What was held before, in passes that cannot judge all of it anew: they free nothing, and hold nothing more for it."""

from guard_desk import added, held_digest, removed
from test_held import filled

from syncd.config import GuardSettings
from syncd.state.campaigns import Result
from tests.stage import CAMPAIGN, Stage

NO_SUCH_LIST = "SELECT customer_id FROM no_such_table"


async def readings(stage: Stage) -> list[tuple[object, ...]]:
    """Return the customers of each reading that became part of the baseline."""
    return stage.rows("SELECT largest FROM reading ORDER BY read_at")


async def test_additions_that_stay_held_without_a_suppression_list_let_no_removals_through(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.run("DELETE FROM do_not_call")
    stage.crm.want(31)
    await stage.once()
    stage.settings(suppress=NO_SUCH_LIST)
    stage.crm.drop(*range(1, 8))
    report = await stage.once()
    assert report.result is Result.FAILED
    assert report.guarded is not None
    assert report.guarded.judgement.removals_held
    assert stage.writes == []


async def test_removals_that_stay_held_without_a_listing_let_no_additions_through(stage: Stage) -> None:
    stage.crm.suppress(*range(1001, 1011))
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    stage.crm.run("DELETE FROM do_not_call")
    stage.crm.want(31)
    report = await stage.once(observe=False)
    assert report.observation is None
    assert report.sentence().startswith("14 desired; everything held ")
    assert stage.writes == []


async def refused_and_suppressed(stage: Stage) -> int:
    """Suppress customer 25, whom the vendor refused; return how many are parked after a pass without a listing."""
    stage.crm.suppress(25)
    report = await stage.once(observe=False)
    assert report.observation is None
    assert report.result is Result.HELD
    return len(stage.rows("SELECT customer FROM parked"))


async def refused_and_flooded(stage: Stage) -> None:
    """Have the vendor refuse customer 25, and an edited query want more records of others than may be adopted."""
    await filled(stage)
    stage.tenant.crm.remove([25])
    stage.crm.want(25)
    await stage.once()
    stage.settings(query="SELECT * FROM due WHERE customer_id > 0")
    stage.tenant.add_records(CAMPAIGN, range(101, 131))
    stage.crm.want(*range(101, 131))


async def test_a_pass_learns_from_its_source_although_removals_stay_held(stage: Stage) -> None:
    await filled(stage)
    stage.tenant.crm.remove([25])
    stage.crm.want(25)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    assert await refused_and_suppressed(stage) == 0


async def test_a_pass_learns_from_its_source_although_additions_stay_held(stage: Stage) -> None:
    await refused_and_flooded(stage)
    await stage.once()
    assert await refused_and_suppressed(stage) == 0


async def test_a_pass_learns_nothing_from_its_source_while_everything_stays_held(stage: Stage) -> None:
    await refused_and_flooded(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    assert await refused_and_suppressed(stage) == 1


async def test_a_dry_run_names_no_digest_but_that_of_the_very_plan(stage: Stage) -> None:
    await filled(stage)
    stage.crm.drop(*range(1, 8))
    await stage.once()
    digest = await held_digest(stage)
    stage.crm.want(7)
    report = await stage.rehearse()
    assert report.result is Result.HELD
    assert digest not in report.sentence()
    assert report.sentence().endswith("a pass keeps it on record: `syncd once renewals`")


async def test_an_edited_query_is_not_known_by_a_pass_without_a_listing(stage: Stage) -> None:
    await filled(stage)
    stage.settings(query="SELECT * FROM due WHERE customer_id > 0")
    assert (await stage.once(observe=False)).result is Result.GOOD
    assert await readings(stage) == [(20,)]
    assert (await stage.once()).result is Result.GOOD
    assert await readings(stage) == [(20,), (20,)]


async def test_a_pass_without_a_listing_makes_a_baseline_of_a_query_that_is_known(stage: Stage) -> None:
    await filled(stage)
    stage.crm.want(31)
    assert (await stage.once(observe=False)).result is Result.GOOD
    assert await readings(stage) == [(21,)]


async def test_a_pass_without_a_suppression_list_makes_no_baseline(stage: Stage) -> None:
    await filled(stage, GuardSettings())
    stage.settings(suppress=NO_SUCH_LIST)
    stage.crm.want(31)
    assert (await stage.once()).result is Result.FAILED
    assert (added(stage), removed(stage)) == ([], [])
    assert await readings(stage) == [(20,)]
