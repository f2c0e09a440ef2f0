"""A campaign at work: customers come due, are called and drop out of the query, day after day."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from syncd.sync import Campaign, PassReport, run_pass
from syncd.vendor import RecordStatus
from tests.stage import CAMPAIGN, Stage


@dataclass(slots=True)
class Line:
    """One campaign of the stage's tenant with a table of its own in the stage's source."""

    stage: Stage
    campaign: Campaign
    vendor_id: int
    table: str
    seen: set[int] = field(default_factory=set)
    """Whose call is known to be made."""

    @classmethod
    def open(cls, stage: Stage, name: str, vendor_id: int) -> "Line":
        """Open a line; the stage's own campaign is one as any other."""
        table = f"due_{vendor_id}"
        stage.crm.run(f"CREATE TABLE {table} (customer_id INTEGER PRIMARY KEY, schedule_at, version)")
        if vendor_id != CAMPAIGN:
            stage.tenant.add_campaign(vendor_id)
        settings = replace(
            stage.campaign.settings, name=name, id=vendor_id, query=f"SELECT * FROM {table}", list_every=None
        )
        return cls(stage, replace(stage.campaign, settings=settings), vendor_id, table)

    def want(self, customers: Iterable[int]) -> None:
        rows = [(customer,) for customer in customers]
        if rows:
            self.stage.crm.run(f"INSERT OR IGNORE INTO {self.table} (customer_id) VALUES (?)", rows)

    def drop(self, customers: Iterable[int]) -> None:
        rows = [(customer,) for customer in customers]
        if rows:
            self.stage.crm.run(f"DELETE FROM {self.table} WHERE customer_id = ?", rows)

    def empty(self) -> None:
        self.stage.crm.run(f"DELETE FROM {self.table}")

    def call(self, calls: int) -> set[int]:
        """Let agents make so many calls; return whose. Each is dropped from the query as it is made."""
        for turn in (calls, 0, 0):
            self.stage.tenant.dial(self.vendor_id, turn)
        made = {call.customer for call in self.stage.tenant.campaigns[self.vendor_id].calls} - self.seen
        self.seen |= made
        self.drop(made)
        return made

    async def once(self) -> PassReport:
        self.stage.tenant.log.clear()
        return await run_pass(self.campaign, self.stage.world, kind="once")

    @property
    def open_records(self) -> set[int]:
        return {
            record.customer
            for record in self.stage.tenant.campaigns[self.vendor_id]
            if record.status not in (RecordStatus.COMPLETED, RecordStatus.ACCEPTED)
        }

    @property
    def calls(self) -> list[int]:
        """Who was called, once for each call."""
        return [call.customer for call in self.stage.tenant.campaigns[self.vendor_id].calls]


def prepare(stage: Stage) -> None:
    """Let every call end at the first try, and make listings long in pages rather than in requests."""
    stage.tenant.manner.dispositions = {1000: 1.0}
    stage.tenant.manner.page_size = 2000
