"""``syncd suppress`` and ``syncd unsuppress``: customers whom a person says never to call, or to call again."""

from datetime import timedelta

import click

from syncd.cli.application import Application, operator
from syncd.cli.params import CUSTOMER
from syncd.cli.registered import dispositions_of
from syncd.cli.running import run
from syncd.cli.screen import say
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.vendor_words import why_suppressed
from syncd.report.words import duration, plain
from syncd.state import suppressions
from syncd.state.database import connect
from syncd.state.opening import open_migrated_state
from syncd.state.suppressions import Suppression


@click.command(short_help="Never call a customer in any campaign, from now on.")
@click.argument("customer", type=CUSTOMER)
@click.option("--reason", required=True, help="Why, for the record.")
@click.pass_obj
def suppress(application: Application, customer: int, reason: str) -> None:
    """Never call CUSTOMER in any campaign, from now on, whatever the source says."""
    reason = " ".join(reason.split())
    if not reason:
        raise click.UsageError("give a --reason: it stays on record with who said so and when")
    config = application.config()
    is_new, known = run(_suppress(config, customer, reason))
    if is_new:
        say(f"customer {customer} is suppressed in every campaign: never added, and taken out where it is.")
        say(_when(config))
    else:
        told = next(one for one in known if one.origin == "operator")
        say(f"customer {customer} is suppressed already, {_told(told, told.reason)}; nothing was changed.")


@click.command(short_help="Take back what `suppress` said of a customer.")
@click.argument("customer", type=CUSTOMER)
@click.pass_obj
def unsuppress(application: Application, customer: int) -> None:
    """Take back `suppress`: the source says again whether CUSTOMER is called."""
    taken_back, stays = run(_unsuppress(application.config(), customer))
    if taken_back:
        say(f"customer {customer} is no longer suppressed by `syncd suppress`; the sources' own lists go on as ever.")
    else:
        say(f"customer {customer} was not suppressed by `syncd suppress`; nothing was changed.")
    for one, why in stays:
        say(f"customer {customer} stays suppressed in tenant {one.account}, by a disposition, {_told(one, why)}.")


async def _suppress(config: Config, customer: int, reason: str) -> tuple[bool, list[Suppression]]:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        now = SystemClock().now()
        is_new = await suppressions.suppress(connection, customer, reason, operator(), now)
        return is_new, await suppressions.find(connection, customer)


async def _unsuppress(config: Config, customer: int) -> tuple[bool, list[tuple[Suppression, str]]]:
    """Return whether there was anything to take back, and by what the customer stays suppressed, with why in words."""
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        taken_back = await suppressions.unsuppress(connection, customer)
        return taken_back, [
            (one, why_suppressed(one, await dispositions_of(connection, config, one.account)))
            for one in await suppressions.find(connection, customer)
        ]


def _told(one: Suppression, why: str) -> str:
    return f"since {one.since:%Y-%m-%d %H:%M} UTC by {one.by}: {plain(why)}"


def _when(config: Config) -> str:
    enabled = [campaign for campaign in config.campaigns.values() if campaign.enabled]
    if not enabled:
        return "No campaign is enabled; `syncd once CAMPAIGN` runs a pass."
    slowest = max((campaign.every for campaign in enabled if campaign.every), default=timedelta())
    within = f", within {duration(slowest)}" if slowest and all(campaign.every for campaign in enabled) else ""
    return f"It takes effect at the next pass of each campaign{within}; `syncd once` runs one now."
