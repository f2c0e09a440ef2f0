"""``syncd history``: past passes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import click

from syncd.cli.application import Application
from syncd.cli.params import chosen
from syncd.cli.registered import numbers_of
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, on_terminal, say, show_document, show_table
from syncd.clock import SystemClock
from syncd.config import Config
from syncd.report.status import past_pass
from syncd.report.words import ago, duration, moment, plain
from syncd.state import passes
from syncd.state.database import connect
from syncd.state.opening import open_migrated_state
from syncd.state.passes import PastPass

LONGEST: Final = 160
"""Characters of a pass's sentence that a table shows; ``--json`` has all of it."""

SHORT: Final = timedelta(seconds=10)
"""A pass that took less is told to the tenth of a second."""


@click.command(short_help="Show past passes, the newest first.")
@click.argument("campaign", required=False)
@click.option("--limit", type=click.IntRange(1, 100_000), default=20, show_default=True, help="Rows at most.")
@JSON_OPTION
@click.pass_obj
def history(application: Application, campaign: str | None, limit: int, as_json: bool) -> None:
    """Show past passes over CAMPAIGN, or over all of them, the newest first. Passes without news share a row."""
    config = application.config()
    names = chosen(config, [campaign]) if campaign else list(config.campaigns)
    found = run(_history(config, names, limit))
    if as_json:
        show_document({"passes": [_document(name, one) for name, one in found]})
    elif not found:
        say("No pass is on record.")
    elif on_terminal():
        _show_table(found, SystemClock().now(), with_name=len(names) > 1)
    else:
        for name, one in found:
            say(_line(name, one))


async def _history(config: Config, names: Sequence[str], limit: int) -> list[tuple[str, PastPass]]:
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        known = await numbers_of(connection, config, names)
        return [(known[one.campaign], one) for one in await passes.history(connection, list(known), limit)]


def _document(name: str, one: PastPass) -> Mapping[str, Any]:
    return {"campaign": name, **one.counts, **past_pass(one)}


def _show_table(found: Sequence[tuple[str, PastPass]], now: datetime, *, with_name: bool) -> None:
    columns = ("pass", *(("campaign",) if with_name else ()), "when", "took", "result", "what")
    show_table(
        columns,
        [
            (str(one.id), *((name,) if with_name else ()), ago(one.ended or one.began, now), *_cells(one))
            for name, one in found
        ],
    )


def _cells(one: PastPass) -> tuple[str, str, str]:
    sentence = plain(one.sentence)
    short = sentence if len(sentence) <= LONGEST else sentence[: LONGEST - 1] + "…"
    return _took(one), one.result, f"{_several(one)}{short}"


def _line(name: str, one: PastPass) -> str:
    took = f", took {_took(one)}" if _took(one) else ""
    return f"{name}: pass {one.id}, {moment(one.began)}{took}, {one.result}: {_several(one)}{plain(one.sentence)}"


def _several(one: PastPass) -> str:
    """Return what stands before the sentence of the last of several passes without news."""
    if one.passes == 1 or one.ended is None:
        return ""
    return f"{one.passes:,} passes without news in {duration(one.ended - one.began)}, the last: "


def _took(one: PastPass) -> str:
    """Return how long a pass took; nothing where it died, or where several share the row."""
    if one.ended is None or one.passes > 1:
        return ""
    span = one.ended - one.began
    return f"{span.total_seconds():.1f}s" if span < SHORT else duration(span)
