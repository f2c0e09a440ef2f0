"""Any world: who is suppressed is not added, what is foreign stays, no limit is passed, and passes come to rest."""

from dataclasses import dataclass

from hypothesis import HealthCheck, Phase, given, settings
from random_world import WORLDS, RandomWorld, build, digest_of_query

from syncd.config import Mode, RecallWhen, Removes, Vanished
from syncd.simulator.log import Call
from syncd.state import held
from syncd.state.campaigns import Result
from syncd.state.database import connect
from syncd.sync import PassReport
from syncd.vendor import RecordStatus
from syncd.words import Kind
from tests.stage import CAMPAIGN, Stage

PASSES = 10
"""In so many passes, approvals included, every world comes to rest."""


@settings(
    max_examples=50,
    derandomize=True,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],  # a pass is too slow to shrink by
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(WORLDS)
async def test_every_plan_is_safe_and_every_world_comes_to_rest(stage: Stage, world: RandomWorld) -> None:
    await registered(stage)
    build(stage, world)
    sent = Sent()
    approved, quiet = False, 0
    for number in range(PASSES):
        before, known = ours(stage), known_query(stage)
        report = await stage.once(observe=world.observes or number > 0)
        nobody_suppressed_is_added(stage, world)
        nothing_foreign_is_removed(stage, world, before)
        if report.result is Result.FAILED:
            assert "none of the customers that syncd added is in the listing" in report.sentence()
            assert removed_from(stage) <= world.suppressed
            assert not added_to(stage)
            return
        if not approved:
            no_limit_is_passed(world, report, sent, this_pass(stage, world, report), known_query=known)
        if report.result is Result.HELD:
            await approve(stage, report)
            approved = True
        # What is absent is believed to be so at the second listing.
        quiet = quiet + 1 if at_rest(stage, report) else 0
        if quiet == 2:
            break
    else:
        raise AssertionError(f"still at work after {PASSES} passes: {report.sentence()}: {stage.writes}")
    await a_plan_of_a_world_at_rest_is_empty(stage)
    what_was_wanted_has_come_about(stage, world)


@dataclass(slots=True)
class Sent:
    """Changes that went out, without suppressions and what an earlier delete obliged."""

    removals: int = 0
    removed: int = 0
    """Of the removals, those that were made: the rest was put off."""
    additions: int = 0
    vanished: int = 0
    """Of the additions, who had vanished."""


async def registered(stage: Stage) -> None:
    """Have the state know the campaign: a ledger needs one to be of."""
    if not stage.rows("SELECT id FROM campaign"):
        await stage.once()


def ours(stage: Stage) -> set[int]:
    return {int(str(row[0])) for row in stage.rows("SELECT customer FROM ledger WHERE ours")}


def known_query(stage: Stage) -> bool:
    query = digest_of_query(stage.campaign.settings.query)
    return bool(stage.rows("SELECT 1 FROM reading WHERE query = %s AND largest > 0", query))


def asked(stage: Stage, call: Call) -> set[int]:
    """Return the customers of the last pass's requests of a kind, whatever was answered."""
    return {int(str(customer)) for entry in stage.tenant.log.of(call) for customer, _ in entry.asked}


def added_to(stage: Stage) -> set[int]:
    return asked(stage, Call.ADD)


def removed_from(stage: Stage) -> set[int]:
    return asked(stage, Call.DELETE)


def writes(stage: Stage) -> set[int]:
    """Return who was written about, but for records with an agent: those are tried in each pass."""
    campaign = stage.tenant.campaigns[CAMPAIGN]
    talking = {record.customer for record in campaign if record.status == RecordStatus.ACCEPTED}
    return added_to(stage) | (removed_from(stage) - talking)


def at_rest(stage: Stage, report: PassReport) -> bool:
    """Return whether a pass that observed had nothing to do and nothing to wait for."""
    assert report.plan is not None
    idle = not writes(stage) and not report.plan.of(Kind.ADOPT, Kind.RELEASE, Kind.CALLED)
    return idle and not report.open_claims and report.result is not Result.HELD and report.observation is not None


def this_pass(stage: Stage, world: RandomWorld, report: PassReport) -> Sent:
    """Return what the last pass sent, by the tenant's log and the journal."""
    journal = stage.rows(
        "SELECT customer, kind, rule FROM change WHERE pass = (SELECT max(pass) FROM change) AND at >= %s",
        report.began,
    )
    owed = {customer for customer, _, rule in journal if rule == "owed"}
    adopted = {customer for customer, kind, _ in journal if kind == "adopt"}
    vanished = {customer for customer, kind, rule in journal if (kind, rule) == ("add", "vanished")}
    return Sent(
        removals=len(removed_from(stage) - world.suppressed),
        removed=len({c for entry in stage.tenant.log.of(Call.DELETE) for c in entry.done} - world.suppressed),
        additions=len((added_to(stage) - owed) | adopted),
        vanished=len(vanished),
    )


def nobody_suppressed_is_added(stage: Stage, world: RandomWorld) -> None:
    assert not added_to(stage) & world.suppressed


def nothing_foreign_is_removed(stage: Stage, world: RandomWorld, ours_before: set[int]) -> None:
    foreign = removed_from(stage) - ours_before - world.suppressed
    if world.removes is Removes.ALL:
        foreign &= world.desired
    if world.recall is RecallWhen.ON_VERSION:
        foreign -= world.desired  # its row asked for a new call
    assert not foreign


def no_limit_is_passed(world: RandomWorld, report: PassReport, sent: Sent, now: Sent, *, known_query: bool) -> None:
    """Hold what went out against each limit, counted anew; ``sent`` is what went out within the hour before."""
    limits, good = world.guard, world.good_pass
    assert report.reading is not None
    assert report.totals is not None
    few_removals = now.removals == 0 or now.removals + sent.removed <= limits.few
    few_additions = now.additions == 0 or now.additions + sent.additions <= limits.few
    removable = report.totals.open_ours + (report.totals.open_foreign if world.removes is Removes.ALL else 0)
    assert not limits.max_removals or now.removals <= limits.max_removals
    assert (
        not limits.max_removals_per_day
        or not now.removals
        or (sent.removed + now.removals <= limits.max_removals_per_day)
    )
    if report.reading.rows < limits.min_rows:
        assert few_removals
        assert few_additions
    if limits.max_removal_percent and not few_removals:
        recalls = report.plan.of(Kind.RECALL) if report.plan else 0
        assert 100 * now.removals <= limits.max_removal_percent * (removable + recalls)
    if limits.max_new_query_additions and not known_query:
        assert now.additions <= limits.max_new_query_additions
    if limits.max_vanished_percent and not few_additions:
        assert 100 * now.vanished <= limits.max_vanished_percent * (report.totals.ours + now.vanished)
    if good and limits.max_growth_percent and not few_additions and not sent.additions:
        assert 100 * (report.reading.customers - good.largest) <= limits.max_growth_percent * good.largest
    if good and limits.max_suppress_shrink_percent and now.additions:
        gone = good.suppressed_rows - len(world.suppressed)
        assert 100 * gone <= limits.max_suppress_shrink_percent * good.suppressed_rows
    sent.removed += now.removed
    sent.additions += now.additions


async def approve(stage: Stage, report: PassReport) -> None:
    assert report.guarded is not None
    assert report.guarded.digest is not None
    [(campaign,)] = stage.rows("SELECT id FROM campaign")
    async with connect(stage.database) as connection:
        await held.approve(connection, int(str(campaign)), "renewals", report.guarded.digest, "ann", stage.clock.now())


async def a_plan_of_a_world_at_rest_is_empty(stage: Stage) -> None:
    report = await stage.rehearse()
    assert report.plan is not None
    campaign = stage.tenant.campaigns[CAMPAIGN]
    talking = sum(record.status == RecordStatus.ACCEPTED for record in campaign)
    assert report.plan.of(Kind.REMOVE) <= talking
    assert report.plan.changes == report.plan.of(Kind.REMOVE)


def what_was_wanted_has_come_about(stage: Stage, world: RandomWorld) -> None:
    campaign = stage.tenant.campaigns[CAMPAIGN]
    parked = {customer for (customer,) in stage.rows("SELECT customer FROM parked")}
    stays = (RecordStatus.ACCEPTED, RecordStatus.COMPLETED)
    for customer, person in world:
        record, ledger = campaign.record(customer), stage.ledger(customer)
        was_ours = bool(person.ledger and person.ledger.ours)
        if person.suppressed:
            assert record is None or record.status in stays, f"{customer} is suppressed and in the campaign"
        elif person.desired:
            left = world.vanished is Vanished.LEAVE and ledger.get("presence") == "gone"
            assert record or ledger.get("called") or customer in parked or left, (
                f"{customer} was lost: {person}, {ledger}"
            )
        elif person.listed and not was_ours and world.removes is Removes.OWNED:
            assert record, f"{customer} was not ours to remove"
        elif person.listed and was_ours and world.mode is Mode.MIRROR:
            assert record is None or record.status in stays, f"{customer} was dropped and is in the campaign"
