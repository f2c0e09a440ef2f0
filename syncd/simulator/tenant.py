"""A simulated 8x8 tenant: its CRM, campaigns, dialer, faults and log, by plain method calls."""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from datetime import datetime
from random import Random
from typing import Any

from syncd.clock import Clock
from syncd.simulator.campaign import Added, Campaign, Deleted, Properties, Refused, parse_customer
from syncd.simulator.crm import Crm
from syncd.simulator.dialing import Dialing
from syncd.simulator.faults import Faults
from syncd.simulator.listing import SimulatedRecord
from syncd.simulator.log import Call, Entry, Log
from syncd.simulator.manner import Manner, Token


class SimulatedTenant:
    """One tenant. The same seed, clock and calls give the same answers.

    ``add``, ``delete``, ``page`` and ``count`` are the API without its wire: a test without HTTP calls them as they
    are, no fault strikes there. Served over HTTP (:func:`syncd.simulator.serve`) the faults do.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        seed: int = 0,
        username: str = "acmecorp01",
        action_token: str = "simulated-action",  # noqa: S107 - opens nothing but this stand-in
        data_token: str = "simulated-data",  # noqa: S107
        manner: Manner | None = None,
        keep_log: int | None = None,
    ) -> None:
        self.clock = clock
        self.username = username
        self.manner = manner or Manner()
        self.crm = Crm()
        self.campaigns: dict[int, Campaign] = {}
        self.poison: set[int] = set()
        """Customers with whom in it a whole list is invalid."""
        self.random = Random(seed)  # noqa: S311 - chance that can be repeated
        self.faults = Faults(Random(seed + 1))  # noqa: S311
        self.log = Log(clock, keep_log)
        self._dialing: dict[int, Dialing] = {}
        self._logins: dict[str, Token] = {}
        self.rotate(action_token=action_token, data_token=data_token)

    def rotate(self, *, action_token: str, data_token: str) -> None:
        """Replace both tokens; the old ones are worth nothing from now on."""
        self._logins = {
            b64encode(f"{self.username}:{token}".encode()).decode(): kind
            for kind, token in ((Token.ACTION, action_token), (Token.DATA, data_token))
        }

    def login(self, authorization: str) -> str:
        """Return which token an Authorization header holds: action, data, wrong or none."""
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() != "basic":
            return "none"
        return self._logins.get(credentials.strip(), "wrong")

    def add_campaign(self, vendor_id: int = 125, *, name: str = "Simulated", **properties: Any) -> Campaign:
        """Set up a campaign with these :class:`Properties`, running unless ``state`` says otherwise; return it."""
        campaign = Campaign(
            vendor_id=vendor_id,
            properties=Properties(name=name, **properties),
            crm=self.crm,
            manner=self.manner,
            clock=self.clock,
        )
        self.campaigns[vendor_id] = campaign
        self._dialing[vendor_id] = Dialing(
            campaign=campaign, crm=self.crm, manner=self.manner, clock=self.clock, random=self.random
        )
        return campaign

    def add_customers(self, customers: Iterable[int]) -> None:
        """Make customers known to the tenant's CRM; a range costs no memory."""
        self.crm.add(customers)

    def add_records(self, campaign: int, customers: Iterable[int], *, call_at: datetime | None = None) -> None:
        """Upload records as somebody else does, unasked: foreign ones to syncd."""
        dialing = self._dialing[campaign]
        for customer in customers:
            self.campaigns[campaign].upload(customer, call_at)
            dialing.notice(customer)

    def set_record(
        self,
        campaign: int,
        customer: int,
        *,
        status: int | None = None,
        status_code: int | None = None,
        disposition: int | None = None,
        call_at: datetime | None = None,
    ) -> None:
        """Change a record by hand; what is None stays, except the time. Raise KeyError where there is no record."""
        self.campaigns[campaign].change(
            customer, status=status, status_code=status_code, disposition=disposition, call_at=call_at
        )
        self._dialing[campaign].notice(customer)

    def dial(self, campaign: int, calls: int = 1) -> int:
        """Make a turn: end calls, connect what rings, ring ``calls`` more; return how many records moved.

        A record is completed by the third turn after the one before it was due.
        """
        return self._dialing[campaign].turn(calls)

    def tick(self) -> None:
        """Let happen what has come due by the clock: automatic calls, the end of a campaign."""
        for dialing in self._dialing.values():
            dialing.catch_up()
        for campaign in self.campaigns.values():
            campaign.stop_when_closed()

    @property
    def writes(self) -> list[Entry]:
        """The adds and deletes that came, in order."""
        return self.log.of(Call.ADD, Call.DELETE)

    def add(
        self, campaign: int, pairs: Sequence[tuple[object, object]], *, entry: Entry | None = None
    ) -> list[Added] | Refused:
        """Add customers with the texts of their times (None: as soon as possible); return one verdict each."""
        entry = entry or self.log.open(Call.ADD, campaign)
        entry.asked = tuple(pairs)
        refused = self._refusal(campaign, deleting=False)
        if refused is None and (not pairs or any(customer in self.poison for customer, _ in pairs)):
            refused = Refused.INVALID_LIST
        if refused is not None:
            entry.verdicts = (refused.name,)
            return refused
        known, dialing = self.campaigns[campaign], self._dialing[campaign]
        verdicts = []
        done = []
        for customer, time in pairs:
            verdict = known.add(customer, time)
            verdicts.append(verdict)
            number = parse_customer(customer)
            if verdict is Added.DONE and number is not None:
                done.append(number)
                dialing.notice(number)
        entry.verdicts = tuple(verdict.name for verdict in verdicts)
        entry.done = tuple(done)
        return verdicts

    def delete(self, campaign: int, customer: int, *, entry: Entry | None = None) -> Deleted | Refused:
        """Delete one customer's record."""
        entry = entry or self.log.open(Call.DELETE, campaign)
        entry.asked = ((customer, None),)
        verdict: Deleted | Refused | None = self._refusal(campaign, deleting=True)
        if verdict is None:
            verdict = self.campaigns[campaign].delete(customer)
        entry.verdicts = (verdict.name,)
        if verdict is Deleted.DONE:
            entry.done = (customer,)
        return verdict

    def page(self, campaign: int, n: int | None = None) -> Sequence[SimulatedRecord] | Refused:
        """Return a page of the listing; ``n`` counts from the manner's ``page_from``, None begins a listing."""
        self.tick()
        known = self.campaigns.get(campaign)
        if known is None:
            return Refused.NO_CAMPAIGN
        if n is None:
            known.listing.begin()
        if self.manner.all_at_once:
            return known.listing.page(0, known.listing.count())
        offset = 0 if n is None else max(0, n - self.manner.page_from)
        return known.listing.page(offset, self.manner.page_size)

    def count(self, campaign: int) -> int:
        """Return ``no-of-records``, as the statistics know it."""
        self.tick()
        return self.campaigns[campaign].listing.count()

    def _refusal(self, campaign: int, *, deleting: bool) -> Refused | None:
        self.tick()
        known = self.campaigns.get(campaign)
        return Refused.NO_CAMPAIGN if known is None else known.refusal(deleting=deleting)
