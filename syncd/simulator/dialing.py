"""The simulated dialer: takes records from new over queued and accepted to completed, a turn at a time."""

import heapq
from collections import deque
from datetime import datetime, timedelta
from random import Random

from syncd.clock import Clock
from syncd.simulator.campaign import OPEN, Campaign, PhoneCall
from syncd.simulator.crm import Crm, Mark
from syncd.simulator.listing import SimulatedRecord
from syncd.simulator.manner import Manner
from syncd.vendor import CampaignState, Disposition, RecordStatus, StatusCode

TURN_SECONDS = 5.0
"""How long a turn of the automatic dialer takes: ringing is one turn, talking another."""
_MOST_TURNS = 100_000

_RUNNING = frozenset({CampaignState.MANUAL_STARTED, CampaignState.MANUAL_RUNNING, CampaignState.SCHEDULE_RUNNING})
_AGAIN = frozenset({Disposition.TRY_AGAIN, Disposition.SCHEDULED_CALL_BACK})
_BAD_NUMBERS = {Mark.NO_PHONE: StatusCode.NO_PHONE_NUMBER, Mark.INVALID_PHONE: StatusCode.INVALID_PHONE_NUMBER}


class Dialing:
    """Dials one campaign. Chance is seeded: the same seed and the same steps end in the same dispositions."""

    def __init__(self, *, campaign: Campaign, crm: Crm, manner: Manner, clock: Clock, random: Random) -> None:
        self._campaign = campaign
        self._crm = crm
        self._manner = manner
        self._clock = clock
        self._random = random
        self._waiting: deque[int] = deque()
        self._due: list[tuple[datetime, int]] = []
        self._ringing: deque[int] = deque()
        self._talking: deque[int] = deque()
        self._turned_at = clock.monotonic()
        self._owed = 0.0

    def notice(self, customer: int) -> None:
        """Line up a record that was added or changed."""
        record = self._campaign.record(customer)
        if record is None:
            return
        if record.status == RecordStatus.QUEUED:
            self._ringing.append(customer)
        elif record.status == RecordStatus.ACCEPTED:
            self._talking.append(customer)
        elif record.call_at is not None:
            heapq.heappush(self._due, (record.call_at, customer))
        elif record.status == RecordStatus.NEW:
            self._waiting.append(customer)

    def turn(self, calls: int) -> int:
        """Finish the calls of agents, connect what rings, ring up to so many more; return how many records moved.

        Nothing moves in a campaign that does not run.
        """
        if self._campaign.properties.state not in _RUNNING:
            return 0
        talking, self._talking = self._talking, deque()
        ringing, self._ringing = self._ringing, deque()
        moved = sum(self._finish(customer) for customer in talking)
        moved += sum(self._connect(customer) for customer in ringing)
        moved += self._ring(calls)
        campaign = self._campaign
        if moved and self._manner.completes_when_dry and not self._has_work():
            campaign.set_state(CampaignState.COMPLETED)
        return moved

    def catch_up(self) -> None:
        """Make the turns of the automatic dialer that have come due since the last time."""
        now = self._clock.monotonic()
        turns = int((now - self._turned_at) / TURN_SECONDS)
        self._turned_at += turns * TURN_SECONDS
        rate = self._campaign.properties.calls_per_minute
        if not rate:
            return
        for _ in range(min(turns, _MOST_TURNS)):
            self._owed += rate * TURN_SECONDS / 60
            calls = int(self._owed)
            self._owed -= calls
            self.turn(calls)

    def _has_work(self) -> bool:
        by_status = self._campaign.by_status
        return any(by_status[status] for status in (*OPEN, RecordStatus.ACCEPTED))

    def _ring(self, calls: int) -> int:
        moved = 0
        while moved < calls and (record := self._next()) is not None:
            moved += 1
            mark = self._crm.marked(record.customer)
            if mark in _BAD_NUMBERS:
                code = _BAD_NUMBERS[mark]
                self._campaign.change(record.customer, status=RecordStatus.COMPLETED, status_code=code)
            else:
                self._campaign.change(record.customer, status=RecordStatus.QUEUED)
                self._ringing.append(record.customer)
        return moved

    def _next(self) -> SimulatedRecord | None:
        """Return the next record to ring: those whose time has come first. Lines hold some that are gone since."""
        while self._due and self._due[0][0] <= self._clock.now():
            call_at, customer = heapq.heappop(self._due)
            record = self._campaign.record(customer)
            if record is not None and record.call_at == call_at:
                return record
        while self._waiting:
            record = self._campaign.record(self._waiting.popleft())
            if record is not None and record.status == RecordStatus.NEW:
                return record
        return None

    def _connect(self, customer: int) -> bool:
        record = self._campaign.record(customer)
        if record is None or record.status != RecordStatus.QUEUED:
            return False
        self._campaign.change(customer, status=RecordStatus.ACCEPTED)
        self._campaign.calls.append(PhoneCall(customer, self._clock.now()))
        self._talking.append(customer)
        return True

    def _finish(self, customer: int) -> bool:
        record = self._campaign.record(customer)
        if record is None or record.status != RecordStatus.ACCEPTED:
            return False
        weights = self._manner.dispositions
        disposition = self._random.choices(list(weights), list(weights.values()))[0]
        attempts = record.attempts + 1
        again = disposition in _AGAIN and attempts <= self._campaign.properties.max_retry
        exhausted = disposition in _AGAIN and not again
        wait = self._manner.callback_after
        if disposition == Disposition.TRY_AGAIN:
            wait = self._campaign.properties.retry_interval * 60.0
        self._campaign.change(
            customer,
            status=RecordStatus.COMPLETED,
            status_code=StatusCode.MAX_ATTEMPT_REACHED if exhausted else StatusCode.DEFAULT,
            disposition=disposition,
            call_at=self._clock.now() + timedelta(seconds=wait) if again else None,
            attempts=attempts,
        )
        if again:
            self.notice(customer)
        elif exhausted and self._manner.drops_exhausted:
            self._campaign.drop([customer])
        return True
