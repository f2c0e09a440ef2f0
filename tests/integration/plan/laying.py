"""Laying facts about customers into the tables that the comparison reads, and asking what it decides."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest
from psycopg.rows import class_row

from syncd import plan
from syncd.config import CampaignSettings, Mode, PastSchedule, RecallWhen, Removes, Vanished
from syncd.state.database import Connection
from tests.integration.plan.oracle import ADDED, NOW, RECORD_TIMES, TOLERANCE, Facts, Settings

CAMPAIGN = 1
STATUSES = {"never-seen": None, "open": 1, "agent": 2, "completed": 3, "try-again": 3, "call-back": 3, "unknown": 9}
DISPOSITIONS = {"try-again": 1001, "call-back": 1002}
PARK_REASONS = {
    "recall-duplicate": "recall-duplicate",
    "flickering": "flickering-time",
    "flickering-due": "flickering-time",
}
NEXT_TRY = {
    "due": NOW,
    "flickering-due": NOW,
    "unchanged": None,
    "recall-duplicate": None,
}

KEPT = "WHERE kind IS NOT NULL OR note OR rule = 'vanished'"
"""What the comparison keeps of its decisions: whoever nothing is to be done about does not stand in the plan."""


@dataclass(frozen=True, slots=True)
class Planned:
    """One line of the plan."""

    customer: int
    queue: int
    kind: str | None
    rule: str
    send_at: datetime | None
    park_reason: str | None
    park_until: datetime | None
    row_hash: int | None
    note: bool


async def lay(connection: Connection, world: Sequence[Facts]) -> None:
    """Empty the tables, and put one customer for each of these facts into them; the first is customer 1."""
    await connection.execute("TRUNCATE desired, suppressed, planned; TRUNCATE ledger, claim, parked")
    customers = list(enumerate(world, 1))
    await copy(
        connection,
        "desired (customer, wanted_at, version, problem)",
        ((n, f.row_at, _row_version(f), "bad" if f.row == "bad" else None) for n, f in customers if f.desired),
    )
    await copy(connection, "suppressed (customer)", ((n,) for n, f in customers if f.suppressed))
    await copy(
        connection,
        "ledger (campaign, customer, presence, ours, called, status, disposition, reopened, tried, absent, wanted_at,"
        " version, called_version, added_times, rescheduled, recalled_at)",
        ((CAMPAIGN, n, *_ledger(f)) for n, f in customers if f.presence is not None),
    )
    claimed = [n for n, f in customers if f.claim]
    if claimed:
        nobody = [None] * len(claimed)
        await connection.execute(
            "INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)"
            " VALUES (%s, 1, 'add', %s, %s, %s, %s, %s)",
            (CAMPAIGN, claimed, nobody, nobody, nobody, NOW),
        )
    await copy(
        connection,
        "parked (campaign, customer, reason, since, last_try, next_try)",
        (
            (
                CAMPAIGN,
                n,
                PARK_REASONS.get(f.parked, "not-in-crm"),
                NOW - timedelta(days=1),
                NOW - timedelta(days=1),
                NEXT_TRY.get(f.parked, NOW + timedelta(seconds=1)),
            )
            for n, f in customers
            if f.parked
        ),
    )
    # Whom the vendor refused has the hash of the row that was refused; of a row that changed since, another one.
    await connection.execute(
        "UPDATE parked p SET row_hash ="
        " hashtextextended(concat_ws('|', extract(epoch FROM d.wanted_at), d.version, d.problem), 0)"
        " FROM desired d WHERE d.customer = p.customer"
    )
    changed = [n for n, f in customers if f.parked in ("changed", "flickering", "flickering-due")]
    await connection.execute("UPDATE parked SET row_hash = row_hash + 1 WHERE customer = ANY (%s)", (changed,))
    for table in ("desired", "suppressed", "ledger", "parked"):
        await connection.execute(f"ANALYZE {table}")  # type: ignore[arg-type]


def _row_version(f: Facts) -> str | None:
    return {"none": None, "other": "new"}.get(f.version, "old")


def _ledger(f: Facts) -> tuple[object, ...]:
    return (
        f.presence,
        f.ours,
        f.called,
        STATUSES[f.stand],
        DISPOSITIONS.get(f.stand, 1000),
        f.reopened,
        f.tried,
        f.absent,
        RECORD_TIMES[f.record],
        "old",
        None if f.version == "unknown" else "old",
        [*ADDED, NOW - timedelta(days=7)] if f.week_full else [*ADDED[:2], NOW - timedelta(days=7)],
        3 if f.flickered else 2,
        NOW - timedelta(hours=24) + timedelta(seconds=1 if f.recalled else 0),
    )


async def copy(connection: Connection, into: str, rows: Iterable[tuple[object, ...]]) -> None:
    async with connection.cursor() as cursor, cursor.copy(f"COPY {into} FROM STDIN") as copying:  # type: ignore[arg-type]
        for row in rows:
            await copying.write_row(row)


def campaign(settings: Settings) -> CampaignSettings:
    return CampaignSettings(
        name="renewals",
        id=125,
        tenant="acme",
        source="crm",
        query="SELECT 1",
        mode=Mode(settings.mode),
        removes=Removes(settings.removes),
        vanished=Vanished(settings.vanished),
        recall=RecallWhen(settings.recall),
        past_schedule=PastSchedule(settings.past_schedule),
        max_adds_per_week=settings.max_adds,
        schedule_tolerance=TOLERANCE,
    )


async def planned(connection: Connection, settings: Settings, *, suppressed_only: bool = False) -> dict[int, Planned]:
    """Decide, and return the lines of the plan by customer."""
    await plan.decide(
        connection, CAMPAIGN, campaign(settings), NOW, observed=settings.observed, suppressed_only=suppressed_only
    )
    async with connection.cursor(row_factory=class_row(Planned)) as cursor:
        await cursor.execute(
            "SELECT customer, queue, kind, rule, send_at, park_reason, park_until, row_hash, note FROM planned"
        )
        return {line.customer: line for line in await cursor.fetchall()}


def keep_everyone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the comparison keep who nothing is to be done about as well, so that the row that decided can be seen."""
    head, _, tail = plan.DECIDE.partition(KEPT)
    assert tail
    monkeypatch.setattr(plan, "DECIDE", f"{head}WHERE true OR false{tail}")
