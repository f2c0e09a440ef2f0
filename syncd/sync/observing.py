"""Observe: the listing, all pages side by side, into the ledger. Only here is the listing known."""

from contextlib import nullcontext
from dataclasses import dataclass

from syncd.config import MatchOn
from syncd.dialer.api import CampaignReader, CampaignStatus, Record
from syncd.errors import WrongMatchKey
from syncd.state import ledger, staging
from syncd.state.database import Connection
from syncd.state.desk import Desk
from syncd.state.ledger import Learned
from syncd.state.settle import settle
from syncd.state.staging import Matched
from syncd.sync.world import Campaign, Progress

BLOCK = 5000
"""Records that are staged at once: of a COPY of 2000 half the time is its beginning and end."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one listing was and what it taught."""

    records: int
    expected: int | None
    whole: bool
    unmatched: int
    ambiguous: int
    settled: int
    learned: Learned


@dataclass(frozen=True, slots=True)
class Listing:
    """One listing, as it is staged."""

    matched: Matched
    expected: int | None
    """The smaller of ``no-of-records`` before and after; None where the tenant does not tell."""
    whole: bool


async def read_listing(
    desk: Desk, dialer: CampaignReader, campaign: Campaign, before: CampaignStatus, progress: Progress
) -> Listing:
    """Read the listing into the staged tables, each record matched to its customer.

    A listing is whole when it has as many records as the smaller of ``no-of-records`` before and after; without that
    count, when it ended without a repeat. Raise DialerUnavailable, AuthRefused, StateUnavailable.
    """
    match_on = campaign.settings.match_on.value
    async with desk.alone() as connection:
        await staging.begin_listing(connection)
    progress.step("listing the campaign", 0, before.records)
    pages = dialer.listing(before.records)
    received, block = 0, list[Record]()
    async for page in pages:
        received += len(page)
        block.extend(page)
        if len(block) >= BLOCK:
            async with desk.alone() as connection:
                await staging.stage_listing(connection, block, match_on)
            block.clear()
        progress.step("listing the campaign", received, before.records)
    after = await dialer.status()
    # Numbers are told by the staged lists as well, which the suppression lane may be reading anew.
    async with desk.one_list if match_on == "phone" else nullcontext(), desk.alone() as connection:
        await staging.stage_listing(connection, block, match_on)
        matched = await staging.end_listing(connection, desk.campaign, match_on)

    counts = [status.records for status in (before, after) if status.records is not None]
    expected = min(counts, default=None)
    complete = not pages.repeated if expected is None else matched.records + pages.unusable >= expected
    return Listing(matched, expected, whole=complete and not before.purged and not after.purged)


async def learn(connection: Connection, desk: Desk, campaign: Campaign, *, whole: bool) -> tuple[int, Learned]:
    """Let the ledger learn from the staged listing; return how many open claims it settled, and what it taught."""
    now, by_phone = desk.clock.now(), campaign.settings.match_on is MatchOn.PHONE
    async with connection.transaction():
        settled = await settle(connection, desk.campaign, desk.pass_id, now, whole=whole, by_phone=by_phone)
        learned = await ledger.absorb(
            connection,
            desk.campaign,
            desk.account,
            desk.pass_id,
            now,
            whole=whole,
            do_not_call=campaign.tenant.do_not_call,
        )
    return settled, learned


async def observe(
    desk: Desk, dialer: CampaignReader, campaign: Campaign, before: CampaignStatus, progress: Progress
) -> Observation:
    """Read the listing and let the ledger learn from it.

    One that is not whole still teaches what it shows, but nothing by absence. Raise WrongMatchKey, DialerUnavailable,
    AuthRefused, StateUnavailable.
    """
    listing = await read_listing(desk, dialer, campaign, before, progress)
    async with desk.alone() as connection:
        if listing.whole and await ledger.knows_no_add(connection, desk.campaign, desk.row.listed_at):
            raise WrongMatchKey(campaign.name, campaign.settings.match_on.value)
        settled, learned = await learn(connection, desk, campaign, whole=listing.whole)
    return Observation(
        records=listing.matched.records,
        expected=listing.expected,
        whole=listing.whole,
        unmatched=listing.matched.unmatched,
        ambiguous=listing.matched.ambiguous,
        settled=settled,
        learned=learned,
    )
