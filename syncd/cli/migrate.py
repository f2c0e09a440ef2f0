"""``syncd migrate``: the state's schema, brought up to date."""

import asyncio

import click

from syncd.cli.application import Application
from syncd.cli.running import run
from syncd.cli.screen import say
from syncd.config import StateSettings
from syncd.state.migrate import migrate as bring_up_to_date
from syncd.state.opening import open_state


@click.command(short_help="Bring the schema of the state up to date.")
@click.pass_obj
def migrate(application: Application) -> None:
    """Bring the schema of the state database up to date. `run` and `once` do it too."""
    changed = run(_migrate(application.config().state))
    say("state: the schema was brought up to date" if changed else "state: the schema is up to date")


async def _migrate(settings: StateSettings) -> bool:
    async with open_state(settings) as database:
        return await asyncio.to_thread(bring_up_to_date, database)
