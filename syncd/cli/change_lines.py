"""The changes of a plan as CSV, a customer a line: the form of ``plan --csv`` and of ``held --csv``."""

import csv
import io
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

COLUMNS: Final = ("campaign", "customer", "kind", "rule", "call_at")


def write_heading() -> None:
    """Write the names of the columns."""
    _write([COLUMNS])


def write_changes(campaign: str, changes: Iterable[tuple[int, str, str, datetime | None]]) -> None:
    """Write a line for each change: customer, kind, rule and the time of the call, in UTC, empty for none."""
    _write((campaign, customer, kind, rule, _utc(call_at)) for customer, kind, rule, call_at in changes)


def _write(rows: Iterable[tuple[object, ...]]) -> None:
    lines = io.StringIO()
    csv.writer(lines, lineterminator="\n").writerows(rows)
    sys.stdout.write(lines.getvalue())


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
