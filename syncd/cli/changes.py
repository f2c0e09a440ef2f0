"""``syncd changes``: the journal, row by row."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
import orjson

from syncd.cli.application import Application
from syncd.cli.params import PAST_TIME, chosen
from syncd.cli.registered import numbers_of
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, columns, say, say_wrapped, write_csv
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report import journal_words
from syncd.report.words import moment, plain
from syncd.source.rows import MAX_CUSTOMER
from syncd.state import journal
from syncd.state.database import connect
from syncd.state.journal import Entry
from syncd.state.opening import open_migrated_state

LATELY: Final = timedelta(hours=24)
"""How far back the journal is shown where nothing says."""

COLUMNS: Final = (
    "at",
    "campaign",
    "pass",
    "customer",
    "kind",
    "rule",
    "why",
    "outcome",
    "reason",
    "http_status",
    "message",
    "approved",
    "delay_seconds",
)

BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before any journal: a pass is shown whole, however long ago it was."""


@click.command(short_help="Show the journal: each change, why, and what became of it.")
@click.argument("campaign", required=False)
@click.option("--pass", "pass_id", type=click.IntRange(1, MAX_CUSTOMER), help="Those of one pass.")
@click.option("--since", type=PAST_TIME, metavar="T", help='A duration back from now, as "2h", or an ISO time.')
@click.option("--csv", "as_csv", is_flag=True, help="One change a line, with a heading.")
@JSON_OPTION
@click.pass_obj
def changes(
    application: Application,
    campaign: str | None,
    pass_id: int | None,
    since: datetime | None,
    as_csv: bool,
    as_json: bool,
) -> None:
    """Show the changes in CAMPAIGN, or in all of them, the oldest first; those of the last 24 hours if nothing is said.

    T is a duration back from now, as "2h", or an ISO time, in UTC where it names no offset. A pass may be one over a
    campaign that the configuration has no more. --json is {"changes": [...]}; its keys are the columns of --csv.
    """
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms of one thing: take one of them")
    config = application.config()
    names = chosen(config, [campaign]) if campaign else list(config.campaigns)
    start = since or (BEGINNING if pass_id else SystemClock().now() - LATELY)
    write = _write_csv if as_csv else _write_document if as_json else _say
    run(_changes(config, names, start, pass_id, write, anybodys=pass_id is not None and campaign is None))


Writer = Callable[[str, AsyncIterator[Entry], Mapping[int, str]], Awaitable[None]]


async def _changes(
    config: Config, names: Sequence[str], since: datetime, pass_id: int | None, write: Writer, *, anybodys: bool
) -> None:
    """Write the journal; ``anybodys`` lets in what happened in campaigns that are not named."""
    what = f"of pass {pass_id}" if pass_id else f"since {moment(since)}"
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        known = await numbers_of(connection, config, names)
        found = journal.read(connection, since, pass_id=pass_id, campaigns=None if anybodys else list(known))
        async with aclosing(found):
            await write(what, found, known)


async def _say(what: str, entries: AsyncIterator[Entry], names: Mapping[int, str]) -> None:
    nothing, width = True, columns()
    async for entry in entries:
        nothing = False
        say_wrapped(
            f"{entry.at:%Y-%m-%d %H:%M:%S}  ",
            f"{_name(entry, names)} {entry.customer}: {journal_words.told(entry)}",
            width,
        )
    if nothing:
        say(f"No change is on record {what}.")


async def _write_csv(_: str, entries: AsyncIterator[Entry], names: Mapping[int, str]) -> None:
    write_csv([COLUMNS])
    async for entry in entries:
        fields = _fields(entry, _name(entry, names)) | {
            "at": f"{entry.at:%Y-%m-%dT%H:%M:%SZ}",
            "message": plain(entry.message),
            "approved": str(entry.approved).lower(),
        }
        write_csv([fields.values()])


async def _write_document(_: str, entries: AsyncIterator[Entry], names: Mapping[int, str]) -> None:
    """Write one JSON document, a change a line: there may be more of them than should stand in memory."""
    sys.stdout.write('{"changes": [\n')
    comma = ""
    async for entry in entries:
        sys.stdout.write(f"{comma}{orjson.dumps(_fields(entry, _name(entry, names))).decode()}\n")
        comma = ","
    sys.stdout.write("]}\n")


def _name(entry: Entry, names: Mapping[int, str]) -> str:
    """Return the section's name; the one it had when it last ran, where the configuration has it no more."""
    return names.get(entry.campaign, entry.name)


def _fields(entry: Entry, name: str) -> dict[str, Any]:
    known = {"campaign": name, "customer": entry.customer, **journal_words.document(entry)}
    return {key: known[key] for key in COLUMNS}
