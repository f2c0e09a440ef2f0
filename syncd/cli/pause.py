"""``syncd pause`` and ``syncd resume``: stop and go. Suppressions go on while a campaign is paused."""

from collections.abc import Callable
from typing import Any

import click

from syncd.cli.application import Application, operator
from syncd.cli.params import chosen
from syncd.cli.running import run
from syncd.cli.screen import say
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.state import campaigns, pausing
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
    for name, changed in run(_pause(config, names, " ".join(reason.split()))).items():
        say(f"{name}: paused; suppressions go on" if changed else f"{name}: is paused already; nothing was changed")


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


async def _pause(config: Config, names: list[str], reason: str) -> dict[str, bool]:
    now = SystemClock().now()
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        paused = {}
        for name in names:
            settings = config.campaigns[name]
            account = config.tenants[settings.tenant].username
            # Also before its first pass, which then sends nothing.
            row = await campaigns.register(connection, account, settings.id, name)
            paused[name] = await pausing.pause(connection, row.id, operator(), reason, now)
        return paused


async def _resume(config: Config, names: list[str]) -> dict[str, bool]:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        resumed = {}
        for name in names:
            settings = config.campaigns[name]
            row = await campaigns.find(connection, config.tenants[settings.tenant].username, settings.id)
            resumed[name] = await pausing.resume(connection, row.id)
        return resumed
