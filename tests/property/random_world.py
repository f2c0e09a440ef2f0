"""Worlds made at random: any desired, suppressed and listed customers, any state of the ledger, any settings."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import psycopg
from hypothesis import strategies as st

from syncd.config import GuardSettings, Mode, PastSchedule, RecallWhen, Removes, Vanished
from syncd.vendor import RecordStatus
from tests.stage import CAMPAIGN, Stage

CUSTOMERS = range(1, 13)

HOURS = st.sampled_from([None, -1, 2, 3, 24 * 9])
"""Of a row's time, from now: none, past, within reach, beyond it."""

VERSIONS = st.sampled_from([None, "a", "b"])
STATUSES = st.sampled_from([*RecordStatus, 9])


@dataclass(frozen=True, slots=True)
class DesiredRow:
    hours: int | None
    version: str | None


@dataclass(frozen=True, slots=True)
class ListedRecord:
    status: int
    disposition: int


@dataclass(frozen=True, slots=True)
class LedgerRow:
    presence: str
    ours: bool
    called: bool
    status: int | None
    hours: int | None
    version: str | None
    called_version: str | None
    absent: int | None
    confirmed: bool
    tried: bool
    adds: int
    recalled: bool


@dataclass(frozen=True, slots=True)
class ParkedRow:
    reason: str
    next_try: int | None
    """Hours from now."""


@dataclass(frozen=True, slots=True)
class Person:
    """One customer, everywhere."""

    desired: DesiredRow | None
    suppressed: bool
    listed: ListedRecord | None
    ledger: LedgerRow | None
    parked: ParkedRow | None


PEOPLE = st.builds(
    Person,
    desired=st.none() | st.builds(DesiredRow, hours=HOURS, version=VERSIONS),
    suppressed=st.sampled_from([False, False, False, True]),
    listed=st.none() | st.builds(ListedRecord, status=STATUSES, disposition=st.sampled_from([1000, 1001, 1002, 2001])),
    ledger=st.none()
    | st.builds(
        LedgerRow,
        presence=st.sampled_from(["in", "in", "removed", "owed", "gone"]),
        ours=st.booleans(),
        called=st.booleans(),
        status=st.none() | STATUSES,
        hours=HOURS,
        version=VERSIONS,
        called_version=VERSIONS,
        absent=st.sampled_from([None, 0, 1, 2]),
        confirmed=st.booleans(),
        tried=st.booleans(),
        adds=st.integers(0, 3),
        recalled=st.booleans(),
    ),
    parked=st.none()
    | st.builds(
        ParkedRow,
        reason=st.sampled_from(["not-in-crm", "invalid-value", "not-listed", "weekly-limit", "flickering-time"]),
        next_try=st.sampled_from([None, -1, 1]),
    ),
)

PERCENT = st.sampled_from([0, 10, 50, 100])
SMALL = st.sampled_from([0, 1, 3, 5])

GUARDS = st.builds(
    GuardSettings,
    min_rows=SMALL,
    max_invalid_percent=PERCENT,
    max_shrink_percent=PERCENT,
    max_removal_percent=PERCENT,
    max_removals=SMALL,
    max_removals_per_day=SMALL,
    max_growth_percent=PERCENT,
    max_vanished_percent=PERCENT,
    max_new_query_additions=SMALL,
    max_suppress_shrink_percent=PERCENT,
    few=st.sampled_from([0, 2, 10]),
)


@dataclass(frozen=True, slots=True)
class GoodPass:
    """What an earlier good pass read."""

    largest: int
    suppressed_rows: int
    same_query: bool


GOOD_PASSES = st.none() | st.builds(
    GoodPass, largest=st.integers(1, 12), suppressed_rows=st.integers(0, 6), same_query=st.booleans()
)


@dataclass(frozen=True, slots=True)
class RandomWorld:
    people: tuple[Person, ...]
    guard: GuardSettings
    mode: Mode
    removes: Removes
    vanished: Vanished
    recall: RecallWhen
    past_schedule: PastSchedule
    max_adds_per_week: int
    observes: bool
    """The first pass reads the listing."""
    listed_before: bool
    """An earlier pass has read it."""
    good_pass: GoodPass | None

    def __iter__(self) -> Iterator[tuple[int, Person]]:
        return zip(CUSTOMERS, self.people, strict=True)

    @property
    def suppressed(self) -> set[int]:
        return {customer for customer, person in self if person.suppressed}

    @property
    def desired(self) -> set[int]:
        return {customer for customer, person in self if person.desired}


WORLDS = st.builds(
    RandomWorld,
    people=st.tuples(*[PEOPLE] * len(CUSTOMERS)),
    guard=GUARDS,
    mode=st.sampled_from(Mode),
    removes=st.sampled_from(Removes),
    vanished=st.sampled_from(Vanished),
    recall=st.sampled_from(RecallWhen),
    past_schedule=st.sampled_from(PastSchedule),
    max_adds_per_week=st.sampled_from([0, 1, 3]),
    observes=st.booleans(),
    listed_before=st.booleans(),
    good_pass=GOOD_PASSES,
).map(lambda world: replace(world, removes=Removes.OWNED) if world.mode is Mode.ADD_ONLY else world)

TABLES = (
    "ledger",
    "parked",
    "claim",
    "change",
    "sighting",
    "suppression",
    "suppressed_record",
    "reading",
    "held_change",
    "held_plan",
    "approved_change",
    "approval",
    "pass",
)


def build(stage: Stage, world: RandomWorld) -> None:
    """Make the stage this world: nothing is left of the one before it."""
    now = stage.clock.now()
    stage.crm.run("DELETE FROM due")
    stage.crm.run("DELETE FROM do_not_call")
    stage.tenant.add_campaign(CAMPAIGN)
    stage.settings(
        guard=world.guard,
        mode=world.mode,
        removes=world.removes,
        vanished=world.vanished,
        recall=world.recall,
        past_schedule=world.past_schedule,
        max_adds_per_week=world.max_adds_per_week,
        list_every=None,
    )
    # Small worlds leave many workers nothing to do.
    stage.campaign = replace(stage.campaign, tenant=replace(stage.campaign.tenant, concurrency=2))
    for customer, person in world:
        if person.desired:
            stage.crm.want(customer, at=_time(now, person.desired.hours), version=person.desired.version)
        if person.suppressed:
            stage.crm.suppress(customer)
        if person.listed:
            stage.tenant.add_records(CAMPAIGN, [customer])
            stage.tenant.set_record(
                CAMPAIGN, customer, status=person.listed.status, disposition=person.listed.disposition
            )
    with psycopg.connect(stage.url, options="-c search_path=syncd") as connection:
        for table in TABLES:
            connection.execute(f"DELETE FROM {table}")
        [(campaign,)] = connection.execute(
            "UPDATE campaign SET condition = 'new', observe_due = false, short_listings = 0, listed_at = %s"
            " RETURNING id",
            (now - timedelta(hours=2) if world.listed_before else None,),
        ).fetchall()
        if world.good_pass:
            query = digest_of_query(stage.campaign.settings.query) if world.good_pass.same_query else "another"
            connection.execute(
                "INSERT INTO reading (campaign, day, query, largest, columns, suppressed_rows, read_at)"
                " VALUES (%s, %s, %s, %s, '{}', %s, %s)",
                (campaign, now.date(), query, world.good_pass.largest, world.good_pass.suppressed_rows, now),
            )
        for customer, person in world:
            if person.ledger:
                _write_ledger(connection, campaign, customer, person.ledger, now)
            if person.parked:
                connection.execute(
                    "INSERT INTO parked (campaign, customer, reason, since, last_try, next_try, row_hash)"
                    " VALUES (%s, %s, %s, %s, %s, %s, 0)",
                    (
                        campaign,
                        customer,
                        person.parked.reason,
                        now - timedelta(hours=3),
                        now - timedelta(hours=3),
                        _time(now, person.parked.next_try),
                    ),
                )


def digest_of_query(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()[:16]


def _write_ledger(connection: psycopg.Connection, campaign: int, customer: int, row: LedgerRow, now: datetime) -> None:
    connection.execute(
        """
        INSERT INTO ledger (campaign, customer, presence, ours, called, status, wanted_at, version, called_version,
                            absent, confirmed_pass, tried, added_at, added_times, recalled_at)
        VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        """,
        (
            campaign,
            customer,
            row.presence,
            row.ours,
            row.called,
            row.status,
            _time(now, row.hours),
            row.version,
            row.called_version,
            row.absent,
            0 if row.confirmed else None,
            row.tried,
            now - timedelta(hours=1) if row.ours else None,
            [now - timedelta(days=1)] * row.adds,
            now - timedelta(hours=1) if row.recalled else None,
        ),
    )


def _time(now: datetime, hours: int | None) -> datetime | None:
    return None if hours is None else now + timedelta(hours=hours)
