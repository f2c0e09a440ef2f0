"""The town around syncd: its source, the tenant with its dialer, and the people who work with both.

Each verb of :class:`Town` is something that happens to one customer or to the campaign, between passes or in the middle
of one. The town remembers what is true, so that what syncd believes can be held against it.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import psycopg

from syncd.simulator import Campaign, SimulatedTenant
from syncd.simulator.crm import Mark
from syncd.vendor import CampaignState, Disposition, RecordStatus
from tests.property.virtual_clock import VirtualClock
from tests.stage import CAMPAIGN

CUSTOMERS: Final = range(1, 9)
NEVER_AGAIN: Final = 2001
"""The disposition by which this tenant's agents say: never again."""
STRANGE_STATUS: Final = 66
"""A status of a record that the vendor's documents do not know."""
OPEN: Final = frozenset({RecordStatus.NEW, RecordStatus.QUEUED, RecordStatus.SCHEDULED})
BUSY: Final = frozenset({RecordStatus.ACCEPTED, STRANGE_STATUS})


@dataclass(frozen=True, slots=True)
class Row:
    """What the source says of a customer who needs a call."""

    at: datetime | None
    version: str | None


class Town:
    """What is true, and what may happen."""

    def __init__(self, crm: Path, tenant: SimulatedTenant, state: psycopg.Connection, clock: VirtualClock) -> None:
        self.due: dict[int, Row] = {}
        self.do_not_call: set[int] = set()
        self.junk = 0
        """Rows of the source without a usable customer id."""
        self.taken_by_operator: set[int] = set()
        self.foreign: set[int] = set()
        """Records that somebody else put in, by their serial number."""
        self.rung: set[int] = set()
        """Whose record has been with an agent, completed or in a strange status."""
        self.tenant, self._state, self._clock = tenant, state, clock
        self._crm = sqlite3.connect(crm, isolation_level=None)
        self._crm.execute("DELETE FROM due")
        self._crm.execute("DELETE FROM do_not_call")

    @property
    def campaign(self) -> Campaign:
        return self.tenant.campaigns[CAMPAIGN]

    def close(self) -> None:
        self._crm.close()

    # --- the source --------------------------------------------------------------------------------------------------

    def wants(self, customer: int, hours: float | None = None, version: str | None = None) -> None:
        """The source wants this customer called, so many hours from now or as soon as possible."""
        at = None if hours is None else self._clock.now() + timedelta(hours=hours)
        self.due[customer] = Row(at, version)
        self._crm.execute("DELETE FROM due WHERE customer_id = ?", (customer,))
        moment = None if at is None else at.isoformat()
        self._crm.execute("INSERT INTO due VALUES (?, ?, ?, NULL)", (customer, moment, version))

    def drops(self, customer: int) -> None:
        """The source wants this customer called no more."""
        self.due.pop(customer, None)
        self._crm.execute("DELETE FROM due WHERE customer_id = ?", (customer,))

    def is_emptied(self) -> None:
        """The source wants nobody called."""
        self.due.clear()
        self.junk = 0
        self._crm.execute("DELETE FROM due")

    def grows_junk(self) -> None:
        """The source has a row without a usable customer id."""
        self.junk += 1
        self._crm.execute("INSERT INTO due VALUES ('n/a', NULL, NULL, NULL)")

    def suppresses(self, customer: int) -> None:
        """The suppression list names this customer."""
        self.do_not_call.add(customer)
        self._crm.execute("DELETE FROM do_not_call WHERE customer_id = ?", (customer,))
        self._crm.execute("INSERT INTO do_not_call VALUES (?, NULL)", (customer,))

    def unsuppresses(self, customer: int) -> None:
        """The suppression list names this customer no more."""
        self.do_not_call.discard(customer)
        self._crm.execute("DELETE FROM do_not_call WHERE customer_id = ?", (customer,))

    # --- the operator ------------------------------------------------------------------------------------------------

    def is_told_never_to_call(self, customer: int) -> None:
        """The operator suppresses this customer."""
        self.taken_by_operator.add(customer)
        self._state.execute(
            "INSERT INTO suppression (account, customer, origin, reason, since, by)"
            " VALUES ('', %s, 'operator', 'asked', %s, 'ann') ON CONFLICT DO NOTHING",
            (customer, self._clock.now()),
        )

    def may_call_again(self, customer: int) -> None:
        """The operator takes that back."""
        self.taken_by_operator.discard(customer)
        self._state.execute("DELETE FROM suppression WHERE customer = %s AND origin = 'operator'", (customer,))

    def pauses(self) -> None:
        """The operator pauses the campaign."""
        self._state.execute("UPDATE campaign SET paused_at = %s, paused_by = 'ann'", (self._clock.now(),))

    def resumes(self) -> None:
        """The operator lets the campaign go on."""
        self._state.execute("UPDATE campaign SET paused_at = NULL, paused_by = NULL")

    # --- the dialer --------------------------------------------------------------------------------------------------

    def dials(self) -> None:
        """The dialer makes a turn: ends calls, connects what rings, rings three more."""
        self.tenant.dial(CAMPAIGN, 3)
        self.rung |= {record.customer for record in self.campaign if record.status not in OPEN}

    def connects(self, customer: int) -> None:
        """An agent has this customer on the line."""
        self._set(customer, RecordStatus.ACCEPTED)

    def completes(self, customer: int, disposition: int = Disposition.NONE) -> None:
        """The call of this customer comes to its end."""
        self._set(customer, RecordStatus.COMPLETED, disposition)

    def requeues(self, customer: int) -> None:
        """The agent rejects the call, or a call that was made is to be made again: the record is queued."""
        self._set(customer, RecordStatus.QUEUED)

    def turns_strange(self, customer: int) -> None:
        """The record is in a status that nobody knows."""
        self._set(customer, STRANGE_STATUS)

    def _set(self, customer: int, status: int, disposition: int | None = None) -> None:
        if self.campaign.record(customer) is None:
            return
        self.tenant.set_record(CAMPAIGN, customer, status=status, disposition=disposition)
        if status not in OPEN:
            self.rung.add(customer)

    # --- others in the campaign --------------------------------------------------------------------------------------

    def uploads(self, customer: int) -> None:
        """Somebody else puts this customer in, unless there is a record."""
        if self.campaign.record(customer) is None:
            self.tenant.add_records(CAMPAIGN, [customer])
            self.foreign |= {record.serial for record in self.campaign if record.customer == customer}

    def takes_out(self, customer: int) -> None:
        """The record leaves without syncd's doing."""
        self.campaign.drop([customer])

    def empties(self) -> None:
        """Somebody takes every record out by hand."""
        self.campaign.empty()

    def sets_state(self, state: CampaignState) -> None:
        """Somebody starts, pauses, purges or stops the campaign."""
        self.campaign.set_state(state)

    def is_disabled(self) -> None:
        """Somebody disables the campaign."""
        self.campaign.properties.enabled = False

    def is_enabled(self) -> None:
        """Somebody enables the campaign."""
        self.campaign.properties.enabled = True

    def forgets(self, customer: int) -> None:
        """The vendor's CRM does not know this customer."""
        self.tenant.crm.remove([customer])

    def knows(self, customer: int) -> None:
        """The vendor's CRM knows this customer."""
        self.tenant.crm.add([customer])

    def marks(self, customer: int) -> None:
        """The vendor's own do-not-call list names this customer."""
        self.tenant.crm.mark(Mark.DO_NOT_CALL, [customer])

    def lags(self, listings: int) -> None:
        """What changes stays out of so many listings from now on."""
        self.tenant.manner.lag_listings = listings

    # --- time --------------------------------------------------------------------------------------------------------

    def waits(self, hours: float) -> None:
        """Time passes."""
        self._clock.move(hours=hours)

    # --- what is true ------------------------------------------------------------------------------------------------

    def suppressed(self) -> frozenset[int]:
        """Return who must not be called, by the list, the operator, and what agents said and syncd has heard."""
        heard = self._state.execute("SELECT customer FROM suppression").fetchall()
        return frozenset(self.do_not_call | {int(customer) for (customer,) in heard})

    def is_looked_after(self) -> None:
        """Somebody sees to it that the campaign runs again."""
        self.sets_state(CampaignState.MANUAL_RUNNING)
        self.is_enabled()
        self.resumes()

    def comes_to_rest(self) -> None:
        """Whatever was out of the ordinary is over: the campaign runs, calls have ended, everybody is known."""
        self.tenant.faults.clear()
        self.lags(0)
        # A tenant that tells no count and repeats its records has no listing that is known to be whole.
        self.tenant.manner.tells_count, self.tenant.manner.max_scheduled = True, None
        self.is_looked_after()
        for customer in CUSTOMERS:
            self.knows(customer)
            self.tenant.crm.mark(None, [customer])
            record = self.campaign.record(customer)
            if record is not None and record.status in BUSY:
                self.completes(customer)


Happening = tuple[str, tuple[object, ...]]
"""A verb of the town with what it is about."""


def happen(town: Town, happening: Happening) -> None:
    """Let something happen."""
    verb, about = happening
    deed: Callable[..., None] = getattr(town, verb)
    deed(*about)
