"""``syncd once``: a pass now."""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import suppress

import click

from syncd.cli.application import Application
from syncd.cli.params import chosen, left_out
from syncd.cli.passes import complain_of, gravest, run_passes
from syncd.cli.running import run, stopping
from syncd.cli.screen import JSON_OPTION, on_terminal, say, show_document, show_table
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.notify import Notifier
from syncd.state.database import Database
from syncd.state.opening import open_migrated_state
from syncd.state.workplace import Workplaces
from syncd.sync import PassReport
from syncd.sync.stopping import PassStopped, unless_stopped
from syncd.sync.worlds import Worlds
from syncd.words import Exit, Kind


@click.command(short_help="Run a pass over each campaign now.")
@click.argument("campaigns", nargs=-1, metavar="[CAMPAIGN]...")
@click.option("--wait", is_flag=True, help="Wait for a pass that is running.")
@JSON_OPTION
@click.pass_obj
def once(application: Application, campaigns: tuple[str, ...], wait: bool, as_json: bool) -> int:
    """Run one pass over each campaign now, reading its listing.

    Exit status: 0 good, 1 failed, 5 blocked, 3 held, 4 done in part, 75 another pass is running; of several campaigns
    the first of these that occurs.
    """
    config = application.config()
    names = chosen(config, campaigns)
    table = on_terminal() and not as_json
    reports = run(_run_all(config, names, wait=wait, tell=not (as_json or table)))
    status = gravest(report.exit_status for report in reports)
    skipped = left_out(config, campaigns)
    if as_json:
        show_document({"campaigns": [document(r) for r in reports], "disabled": skipped, "exit_status": int(status)})
        return status
    if table:
        _show(reports)
    for name in skipped:
        say(f"{name}: disabled, left out")
    return status


async def _run_all(config: Config, names: Sequence[str], *, wait: bool, tell: bool) -> list[PassReport]:
    reports, telling = [], []
    notifier = Notifier(SystemClock())
    async with open_migrated_state(config.state) as database:
        worlds = Worlds(config, Workplaces(database))
        with stopping(worlds.stop):
            async for report in run_passes(worlds, names, wait=wait):
                reports.append(report)
                if tell and report.error is None:
                    say(line(report))
                complain_of(report)
                campaign = worlds.campaign(report.campaign)
                telling.append(asyncio.create_task(notifier.after_pass(config, campaign, report, database)))
            with suppress(PassStopped):  # what nobody was told of stays due
                await unless_stopped(worlds.stop, _told(telling, notifier, config, database))
    return reports


async def _told(telling: Sequence[Awaitable[None]], notifier: Notifier, config: Config, database: Database) -> None:
    """Wait until people were told of each pass, which the passes did not wait for; then ping the heartbeat of all."""
    await asyncio.gather(*telling)
    await notifier.pulse(config, database)


def line(report: PassReport) -> str:
    """Return what a pass did, in one line."""
    return f"{report.campaign}: {report.sentence()}"


def document(report: PassReport) -> Mapping[str, object]:
    """Return a pass for ``--json``."""
    condition = report.result.condition()
    return {
        "campaign": report.campaign,
        "result": report.result.value,
        "condition": condition.value if condition else None,
        "exit_status": int(report.exit_status),
        "sentence": report.sentence(),
        "error": report.error.sentence() if report.error else None,
        "began": report.began,
        "ended": report.ended,
        **report.counts(),
    }


def _show(reports: Sequence[PassReport]) -> None:
    if reports:
        show_table(
            ("campaign", "result", "desired", "listed", "added", "removed", "rescheduled", "recalled"),
            [(report.campaign, report.result.value, *_figures(report)) for report in reports],
        )
    for report in reports:
        if report.error is None and (report.news or report.exit_status is not Exit.GOOD):
            say(line(report))


def _figures(report: PassReport) -> tuple[str | int, ...]:
    return (
        report.reading.customers if report.reading else "",
        report.totals.listed if report.totals else "",
        *(report.done(kind) for kind in (Kind.ADD, Kind.REMOVE, Kind.RESCHEDULE, Kind.RECALL)),
    )
