"""One customer looked at: what is decided of them alone is what a pass decides of them among all."""

from test_dry_run import busy_world, everything

from syncd.state.desk import Desk
from syncd.state.foreseen import foreseen
from syncd.sync import rehearse_pass
from syncd.sync.explaining import look
from syncd.words import Kind
from tests.stage import Stage

CUSTOMERS = [*range(1, 14), 50, 51]


async def planned(stage: Stage) -> dict[int, tuple[str, str]]:
    """Return what a pass would do, by customer: kind and rule."""
    found: dict[int, tuple[str, str]] = {}

    async def gather(desk: Desk) -> None:
        async for block in foreseen(desk):
            found.update({one.customer: (one.kind, one.rule) for one in block})

    await rehearse_pass(stage.campaign, stage.world, on_planned=gather)
    return found


async def test_what_is_decided_of_one_is_what_a_pass_decides_of_all(stage: Stage) -> None:
    await busy_world(stage)
    of_all = await planned(stage)
    assert {kind for kind, _ in of_all.values()} == set(Kind), "there is something of each kind to do"
    before = everything(stage)
    stage.tenant.log.clear()
    for customer in CUSTOMERS:
        found = await look(stage.campaign, stage.world, customer)
        decision = found.with_listing
        assert found.observes
        assert decision == found.next
        assert (decision.kind, decision.rule) == of_all.get(customer, (None, decision.rule)), customer
    assert stage.writes == []
    assert everything(stage) == before


async def test_without_a_listing_what_the_ledger_cannot_know_waits(stage: Stage) -> None:
    await busy_world(stage)
    found = {customer: await look(stage.campaign, stage.world, customer) for customer in (1, 2, 3, 4, 10)}
    waiting = {customer: one.without_listing.kind for customer, one in found.items()}
    assert waiting == {1: None, 2: None, 3: None, 4: Kind.REMOVE, 10: Kind.ADD}
    assert {customer: one.with_listing.kind for customer, one in found.items()} == {
        1: Kind.REMOVE,
        2: Kind.RESCHEDULE,
        3: Kind.ADD,
        4: Kind.REMOVE,
        10: Kind.ADD,
    }
