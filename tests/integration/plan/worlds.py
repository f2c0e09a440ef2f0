"""Which combinations of facts the comparison is tried on, and which of them cannot be."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import cycle, islice, product

from tests.integration.plan.oracle import RECORD_TIMES, ROW_TIMES, Facts, Settings

STANDS = ("never-seen", "open", "agent", "completed", "try-again", "call-back", "unknown")
PARKED = (None, "waiting", "due", "changed", "unchanged", "recall-duplicate", "flickering")
TIMES = ("same", "near", "other", "none", "past", "far")
VERSIONS = ("same", "other", "unknown", "none")

IMPOSSIBLE: dict[str, Callable[[Facts], bool]] = {
    "whoever is seen completed is called": lambda f: f.completed and not f.called,
    "only what is completed opens again": lambda f: f.reopened and not f.completed,
    "a removal is tried in a completed state": lambda f: f.tried and not f.completed,
    "only a listing reopens, and it shows the record until we remove it": lambda f: (
        f.reopened and f.absent != (0 if f.present else None)
    ),
}
"""What no pass writes into the ledger."""


def ledger_rows(absences: tuple[int | None, ...] = (None, 0, 1, 2)) -> Iterator[Facts]:
    """Yield all that the ledger can say of one customer."""
    yield Facts()
    no_or_yes = (False, True)
    for presence, stand, reopened, tried, ours, called, absent in product(
        ("in", "removed", "owed", "gone"), STANDS, no_or_yes, no_or_yes, no_or_yes, no_or_yes, absences
    ):
        row = Facts(
            presence=presence, stand=stand, reopened=reopened, tried=tried, ours=ours, called=called, absent=absent
        )
        if not any(cannot_be(row) for cannot_be in IMPOSSIBLE.values()):
            yield row


def columns() -> Iterator[Facts]:
    """Yield the table's own columns, each with each.

    What the row says of a suppressed customer, and why one is parked, is named in no row of the table; nor is either of
    somebody whose claim is open. There a few of them go along in turn, and are not multiplied.
    """
    beside = list(product(PARKED, TIMES, VERSIONS))
    in_turn = cycle(beside)
    for row, suppressed, claim in product(ledger_rows(), (False, True), (False, True)):
        yield replace(row, suppressed=suppressed, claim=claim)
        for parked, time, version in islice(in_turn, 5) if suppressed or claim else beside:
            if version != "unknown" or row.presence is not None:
                yield replace(
                    row, desired=True, suppressed=suppressed, claim=claim, parked=parked, row=time, version=version
                )


def hindrances() -> Iterator[Facts]:
    """Yield whom the row itself, the week, a flickering time or a recall of today keeps from being sent.

    How often a whole listing was without the record hinders nothing, so one answer stands for all.
    """
    no_or_yes = (False, True)
    for row, time, record, version, full, flickered, parked, recalled in product(
        ledger_rows(absences=(None,)),
        ROW_TIMES,
        RECORD_TIMES,
        ("same", "other"),
        no_or_yes,
        no_or_yes,
        (None, "flickering-due"),
        no_or_yes,
    ):
        # The time of a record that is out, and whether a row is a recall, matter only where the table looks at them.
        told = row.presence == "in" or record == "future"
        recall = version == "other" or not recalled
        if row.presence is not None and told and recall:
            yield replace(
                row,
                desired=True,
                row=time,
                record=record,
                version=version,
                week_full=full,
                flickered=flickered,
                parked=parked,
                recalled=recalled,
            )


SETTINGS = (
    Settings("mirror", "owned", "add", "never", "now", 3, observed=True),
    Settings("mirror", "owned", "leave", "on-version", "skip", 0, observed=False),
    Settings("mirror", "all", "add", "on-version", "skip", 3, observed=True),
    Settings("mirror", "all", "leave", "never", "now", 0, observed=True),
    Settings("mirror", "all", "add", "never", "skip", 0, observed=False),
    Settings("add-only", "owned", "add", "on-version", "now", 0, observed=True),
    Settings("add-only", "owned", "leave", "never", "skip", 3, observed=True),
    Settings("add-only", "owned", "leave", "on-version", "now", 3, observed=False),
)
"""Every pair of values of two settings that a configuration may have: no row of the table names three."""
