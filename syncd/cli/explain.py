"""``syncd explain``: everything known of one customer, from the source to the last call, and what comes next."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from itertools import count
from typing import Final

import click

from syncd.cli.application import Application
from syncd.cli.params import CUSTOMER
from syncd.cli.progress import shown
from syncd.cli.registered import dispositions_of, overviews
from syncd.cli.running import run
from syncd.cli.screen import JSON_OPTION, columns, say, say_labelled, show_document
from syncd.clock import SystemClock
from syncd.config import CampaignSettings, Config
from syncd.errors import SourceError
from syncd.report.explain import Chapter, Numbers, document, facts, heading, looked
from syncd.source.numbers import numbers_of
from syncd.state import suppressions
from syncd.state.database import Connection, connect
from syncd.state.opening import open_migrated_state
from syncd.state.overview import Overview
from syncd.state.story import Registered, Story, registered, story
from syncd.state.workplace import Workplaces
from syncd.sync.explaining import Look, look
from syncd.sync.worlds import Worlds
from syncd.words import Exit

AT_ONCE: Final = 4
"""Campaigns that are looked at side by side."""

UNSEEN: Final = Story()


@click.command(short_help="Tell everything known of one customer, and what comes next.")
@click.argument("customer", type=CUSTOMER)
@click.option("--listing", is_flag=True, help="Read the listings of large campaigns too.")
@click.option("--show-phone", is_flag=True, help="Ask the sources for the phone number as well.")
@JSON_OPTION
@click.pass_obj
def explain(application: Application, customer: int, listing: bool, show_phone: bool, as_json: bool) -> int:
    """Tell everything known of CUSTOMER in every campaign, from the source to the last call, and what comes next.

    Nothing is sent to the dialer and nothing is written. Exit status: 0, 1 nobody knows the customer.
    """
    config = application.config()
    chapters = run(_chapters(config, customer, always_list=listing, show_phone=show_phone))
    known = any(chapter.known for chapter in chapters)
    if as_json:
        show_document({"customer": customer, "known": known, "campaigns": [document(one) for one in chapters]})
    elif known:
        _tell(customer, chapters)
    else:
        _tell_unknown(customer, chapters)
    return Exit.GOOD if known else Exit.FAILED


async def _chapters(config: Config, customer: int, *, always_list: bool, show_phone: bool) -> list[Chapter]:
    """Look the customer up in every campaign of the configuration, and in those that only the state has still."""
    async with open_migrated_state(config.state) as database, connect(database) as connection:
        looks = await _looks(Worlds(config, Workplaces(database)), customer, always_list=always_list)
        known = {(one.account, one.vendor_id): one for one in await registered(connection)}
        suppressed = await suppressions.find(connection, customer)
        chapters = []
        for stands in await overviews(connection, config, list(looks), SystemClock().now()):
            known.pop((stands.account, stands.vendor_id), None)
            settings = config.campaigns[stands.name]
            chapters.append(
                Chapter(
                    overview=stands,
                    story=UNSEEN if stands.campaign is None else await story(connection, stands.campaign, customer),
                    settings=settings,
                    look=looks[stands.name],
                    suppressions=tuple(one for one in suppressed if one.account in ("", stands.account)),
                    dispositions=await dispositions_of(connection, config, stands.account),
                    numbers=await _numbers(config, settings, customer) if show_phone else None,
                )
            )
        return chapters + [one async for one in _left(connection, config, list(known.values()), customer)]


async def _looks(worlds: Worlds, customer: int, *, always_list: bool) -> dict[str, Look]:
    """Look at what sources and tenants have now, several campaigns side by side: one that hangs delays few."""
    names, places, done = list(worlds.config.campaigns), asyncio.Semaphore(AT_ONCE), count(1)
    with shown(f"customer {customer}") as progress:

        async def one(name: str) -> Look:
            async with places:
                world = worlds.world(name, progress if len(names) == 1 else None)
                found = await look(worlds.campaign(name), world, customer, always_list=always_list)
            progress.step("looking through the campaigns", next(done), len(names))
            return found

        looks = dict(zip(names, await asyncio.gather(*map(one, names), return_exceptions=True), strict=True))
    for found in looks.values():
        if isinstance(found, BaseException):
            raise found
    return {name: found for name, found in looks.items() if not isinstance(found, BaseException)}


async def _left(
    connection: Connection, config: Config, campaigns: Sequence[Registered], customer: int
) -> AsyncIterator[Chapter]:
    """Yield what the state still knows of campaigns that the configuration has no more."""
    for one in campaigns:
        found = await story(connection, one.id, customer)
        if not found.empty:
            yield Chapter(
                overview=Overview(one.name, one.account, one.vendor_id, campaign=one.id, listed_at=one.listed_at),
                story=found,
                dispositions=await dispositions_of(connection, config, one.account),
            )


async def _numbers(config: Config, settings: CampaignSettings, customer: int) -> Numbers:
    try:
        return Numbers(await numbers_of(config.sources[settings.source], settings.query, customer))
    except SourceError as error:
        return Numbers(error=error)


def _tell(customer: int, chapters: Sequence[Chapter]) -> None:
    now, width = SystemClock().now(), columns()
    say(f"Customer {customer}")
    for chapter in chapters:
        if chapter.known or chapter.troubled:
            say()
            say(heading(chapter))
            for fact in facts(chapter, now):
                say_labelled(fact.label, fact.text, width)
    strangers = [chapter.overview.name for chapter in chapters if not chapter.known and not chapter.troubled]
    if strangers:
        say()
        say(f"Neither source nor campaign nor state know the customer in {', '.join(strangers)}.")


def _tell_unknown(customer: int, chapters: Sequence[Chapter]) -> None:
    width = columns()
    say(f"Nobody knows customer {customer}. These were looked through:")
    for chapter in chapters:
        say_labelled(chapter.overview.name, looked(chapter), width)
    if not chapters:
        say_labelled("state", "the configuration has no campaign", width)
