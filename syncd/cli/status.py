"""``syncd status``: how every campaign stands, and what to do next."""

from collections.abc import Sequence
from datetime import datetime

import click

from syncd.cli.application import Application
from syncd.cli.registered import overviews
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, columns, say, say_labelled, show_document, show_table
from syncd.clock import SystemClock
from syncd.config import CampaignSettings, Config
from syncd.report.status import document, facts, heading, healthy, next_pass, next_steps
from syncd.report.words import ago
from syncd.state.database import connect
from syncd.state.opening import open_migrated_state
from syncd.state.overview import Overview
from syncd.words import Exit


@click.command(short_help="Show how every campaign stands, and what to do next.")
@JSON_OPTION
@click.pass_obj
def status(application: Application, as_json: bool) -> int:
    """Show of every campaign its condition, last pass, counts, what is held or parked, the next pass and step.

    Exit status: 0 healthy, 1 not: an enabled campaign is held, blocked, failing or done in part, a pass is overdue, or
    a suppressed customer is not out for over an hour. A pause is healthy.
    """
    config = application.config()
    now = SystemClock().now()
    found = run(_overviews(config, now))
    good = all(healthy(one, config.campaigns[one.name], now) for one in found)
    exit_status = Exit.GOOD if good else Exit.FAILED
    if as_json:
        campaigns = [document(one, config.campaigns[one.name], now) for one in found]
        show_document({"campaigns": campaigns, "healthy": good, "exit_status": int(exit_status)})
        return exit_status
    width = columns()
    if width and len(found) > 1:
        _show_table(found, config, now)
    for one in found:
        _show(one, config.campaigns[one.name], now, width)
    return exit_status


async def _overviews(config: Config, now: datetime) -> list[Overview]:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        return await overviews(connection, config, list(config.campaigns), now)


def _show_table(found: Sequence[Overview], config: Config, now: datetime) -> None:
    show_table(
        ("campaign", "condition", "desired", "listed", "last pass", "next pass"),
        [_row(one, config.campaigns[one.name], now) for one in found],
    )
    say()


def _row(one: Overview, settings: CampaignSettings, now: datetime) -> tuple[str, ...]:
    last = one.last_pass.ended or one.last_pass.began if one.last_pass else None
    return (
        one.name,
        one.condition.value if settings.enabled else "disabled",
        f"{one.counts.desired:,}" if one.counts else "",
        f"{one.counts.listed:,}" if one.counts else "",
        ago(last, now) if last else "never",
        next_pass(one, settings, now),
    )


def _show(one: Overview, settings: CampaignSettings, now: datetime, width: int | None) -> None:
    say(f"{one.name}: {heading(one, settings, now)}")
    for fact in facts(one, settings, now):
        say_labelled(fact.label, fact.text, width)
    for place, step in enumerate(next_steps(one, settings, now)):
        say_labelled("" if place else "next step", step.what, width)
        for command in step.commands:
            say_labelled("", command, None)
