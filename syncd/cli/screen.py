"""What a command prints: lines, tables on a terminal, JSON documents, CSV, and complaints on the standard error."""

import csv
import re
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, Final

import click
import orjson
from rich.console import Console
from rich.table import Table
from rich.text import Text

from syncd.logs import is_journal

JSON_OPTION = click.option("--json", "as_json", is_flag=True, help="One JSON document, for programs.")

LABEL: Final = 13
"""Columns that a label takes, with the blanks around it."""

_FORMULA: Final = re.compile(r"(?![+-][0-9]+(?:\.[0-9]+)?\Z)[=+\-@\t\r]")
"""What a spreadsheet takes for a formula that it is to work out; a number with its sign is none."""


def on_terminal() -> bool:
    """Return whether a person looks at the standard output."""
    return Console().is_terminal


def say(line: str = "") -> None:
    """Print a line. It is never wrapped: what it quotes may be copied."""
    click.echo(line)


def columns() -> int | None:
    """Return how wide the terminal is; None where no person looks at the standard output."""
    return Console().width if on_terminal() else None


def say_wrapped(head: str, text: str, width: int | None) -> None:
    """Print what stands at the head of a line, and a text that goes on below itself where a width is given."""
    if width is None:
        say(head + text)
        return
    width = max(width, len(head) + 20)
    margin = " " * len(head)
    say(textwrap.fill(text, width, initial_indent=head, subsequent_indent=margin, break_on_hyphens=False))


def say_labelled(label: str, text: str, width: int | None) -> None:
    """Print a text behind its label."""
    say_wrapped(f"  {label}".ljust(LABEL), text, width)


def complain(line: str) -> None:
    """Print a line about what went wrong on the standard error, for the journal as an error."""
    priority = "<3>" if is_journal(sys.stderr) else ""
    click.echo(f"{priority}syncd: {' '.join(line.split())}", err=True)


def show_document(document: Any) -> None:
    """Print one JSON document."""
    click.echo(orjson.dumps(document, option=orjson.OPT_INDENT_2))


def write_csv(rows: Iterable[Iterable[object]]) -> None:
    """Print rows as CSV. An apostrophe before a text that a spreadsheet would run as a formula keeps it a text."""
    csv.writer(sys.stdout, lineterminator="\n").writerows(map(_harmless, row) for row in rows)


def _harmless(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell


def show_table(columns: Sequence[str], rows: Sequence[Sequence[str | int]]) -> None:
    """Print a table as wide as the terminal at most; numbers stand right."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold", pad_edge=False)
    for place, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[place], int) for row in rows)
        table.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else cell) for cell in row))
    Console().print(table)
