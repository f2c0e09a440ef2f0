"""``syncd held`` and ``syncd approve``: what the guard holds, and letting it through once."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import click

from syncd.cli import change_lines
from syncd.cli.application import Application, operator
from syncd.cli.params import chosen
from syncd.cli.registered import row_of
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, say, show_document
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.words import RULES, ago, counted
from syncd.state import held as holding
from syncd.state.database import Connection, connect
from syncd.state.held import Approval, HeldPlan
from syncd.state.opening import open_migrated_state
from syncd.words import Kind, Rule, command

SHOWN: Final = 10
"""Customers that are shown of each plan; all of them go into ``--csv``."""

NUMBERS: Final = {
    Kind.ADD: "added",
    Kind.REMOVE: "removed",
    Kind.RESCHEDULE: "rescheduled",
    Kind.RECALL: "recalled",
    Kind.ADOPT: "adopted",
}


@click.command(short_help="Show what the guard holds, and whom it concerns.")
@click.argument("campaign", required=False)
@click.option("--csv", "as_csv", is_flag=True, help="Every change, one a line.")
@JSON_OPTION
@click.pass_obj
def held(application: Application, campaign: str | None, as_csv: bool, as_json: bool) -> None:
    """Show what the guard holds in CAMPAIGN, or in all of them, with the command that lets it through.

    --json is {"campaigns": [...]}, each that holds something with campaign, digest, since, why (sentences), removals
    and additions.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms of one thing: take one of them")
    config = application.config()
    names = chosen(config, [campaign]) if campaign else list(config.campaigns)
    run(_held(config, names, as_csv=as_csv, as_json=as_json))


@click.command(short_help="Let through what a campaign holds, once.")
@click.argument("campaign")
@click.argument("digest")
@click.pass_obj
def approve(application: Application, campaign: str, digest: str) -> None:
    """Let each change of CAMPAIGN's held plan DIGEST through once, within 24 hours."""
    config = application.config()
    chosen(config, [campaign])
    approval = run(_approve(config, campaign, digest))
    say(
        f"{campaign}: {counted(approval.changes, 'change')} of {digest} let through with the next passes, "
        f"each once, until {approval.expires_at:%Y-%m-%d %H:%M} UTC."
    )
    say("What was read then is the baseline from now on; `syncd once` runs a pass now.")


async def _held(config: Config, names: list[str], *, as_csv: bool, as_json: bool) -> None:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        numbers = {name: (await row_of(connection, config, name)).id for name in names}
        plans = {name: await holding.find(connection, number) for name, number in numbers.items()}
        waiting = {name: plan for name, plan in plans.items() if plan is not None}
        if as_json:
            show_document({"campaigns": [_document(name, plan) for name, plan in waiting.items()]})
        elif as_csv:
            await _write_csv(connection, waiting)
        elif not waiting:
            say("Nothing is held.")
        else:
            for name, plan in waiting.items():
                await _show(connection, name, plan, SystemClock().now())


async def _approve(config: Config, name: str, digest: str) -> Approval:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        row = await row_of(connection, config, name)
        return await holding.approve(connection, row.id, name, digest, operator(), SystemClock().now())


def _document(name: str, plan: HeldPlan) -> dict[str, object]:
    return {
        "campaign": name,
        "digest": plan.digest,
        "since": plan.since.isoformat(),
        "why": list(plan.sentences),
        "removals": plan.removals,
        "additions": plan.additions,
    }


async def _write_csv(connection: Connection, waiting: Mapping[str, HeldPlan]) -> None:
    change_lines.write_heading()
    for name, plan in waiting.items():
        async for change in holding.changes(connection, plan.campaign):
            change_lines.write_changes(name, [(change.customer, change.kind, change.rule, change.wanted_at)])


async def _show(connection: Connection, name: str, plan: HeldPlan, now: datetime) -> None:
    since = f"{plan.since:%Y-%m-%d %H:%M} UTC ({ago(plan.since, now)})"
    what = f"{counted(plan.removals, 'removal')}, {counted(plan.additions, 'addition')}"
    say(f"{name}: held since {since}: {what}")
    for sentence in plan.sentences:
        say(f"  why     {sentence}")
    shown = 0
    async for change in holding.changes(connection, plan.campaign):
        if shown == SHOWN:
            break
        shown += 1
        say(f"  {change.customer} would be {NUMBERS[Kind(change.kind)]}: {RULES[Rule(change.rule)]}")
    total = await holding.count(connection, plan.campaign)
    if total > shown:
        say(f"  and {total - shown:,} more: {command('held', name, '--csv')}")
    say(f"  next    {command('approve', name, plan.digest)}    lets just these through, once")
