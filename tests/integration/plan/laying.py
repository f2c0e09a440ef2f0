"""Laying facts about customers into the tables that the comparison reads, and asking what it decides."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from syncd import plan
from syncd.config import CampaignSettings, Mode, PastSchedule, RecallWhen, Removes, Vanished
from syncd.state.database import Connection
from tests.integration.plan.oracle import Facts, Settings

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
RECORDED_AT = NOW + timedelta(hours=10)
"""The time that the ledger has of every record."""
TIMES = {
    "same": RECORDED_AT,
    "near": RECORDED_AT + timedelta(seconds=60),
    "other": RECORDED_AT + timedelta(seconds=61),
    "past": NOW,
    "far": NOW + timedelta(days=7, seconds=1),
    "bad": None,
}
STATUSES = {"never-seen": None, "open": 1, "agent": 2, "completed": 3, "may-ring-again": 3, "unknown": 9}
CAMPAIGN = 1


async def lay(connection: Connection, world: Sequence[Facts]) -> None:
    """Put one customer of each kind into the ledger and the staged tables; the first is customer 1."""
    await copy(
        connection,
        "desired (customer, wanted_at, version, problem)",
        (
            (n, TIMES[f.time], "new" if f.version == "other" else "old", "bad" if f.time == "bad" else None)
            for n, f in enumerate(world, 1)
            if f.desired
        ),
    )
    await copy(connection, "suppressed (customer)", ((n,) for n, f in enumerate(world, 1) if f.suppressed))
    week = [NOW - timedelta(days=day) for day in (1, 2, 3)]
    await copy(
        connection,
        "ledger (campaign, customer, presence, ours, called, status, disposition, tried, absent, wanted_at, version,"
        " called_version, added_times, rescheduled)",
        (
            (
                CAMPAIGN,
                n,
                f.presence,
                f.ours,
                f.called,
                STATUSES[f.stand],
                1001 if f.stand == "may-ring-again" else 1000,
                f.tried,
                f.absent,
                RECORDED_AT,
                "old",
                None if f.version == "unknown" else "old",
                week if f.week_full else None,
                3 if f.flickered else 0,
            )
            for n, f in enumerate(world, 1)
            if f.presence is not None
        ),
    )
    for n, f in enumerate(world, 1):
        if f.claim:
            await connection.execute(
                "INSERT INTO claim (campaign, pass, kind, customers, times, versions, shown, sent_at)"
                " VALUES (1, 1, 'add', %s, '{NULL}', '{NULL}', '{NULL}', %s)",
                ([n], NOW),
            )
            break
    claimed = [n for n, f in enumerate(world, 1) if f.claim]
    await connection.execute("UPDATE claim SET customers = %s::bigint[]", (claimed,))
    reasons = {"recall-duplicate": "recall-duplicate", "flickering": "flickering-time"}
    await copy(
        connection,
        "parked (campaign, customer, reason, since, last_try, next_try, row_hash)",
        (
            (
                CAMPAIGN,
                n,
                reasons.get(f.parked, "not-in-crm"),
                NOW,
                NOW,
                NOW if f.parked == "due" else NOW + timedelta(hours=1),
                None,
            )
            for n, f in enumerate(world, 1)
            if f.parked
        ),
    )
    await connection.execute(
        "UPDATE parked p SET row_hash = hashtextextended("
        " concat_ws('|', extract(epoch FROM d.wanted_at), d.version, d.problem), 0) FROM desired d"
        " WHERE d.customer = p.customer"
    )
    changed = [n for n, f in enumerate(world, 1) if f.parked in ("changed", "flickering")]
    await connection.execute("UPDATE parked SET row_hash = 0 WHERE customer = ANY (%s::bigint[])", (changed,))
    for table in ("desired", "suppressed", "ledger", "parked"):
        await connection.execute(f"ANALYZE {table}")  # type: ignore[arg-type]


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
        mode=Mode.ADD_ONLY if settings.add_only else Mode.MIRROR,
        removes=Removes.ALL if settings.removes_all else Removes.OWNED,
        vanished=Vanished.LEAVE if settings.leave_vanished else Vanished.ADD,
        recall=RecallWhen.ON_VERSION if settings.recall else RecallWhen.NEVER,
        past_schedule=PastSchedule.SKIP if settings.skip_past else PastSchedule.NOW,
    )


async def decisions(connection: Connection, settings: Settings) -> dict[int, tuple[str, str | None]]:
    await plan.decide(connection, CAMPAIGN, campaign(settings), NOW, observed=settings.observed)
    cursor = await connection.execute("SELECT customer, rule, kind FROM planned WHERE kind IS NOT NULL")
    return {int(str(customer)): (str(rule), str(kind)) for customer, rule, kind in await cursor.fetchall()}
