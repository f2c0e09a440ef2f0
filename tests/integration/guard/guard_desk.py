"""What a person does at a stage: look at what is held, approve it, pause and resume."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from syncd.state import held, pausing
from syncd.state.database import Connection, connect
from syncd.state.held import Approval, HeldPlan
from tests.stage import Stage


@asynccontextmanager
async def desk(stage: Stage) -> AsyncIterator[tuple[Connection, int]]:
    """Yield a connection of its own, and the campaign's number."""
    [(number,)] = stage.rows("SELECT id FROM campaign")
    async with connect(stage.database) as connection:
        yield connection, int(str(number))


async def held_plan(stage: Stage) -> HeldPlan | None:
    async with desk(stage) as (connection, campaign):
        return await held.find(connection, campaign)


async def held_digest(stage: Stage) -> str:
    plan = await held_plan(stage)
    assert plan is not None, "nothing is held"
    return plan.digest


async def approve(stage: Stage, digest: str | None = None, *, by: str = "ann") -> Approval:
    """Approve a digest, by default the one that is held."""
    chosen = digest or await held_digest(stage)
    async with desk(stage) as (connection, campaign):
        return await held.approve(connection, campaign, stage.campaign.name, chosen, by, stage.clock.now())


async def pause(stage: Stage, *, by: str = "ann", reason: str = "lunch") -> bool:
    async with desk(stage) as (connection, campaign):
        return await pausing.pause(connection, campaign, by, reason, stage.clock.now())


async def resume(stage: Stage) -> bool:
    async with desk(stage) as (connection, campaign):
        return await pausing.resume(connection, campaign)


def held_customers(stage: Stage, kind: str) -> set[int]:
    """Return the customers whom the plan on record concerns."""
    return {int(str(row[0])) for row in stage.rows("SELECT customer FROM held_change WHERE kind = %s", kind)}


def added(stage: Stage) -> list[int]:
    """Return who was added in the last pass, once for each add."""
    return [customer for entry in stage.tenant.writes if entry.call.value == "add" for customer in entry.done]


def removed(stage: Stage) -> list[int]:
    """Return who was removed in the last pass."""
    return [customer for entry in stage.tenant.writes if entry.call.value == "delete" for customer in entry.done]
