"""``syncd parked`` and ``syncd retry``: whom the vendor refuses or cannot take yet, and trying them now."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import click

from syncd.cli.application import Application
from syncd.cli.params import CUSTOMER, chosen
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, say, show_document, show_table
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.words import PARKED, ago
from syncd.state import campaigns, parking
from syncd.state.database import connect
from syncd.state.opening import open_migrated_state
from syncd.state.parking import Parked

SHOWN: Final = 50
"""Customers that are shown of each campaign; all of them go into ``--json``."""


@click.command(short_help="Show who is parked and why.")
@click.argument("campaign", required=False)
@JSON_OPTION
@click.pass_obj
def parked(application: Application, campaign: str | None, as_json: bool) -> None:
    """Show who is parked in CAMPAIGN, or in all of them: why, and when they are tried again."""
    config = application.config()
    names = chosen(config, [campaign]) if campaign else list(config.campaigns)
    run(_parked(config, names, as_json=as_json))


@click.command(short_help="Try parked customers in the next pass.")
@click.argument("campaign")
@click.argument("customers", type=CUSTOMER, nargs=-1)
@click.pass_obj
def retry(application: Application, campaign: str, customers: Sequence[int]) -> None:
    """Try CUSTOMERS of CAMPAIGN, or all who are parked, in its next pass as if for the first time."""
    config = application.config()
    chosen(config, [campaign])
    freed = run(_retry(config, campaign, customers))
    if customers and freed < len(set(customers)):
        say(f"{campaign}: {len(set(customers)) - freed} of these are not parked.")
    say(f"{campaign}: {freed:,} parked customers are tried in the next pass; `syncd once {campaign}` runs one now.")


async def _parked(config: Config, names: Sequence[str], *, as_json: bool) -> None:
    now = SystemClock().now()
    documents = []
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        for name in names:
            settings = config.campaigns[name]
            row = await campaigns.find(connection, config.tenants[settings.tenant].username, settings.id)
            reasons = await parking.by_reason(connection, row.id)
            limit = None if as_json else SHOWN
            customers = [one async for one in parking.parked(connection, row.id, limit)]
            if as_json:
                documents.append(
                    {"campaign": name, "parked": reasons, "customers": [_document(one) for one in customers]}
                )
            elif reasons:
                _show(name, reasons, customers, now)
            else:
                say(f"{name}: nobody is parked")
    if as_json:
        show_document({"campaigns": documents})


async def _retry(config: Config, name: str, customers: Sequence[int]) -> int:
    settings = config.campaigns[name]
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        row = await campaigns.find(connection, config.tenants[settings.tenant].username, settings.id)
        return await parking.retry(connection, row.id, customers or None)


def _document(one: Parked) -> dict[str, object]:
    return {
        "customer": one.customer,
        "reason": one.reason,
        "message": one.message,
        "since": one.since.isoformat(),
        "last_try": one.last_try.isoformat(),
        "attempts": one.attempts,
        "next_try": one.next_try.isoformat() if one.next_try else None,
        "given_up": one.given_up,
    }


def _show(name: str, reasons: dict[str, int], customers: Sequence[Parked], now: datetime) -> None:
    say(f"{name}: " + ", ".join(f"{count:,} {PARKED[reason]}" for reason, count in reasons.items()))
    rows = [
        (
            str(one.customer),
            one.message or PARKED[one.reason],
            ago(one.since, now),
            one.attempts,
            _next(one),
        )
        for one in customers
    ]
    show_table(("customer", "why", "parked", "tries", "next try"), rows)
    if sum(reasons.values()) > len(customers):
        say(f"and {sum(reasons.values()) - len(customers):,} more: syncd parked {name} --json")
    say(f"next: syncd retry {name} [CUSTOMER...] tries them in the next pass")


def _next(one: Parked) -> str:
    if one.given_up:
        return "given up"
    return f"{one.next_try:%d %b %H:%M} UTC" if one.next_try else "when its row changes"
