"""The journal in words: what was done, why, and what the vendor answered."""

from collections.abc import Mapping
from typing import Any

from syncd.report.words import because, duration, plain
from syncd.state.journal import Entry


def told(entry: Entry, aside: str = "") -> str:
    """Return a change in one line: ``add refused (not-in-crm, HTTP 404), because it needs a call``; what else is known.

    ``aside`` stands behind what was done.
    """
    answer = ", ".join(filter(None, (entry.reason, f"HTTP {entry.http_status}" if entry.http_status else "")))
    done = f"{entry.kind} {entry.outcome}{f' ({answer})' if answer else ''}{aside}"
    known = (
        f"{done}, because it {because(entry.kind, entry.rule)}",
        f"the vendor says: {plain(entry.message)}" if entry.message else "",
        "approved by a person" if entry.approved else "",
        f"out {duration(entry.delay)} after the list showed it" if entry.delay is not None else "",
    )
    return "; ".join(filter(None, known))


def document(entry: Entry) -> Mapping[str, Any]:
    """Return a change for programs; whose it is and in which campaign they know."""
    return {
        "at": entry.at,
        "pass": entry.pass_id,
        "kind": entry.kind,
        "rule": entry.rule,
        "why": because(entry.kind, entry.rule),
        "outcome": entry.outcome,
        "reason": entry.reason,
        "http_status": entry.http_status,
        "message": entry.message,
        "approved": entry.approved,
        "delay_seconds": entry.delay.total_seconds() if entry.delay is not None else None,
    }
