"""One customer of one campaign as source and dialer have them now, and what passes would decide.

It is a rehearsal of a pass with everybody else left out: the source is asked for the customer's rows, the ledger's row
is looked up, and the statement that decides is that of every pass.
"""

from dataclasses import dataclass
from typing import Final

from syncd import plan
from syncd.config import MatchOn
from syncd.errors import CampaignBlocked, DialerError, SourceError, SyncdError
from syncd.state import foretold, staging
from syncd.state.campaigns import listing_is_due
from syncd.state.desk import Desk, rehearse
from syncd.state.foretold import Decision, ListedRecord, Row
from syncd.sync.observing import learn, read_listing
from syncd.sync.reading import read_source
from syncd.sync.world import Campaign, World

SMALL: Final = 1000
"""Records of a campaign whose listing is read without being asked for: 20 requests."""


@dataclass(frozen=True, slots=True)
class ListedNow:
    """What a listing, read just now, says of the customer."""

    record: ListedRecord | None
    whole: bool
    """Only then does its silence prove anything."""


@dataclass(frozen=True, slots=True)
class Look:
    """What was found."""

    row: Row | None
    """None: the query has none, or could not be read."""
    source_error: SourceError | None
    """Why the query could not be read whole."""
    on_the_list: bool
    """The suppression query names the customer."""
    list_error: SyncdError | None
    """Why the suppression list could not be read whole."""
    dialer_error: SyncdError | None
    """Why the tenant could not be asked; CampaignBlocked where it answered that the campaign takes no changes."""
    records: int | None
    """How many records the campaign has, where the tenant tells."""
    listed: ListedNow | None
    """None: the listing was not read."""
    observes: bool
    """The next pass reads the listing."""
    without_listing: Decision
    """What a pass decides that does not read the listing."""
    with_listing: Decision
    """What one decides that does: if the listing was not read now, as if it showed what it showed the last time."""

    @property
    def next(self) -> Decision:
        """Return what the next pass decides."""
        return self.with_listing if self.observes else self.without_listing

    @property
    def known(self) -> bool:
        """Return whether source or listing know the customer."""
        return self.row is not None or self.on_the_list or bool(self.listed and self.listed.record)


async def look(campaign: Campaign, world: World, customer: int, *, always_list: bool = False) -> Look:
    """Read what source and dialer have of a customer now, and rehearse what passes would decide; write nothing.

    The listing is read where the campaign is small, or ``always_list`` asks for it. Where source or tenant fail, that
    stands in the answer. Raise StateUnavailable.
    """
    settings = campaign.settings
    async with rehearse(
        world.workplaces.database, campaign.account, settings.id, world.clock, customer=customer
    ) as desk:
        source_error = await _read_source(desk, campaign, world, customer)
        listing, records, dialer_error = await _read_dialer(
            desk, campaign, world, customer, always_list=always_list, has_source=source_error is None
        )
        async with desk.alone() as connection:
            await foretold.leave_alone(connection, customer)
            row = await foretold.row_of(connection, customer)
            on_the_list = await foretold.on_the_list(connection, customer)
        without_listing = await _decide(desk, campaign, customer, observed=False, suppressed_only=source_error)
        if listing is not None:
            async with desk.alone() as connection:
                await learn(connection, desk, campaign, whole=listing.whole)
                # A pass reads the source after the listing: a disposition that it shows may say never again.
                await staging.add_suppressed(connection, campaign.account)
        with_listing = await _decide(
            desk, campaign, customer, observed=listing is None or listing.whole, suppressed_only=source_error
        )
        return Look(
            row=row,
            source_error=source_error,
            on_the_list=on_the_list,
            list_error=desk.list_error,
            dialer_error=dialer_error,
            records=records,
            listed=listing,
            observes=listing_is_due(
                desk.row, settings.list_every, desk.clock.now(), previous_died=desk.row.running is not None
            ),
            without_listing=without_listing,
            with_listing=with_listing,
        )


async def _read_source(desk: Desk, campaign: Campaign, world: World, customer: int) -> SourceError | None:
    # A phone key belongs to a customer only if nobody else has it.
    only = None if campaign.settings.match_on is MatchOn.PHONE else customer
    try:
        await read_source(desk, campaign, world.progress, only=only)
    except SourceError as error:
        return error
    return None


async def _read_dialer(
    desk: Desk, campaign: Campaign, world: World, customer: int, *, always_list: bool, has_source: bool
) -> tuple[ListedNow | None, int | None, SyncdError | None]:
    """Return what the listing says of the customer, the number of records, and what went wrong."""
    records = None
    try:
        async with world.tenant.campaign(campaign.name, campaign.settings.id) as dialer:
            status = await dialer.status()
            records = status.records
            if status.blocked:
                return None, records, CampaignBlocked(campaign.name, status.blocked)
            small = records is not None and records <= SMALL
            if not (small or always_list) or (campaign.settings.match_on is MatchOn.PHONE and not has_source):
                return None, records, None
            listing = await read_listing(desk, dialer, campaign, status, world.progress)
            async with desk.alone() as connection:
                record = await foretold.record_of(connection, customer)
            return ListedNow(record, listing.whole), records, None
    except (CampaignBlocked, DialerError) as error:
        return None, records, error


async def _decide(
    desk: Desk, campaign: Campaign, customer: int, *, observed: bool, suppressed_only: SourceError | None
) -> Decision:
    """Return what a pass decides; where the source could not be read it decides on the suppressed alone."""
    async with desk.alone() as connection:
        await plan.decide(
            connection,
            desk.campaign,
            campaign.settings,
            desk.clock.now(),
            observed=observed,
            suppressed_only=suppressed_only is not None,
            everyone=True,
        )
        return await foretold.decided(connection, customer)
