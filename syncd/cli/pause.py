"""``syncd pause`` and ``syncd resume``: stop and go. Suppressions go on while a campaign is paused."""

from collections.abc import Callable
from typing import Any

import click

from syncd.cli.application import Application, operator
from syncd.cli.params import chosen
from syncd.cli.registered import row_of
from syncd.cli.running import run
from syncd.cli.screen import say
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.state import campaigns, pausing
from syncd.state.campaigns import CampaignRow
from syncd.state.database import connect
from syncd.state.opening import open_migrated_state


def which(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command its campaign, or all of them."""
    command = click.option("--all", "everyone", is_flag=True, help="All campaigns of the configuration.")(command)
    return click.argument("campaign", required=False)(command)


@click.command(short_help="Stop sending changes; suppressions go on.")
@which
@click.option("--reason", default="", help="Why, for whoever finds it paused.")
@click.pass_obj
def pause(application: Application, campaign: str | None, everyone: bool, reason: str) -> None:
    """Stop sending changes to CAMPAIGN, or to --all, on every host before its next batch. Suppressions go on."""
    config = application.config()
    names = _names(config, campaign, everyone=everyone)
    for name, before in run(_pause(config, names, " ".join(reason.split()))).items():
        if before is None:
            say(f"{name}: paused; suppressions go on")
        else:
            say(f"{name}: is paused already{_told(before)}; nothing was changed")


@click.command(short_help="Let a paused campaign go on.")
@which
@click.pass_obj
def resume(application: Application, campaign: str | None, everyone: bool) -> None:
    """Let CAMPAIGN, or --all, go on with its next pass."""
    config = application.config()
    names = _names(config, campaign, everyone=everyone)
    for name, changed in run(_resume(config, names)).items():
        say(f"{name}: goes on with its next pass" if changed else f"{name}: is not paused; nothing was changed")


def _names(config: Config, campaign: str | None, *, everyone: bool) -> list[str]:
    if everyone == (campaign is not None):
        raise click.UsageError("name one campaign, or give --all")
    return chosen(config, [campaign]) if campaign else list(config.campaigns)


async def _pause(config: Config, names: list[str], reason: str) -> dict[str, CampaignRow | None]:
    """Return for each campaign None, or the row of one that was paused already."""
    now = SystemClock().now()
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        paused_before = {}
        for name in names:
            settings = config.campaigns[name]
            account = config.tenants[settings.tenant].username
            # Also before its first pass, which then sends nothing.
            row = await campaigns.register(connection, account, settings.id, name)
            changed = await pausing.pause(connection, row.id, operator(), reason, now)
            paused_before[name] = None if changed else await row_of(connection, config, name)
        return paused_before


async def _resume(config: Config, names: list[str]) -> dict[str, bool]:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        resumed = {}
        for name in names:
            resumed[name] = await pausing.resume(connection, (await row_of(connection, config, name)).id)
        return resumed


def _told(row: CampaignRow) -> str:
    if row.paused_at is None:  # somebody resumed it in this moment
        return ""
    reason = f": {row.pause_reason}" if row.pause_reason else ""
    return f", since {row.paused_at:%Y-%m-%d %H:%M} UTC by {row.paused_by}{reason}"
