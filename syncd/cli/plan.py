"""``syncd plan``: what a pass would do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence

import click

from syncd.cli import change_lines
from syncd.cli.application import Application
from syncd.cli.params import chosen, left_out
from syncd.cli.passes import complain_of, gravest
from syncd.cli.progress import shown
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, on_terminal, say, show_document, show_table
from syncd.config import Config
from syncd.errors import StateUnavailable
from syncd.report.words import why
from syncd.state.database import Database
from syncd.state.desk import Desk
from syncd.state.foreseen import foreseen
from syncd.state.inspection import Schema, schema_of
from syncd.state.migrate import migrate
from syncd.state.opening import open_state
from syncd.state.workplace import Workplaces
from syncd.sync import PassReport, rehearse_pass
from syncd.sync.worlds import Worlds
from syncd.words import Exit, Kind


@click.command(short_help="Tell what a pass would do; send and write nothing.")
@click.argument("campaigns", nargs=-1, metavar="[CAMPAIGN]...")
@click.option("--csv", "as_csv", is_flag=True, help="The customers, one a line.")
@JSON_OPTION
@click.pass_obj
def plan(application: Application, campaigns: tuple[str, ...], as_csv: bool, as_json: bool) -> int:
    """Tell what a pass would do, sending nothing and writing nothing.

    Exit status: 0 nothing to do, 2 changes pending, 3 some would be held, 5 blocked, 1 failed.
    """
    if as_csv and as_json:
        raise click.UsageError("give --csv or --json, not both")
    config = application.config()
    names, skipped = chosen(config, campaigns), left_out(config, campaigns)
    reports = run(_rehearse_all(config, names, as_csv=as_csv, tell=not (as_csv or as_json)))
    status = gravest(map(exit_status, reports))
    if as_json:
        show_document({"campaigns": [_document(r) for r in reports], "disabled": skipped, "exit_status": int(status)})
    elif not as_csv:
        for name in skipped:
            say(f"{name}: disabled, left out")
    return status


def exit_status(report: PassReport) -> Exit:
    """Return the exit status for one campaign's plan."""
    if report.exit_status is Exit.GOOD and report.plan and report.plan.changes:
        return Exit.CHANGES_PENDING
    return report.exit_status


async def _rehearse_all(config: Config, names: Sequence[str], *, as_csv: bool, tell: bool) -> list[PassReport]:
    reports = []
    async with open_state(config.state) as database:
        await _look_at_schema(config, database)
        worlds = Worlds(config, Workplaces(database))
        if as_csv:
            change_lines.write_heading()
        for name in names:
            with shown(name) as progress:
                report = await rehearse_pass(
                    worlds.campaign(name), worlds.world(name, progress), on_planned=_customers(name) if as_csv else None
                )
            reports.append(report)
            complain_of(report)
            if tell and report.error is None:
                _tell(report)
    return reports


async def _look_at_schema(config: Config, database: Database) -> None:
    """A dry run writes nothing into a database of others; syncd's own server has its schema made where it is new."""
    if config.state.url is None:
        await asyncio.to_thread(migrate, database)
    elif await schema_of(database) is not Schema.CURRENT:
        raise StateUnavailable(f"its schema {config.state.schema_name} is not up to date", "run `syncd migrate`")


def _tell(report: PassReport) -> None:
    say(f"{report.campaign}: {_summary(report)}")
    changes = list(_changes(report))
    if on_terminal() and changes:
        show_table(("", "customers", "because each"), changes)
    else:
        for kind, customers, words in changes:
            say(f"{report.campaign}: {kind} {customers:,}: {words}")


def _summary(report: PassReport) -> str:
    if report.result.value == "held":
        return f"would be held: {report.sentence()}"
    planned = report.plan.changes if report.plan else 0
    what = f"{planned:,} change{'' if planned == 1 else 's'} pending" if planned else "nothing to do"
    desired = report.reading.customers if report.reading else 0
    listed = report.totals.listed if report.totals else 0
    return f"{what}; {desired:,} desired, {listed:,} listed"


def _changes(report: PassReport) -> Iterator[tuple[str, int, str]]:
    counts = report.plan.counts if report.plan else {}
    for kind in Kind:
        for (one, rule), customers in counts.items():
            if one is kind:
                yield kind.value, customers, why(kind, rule)


def _document(report: PassReport) -> Mapping[str, object]:
    counts = report.plan.counts if report.plan else {}
    return {
        "campaign": report.campaign,
        "result": report.result.value,
        "exit_status": int(exit_status(report)),
        "error": report.error.sentence() if report.error else None,
        "changes": [
            {"kind": kind.value, "rule": rule.value, "customers": customers, "why": why(kind, rule)}
            for (kind, rule), customers in counts.items()
            if kind is not None
        ],
        **report.counts(),
    }


def _customers(campaign: str) -> Callable[[Desk], Awaitable[None]]:
    async def write(desk: Desk) -> None:
        async for block in foreseen(desk):
            change_lines.write_changes(campaign, ((one.customer, one.kind, one.rule, one.call_at) for one in block))

    return write
