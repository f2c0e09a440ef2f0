"""The changes of a plan as CSV, a customer a line: the form of ``plan --csv`` and of ``held --csv``."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from syncd.cli.screen import write_csv

COLUMNS: Final = ("campaign", "customer", "kind", "rule", "call_at")


def write_heading() -> None:
    """Write the names of the columns."""
    write_csv([COLUMNS])


def write_changes(campaign: str, changes: Iterable[tuple[int, str, str, datetime | None]]) -> None:
    """Write a line for each change: customer, kind, rule and the time of the call, in UTC, empty for none."""
    write_csv((campaign, customer, kind, rule, _utc(call_at)) for customer, kind, rule, call_at in changes)


def _utc(moment: datetime | None) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
