"""``syncd parked`` and ``syncd retry``: whom the vendor refuses or cannot take yet, and trying them now."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import click
import orjson

from syncd.cli.application import Application
from syncd.cli.params import CUSTOMER, chosen
from syncd.cli.registered import row_of
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, on_terminal, say, show_table
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.words import PARKED, ago, counted
from syncd.state import parking
from syncd.state.database import Connection, connect
from syncd.state.opening import open_migrated_state
from syncd.state.parking import Parked
from syncd.words import command

SHOWN: Final = 50
"""Customers that are shown of each campaign on a terminal; elsewhere all of them are."""


@click.command(short_help="Show who is parked and why.")
@click.argument("campaign", required=False)
@JSON_OPTION
@click.pass_obj
def parked(application: Application, campaign: str | None, as_json: bool) -> None:
    """Show who is parked in CAMPAIGN, or in all of them: why, and when they are tried again.

    --json is {"campaigns": [...]}, each with campaign, parked (customers by reason) and customers, each of these with
    customer, reason, message (the vendor's words), since, last_try, attempts, next_try (null: when its row changes)
    and given_up.
    """
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
    freed, strangers = run(_retry(config, campaign, customers))
    if strangers:
        say(f"{campaign}: not parked, so left alone: {', '.join(map(str, strangers))}")
    if freed:
        say(f"{campaign}: {counted(freed, 'customer')} will be tried in the next pass; `syncd once` runs one now.")
    elif not customers:
        say(f"{campaign}: nobody is parked")


async def _parked(config: Config, names: Sequence[str], *, as_json: bool) -> None:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        numbers = {name: (await row_of(connection, config, name)).id for name in names}
        if as_json:
            await _write_document(connection, numbers)
            return
        for name, number in numbers.items():
            reasons = await parking.by_reason(connection, number)
            if not reasons:
                say(f"{name}: nobody is parked")
                continue
            say(f"{name}: " + ", ".join(f"{customers:,} {PARKED[reason]}" for reason, customers in reasons.items()))
            if on_terminal():
                await _show_table(connection, name, number, sum(reasons.values()))
            else:
                await _write_lines(connection, name, number)


async def _retry(config: Config, name: str, customers: Sequence[int]) -> tuple[int, list[int]]:
    """Return how many are freed, and who of those that were named is not parked."""
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        number = (await row_of(connection, config, name)).id
        known = await parking.among(connection, number, customers)
        freed = await parking.retry(connection, number, customers or None)
        return freed, sorted(set(customers) - known)


async def _write_document(connection: Connection, numbers: Mapping[str, int]) -> None:
    """Write one JSON document, a customer a line: there may be more of them than should stand in memory."""
    say('{"campaigns": [')
    for place, (name, number) in enumerate(numbers.items()):
        reasons = await parking.by_reason(connection, number)
        say(f'{"," if place else ""}{{"campaign": {_json(name)}, "parked": {_json(reasons)}, "customers": [')
        comma = ""
        async for one in parking.parked(connection, number):
            say(comma + _json(_document(one)))
            comma = ","
        say("]}")
    say("]}")


def _json(value: object) -> str:
    return orjson.dumps(value).decode()


def _document(one: Parked) -> dict[str, object]:
    return {
        "customer": one.customer,
        "reason": one.reason,
        "message": one.message,
        "since": one.since,
        "last_try": one.last_try,
        "attempts": one.attempts,
        "next_try": one.next_try,
        "given_up": one.given_up,
    }


async def _show_table(connection: Connection, name: str, number: int, total: int) -> None:
    now = SystemClock().now()
    rows = [
        (str(one.customer), _why(one), ago(one.since, now), one.attempts, _next(one, now))
        async for one in parking.parked(connection, number, SHOWN)
    ]
    show_table(("customer", "why", "parked", "tries", "next try"), rows)
    if total > len(rows):
        say(f"and {total - len(rows):,} more; {command('parked', name, '--json')} shows all")
    say(f"next: {command('retry', name)} [CUSTOMER...] tries them in the next pass")


async def _write_lines(connection: Connection, name: str, number: int) -> None:
    now = SystemClock().now()
    async for one in parking.parked(connection, number):
        told = f"parked {ago(one.since, now)}; tries: {one.attempts}; next try: {_next(one, now)}"
        say(f"{name}: {one.customer}: {_why(one)}; {told}")


def _why(one: Parked) -> str:
    """Return why a customer is parked, with what the vendor said."""
    return f"{PARKED[one.reason]}: {one.message}" if one.message else PARKED[one.reason]


def _next(one: Parked, now: datetime) -> str:
    if one.given_up:
        return "given up"
    if one.next_try is None:
        return "when its row changes"
    return f"{one.next_try:%Y-%m-%d %H:%M} UTC" if one.next_try > now else "next pass"
