"""The observer: sees what the tenant saw and what the database holds, and knows nothing else of syncd."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final

import psycopg
from psycopg.rows import class_row

from syncd.config import CampaignSettings
from syncd.simulator import Call
from tests.property.town import Row
from tests.property.wire import Carried

TABLES: Final = (
    "ledger", "parked", "claim", "change", "sighting", "suppression", "suppressed_record", "reading", "held_change",
    "held_plan", "approved_change", "approval", "notice", "pass",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """What the ledger says of a customer."""

    customer: int
    presence: str
    ours: bool
    called: bool
    status: int | None
    wanted_at: datetime | None
    version: str | None
    called_version: str | None

    @property
    def open(self) -> bool:
        return self.presence == "in" and self.status in (None, 0, 1, 4)


@dataclass(frozen=True, slots=True)
class Claim:
    """A call that nobody has answered yet."""

    kind: str
    customers: frozenset[int]


@dataclass(frozen=True, slots=True)
class Journaled:
    """One line of the journal."""

    at: datetime
    customer: int
    kind: str
    rule: str
    outcome: str
    reason: str | None
    approved: bool


@dataclass(frozen=True, slots=True)
class Good:
    """What good passes read."""

    day: date
    query: str
    largest: int
    suppressed_rows: int | None
    read_at: datetime


@dataclass(frozen=True, slots=True)
class State:
    """What the database holds at one moment."""

    ledger: dict[int, LedgerRow]
    claims: list[Claim]
    parked: dict[int, str]
    approved: frozenset[tuple[int, str]]
    """Customers and kinds of what a person has approved and syncd has not used yet."""
    good: list[Good]
    running: int | None

    def claimed(self, *kinds: str) -> frozenset[int]:
        """Return whom the open claims of these kinds name."""
        return frozenset[int]().union(*(claim.customers for claim in self.claims if claim.kind in kinds))


class Book:
    """Reads the state. One campaign is in it."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        connection.execute("SET search_path TO syncd")

    def clear(self) -> None:
        """Make the state that of a campaign which no pass has run over."""
        # Without the partitions' going: making them anew costs more than a pass.
        self.connection.execute("; ".join(f"DELETE FROM {table}" for table in TABLES))
        self.connection.execute(
            "UPDATE campaign SET condition = 'new', observe_due = false, short_listings = 0, listed_at = NULL,"
            " list_tried_at = NULL, running = NULL, paused_at = NULL, due_at = NULL"
        )

    def look(self, now: datetime) -> State:
        """Return what the state holds now."""
        with self.connection.pipeline():
            ledger = self.connection.cursor(row_factory=class_row(LedgerRow)).execute(
                "SELECT customer, presence, ours, called, status, wanted_at, version, called_version FROM ledger"
            )
            good = self.connection.cursor(row_factory=class_row(Good)).execute(
                "SELECT day, query, largest, suppressed_rows, read_at FROM reading"
            )
            claims = self.connection.execute("SELECT kind, customers FROM claim")
            parked = self.connection.execute("SELECT customer, reason FROM parked")
            approved = self.connection.execute(
                "SELECT c.customer, c.kind FROM approved_change c JOIN approval a ON a.id = c.approval"
                " WHERE c.used_at IS NULL AND a.expires_at > %s",
                (now,),
            )
            running = self.connection.execute("SELECT running FROM campaign")
        return State(
            ledger={row.customer: row for row in ledger},
            claims=[Claim(kind, frozenset(customers)) for kind, customers in claims],
            parked=dict(parked.fetchall()),
            approved=frozenset(approved.fetchall()),
            good=good.fetchall(),
            running=(running.fetchone() or (None,))[0],
        )

    def journal(self, number: int | None) -> list[Journaled]:
        """Return the journal of a pass, oldest line first."""
        with self.connection.cursor(row_factory=class_row(Journaled)) as cursor:
            return cursor.execute(
                "SELECT at, customer, kind, rule, outcome, reason, approved FROM change WHERE pass = %s"
                " ORDER BY at, tableoid, ctid",
                (number,),
            ).fetchall()

    def held(self) -> str | None:
        """Return the digest of what is held."""
        row = self.connection.execute("SELECT digest FROM held_plan").fetchone()
        return row[0] if row else None

    def campaign(self) -> int:
        """Return the campaign's number; 0 before the first pass."""
        row = self.connection.execute("SELECT id FROM campaign").fetchone()
        return row[0] if row else 0

    def end_session_of_the_pass(self) -> bool:
        """Have the server end the session that holds the campaign's lock; return whether there was one."""
        ended = self.connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE locktype = 'advisory' AND granted"
            " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchall()
        return any(done for (done,) in ended)


@dataclass(slots=True)
class PassSeen:
    """One pass as the observer saw it."""

    settings: CampaignSettings
    list_fails: bool
    """The suppression query cannot be read."""
    judged_at: datetime | None = None
    """When the guard had looked at the plan; None: the pass did not come so far."""
    before: State | None = None
    """When the pass had the lock; None: it never had."""
    planned: State | None = None
    """When the plan was made; None: the pass did not come so far."""
    after: State | None = None
    ended: bool = False
    """It came to its end and could put itself on record."""
    outcome: str = ""
    """The result in a word, or how it ended."""
    observed: bool = False
    """The listing was read to its end."""
    suppressed_at_start: frozenset[int] = frozenset()
    suppressed_at_read: frozenset[int] = frozenset()
    suppressed_ever: frozenset[int] = frozenset()
    """Suppressed at any moment of the pass."""
    suppressed_at_end: frozenset[int] = frozenset()
    due: dict[int, Row] = field(default_factory=dict)
    """What the source said when it was read."""
    junk: int = 0
    suppressed_rows: int = 0
    carried: list[Carried] = field(default_factory=list)
    journal: list[Journaled] = field(default_factory=list)
    """What the pass wrote into the journal."""

    def asked(self, call: Call) -> frozenset[int]:
        """Return the customers of the requests of a kind that reached the tenant, whatever was answered."""
        return frozenset[int]().union(*(c.customers for c in self.carried if c.entry.call is call))

    def about_to_add(self) -> frozenset[int]:
        """Return whose addition was claimed in this pass and never reached the tenant."""
        if self.before is None or self.after is None:
            return frozenset()
        return self.after.claimed("add") - self.before.claimed("add") - self.asked(Call.ADD)

    def done(self, call: Call) -> frozenset[int]:
        """Return the customers for whom the tenant did what these requests asked."""
        return frozenset[int]().union(*(c.entry.done for c in self.carried if c.entry.call is call))

    @property
    def number(self) -> int | None:
        return self.before.running if self.before else None


@dataclass(slots=True)
class Memory:
    """What the observer remembers of the passes before."""

    called: set[int] = field(default_factory=set)
    """Whose call was seen: listed as completed to a pass that took it in, or said to be completed by an answer."""
    versions: dict[int, set[str | None]] = field(default_factory=lambda: defaultdict(set))
    """Versions of the row that were read since the customer was last added."""
    adds: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """When the tenant added each customer for syncd."""
    tries: dict[int, list[datetime]] = field(default_factory=lambda: defaultdict(list))
    """When syncd asked the tenant to add each customer, once a batch, whatever was answered.

    Also where it was killed between claim and call: nobody who sees the claim alone can tell whether it was sent.
    """
    recalls: dict[int, datetime] = field(default_factory=dict)
    """When a customer who had been called was last added."""
    recalled: set[int] = field(default_factory=set)
    """Whose record a recall has set out to delete."""
    removals: list[tuple[datetime, int]] = field(default_factory=list)
    """Removals that were made, answered, and neither approved nor of the suppressed."""
    additions: list[tuple[datetime, int]] = field(default_factory=list)

    def recent(self, sent: list[tuple[datetime, int]], now: datetime, span: timedelta) -> int:
        """Return how many of these were within a time before now."""
        return sum(at > now - span for at, _ in sent)

    def learn(self, seen: PassSeen) -> None:
        """Take in a pass, after the laws have judged it by what was known before."""
        for carried in seen.carried:
            if carried.entry.call is Call.ADD:
                for customer in carried.customers:
                    self.tries[customer].append(carried.entry.at)
                for customer in carried.entry.done:
                    self.adds[customer].append(carried.entry.at)
                    if customer in self.called:
                        self.recalls[customer] = carried.entry.at
            if seen.observed:
                self.called |= {customer for customer, status in carried.shown.items() if status == 3}
        if seen.judged_at is not None:  # nothing is claimed before
            for customer in seen.about_to_add():
                self.tries[customer].append(seen.judged_at)
        for customer, row in seen.due.items():
            self.versions[customer].add(row.version)
        for line in seen.journal:
            self._learn(line, seen)

    def _learn(self, line: Journaled, seen: PassSeen) -> None:
        made = line.outcome in ("done", "already")
        suppression = line.rule.startswith("suppressed")
        if line.kind == "recall":
            self.recalled.add(line.customer)
        elif line.reason == "completed":
            self.called.add(line.customer)
        settled = line.rule == "settled"
        if line.kind == "add" and line.outcome == "done" and not (settled and _shown_completed(line.customer, seen)):
            self.called.discard(line.customer)
            self.recalled.discard(line.customer)
            if not settled and line.customer in seen.due:
                self.versions[line.customer] = {seen.due[line.customer].version}
        if made and not line.approved and not suppression and not settled:
            sent = self.additions if line.kind in ("add", "adopt") else self.removals
            if line.kind in ("add", "adopt", "remove", "reschedule", "recall"):
                sent.append((line.at, line.customer))


def _shown_completed(customer: int, seen: PassSeen) -> bool:
    return any(carried.shown.get(customer) == 3 for carried in seen.carried)
