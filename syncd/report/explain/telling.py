"""What is known of a customer in one campaign, line by line."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from math import ceil

from syncd.report import journal_words
from syncd.report.explain.chapter import Chapter
from syncd.report.explain.foretelling import foretell, parked
from syncd.report.status import Fact
from syncd.report.vendor_words import record, why_suppressed
from syncd.report.words import ago, counted, duration, moment, plain, why
from syncd.state.foretold import Row
from syncd.state.journal import Entry
from syncd.state.story import MOST, LedgerRow, LetThrough, SuppressedRecord
from syncd.state.suppressions import Suppression
from syncd.vendor import PAGE_SIZE
from syncd.words import Condition, Kind, Rule

PRESENCE = {
    "in": "in the campaign",
    "removed": "removed",
    "owed": "removed, and to be added again",
    "gone": "gone",
}
"""The ledger's word for whether the record is there."""


def heading(chapter: Chapter) -> str:
    """Return which campaign it is about."""
    overview = chapter.overview
    state = f"; {overview.condition}" if chapter.settings and overview.condition is not Condition.OK else ""
    return f"{overview.name}: campaign {overview.vendor_id} of {overview.account}{state}"


def looked(chapter: Chapter) -> str:
    """Return where the customer was looked for and not found."""
    settings, look = chapter.settings, chapter.look
    if settings is None or look is None:
        return "the state"
    query = look.source_error.sentence() if look.source_error else f"the query in source {settings.source}"
    names = f"; {look.list_error.sentence()}" if look.list_error else ""
    listing = "the listing, read now" if look.listed else f"the listing: {_listed_now(chapter)}"
    return f"{query}{names}; the state; {listing}"


def facts(chapter: Chapter, now: datetime) -> list[Fact]:
    """Return the story of a customer in one campaign, from the source to the last call, and what comes next."""
    return [Fact(label, text) for label, text in _facts(chapter, now) if text]


def _facts(chapter: Chapter, now: datetime) -> Iterator[tuple[str, str]]:
    story = chapter.story
    yield from _source(chapter)
    for text in _suppressed(chapter):
        yield "suppressed", text
    for one in story.suppressed:
        yield "suppressed", _suppressed_record(one)
    yield "ledger", _ledger(story.ledger) if story.ledger else "syncd never had the customer in this campaign"
    yield "listed", _last_listed(chapter, now)
    yield "listed now", _listed_now(chapter)
    if story.parked:
        yield "parked", f"{parked(story.parked)}; since {moment(story.parked.since)}, tries: {story.parked.attempts}"
    for held in story.held:
        what = why(Kind(held.kind), Rule(held.rule))
        yield "held", f"{held.kind} ({held.digest}) since {moment(held.since)}, because it {what}"
    for given in story.approved:
        yield "approved", _approved(given, now)
    for claim in story.claims:
        yield (
            "unanswered",
            f"{claim.kind}, sent at {moment(claim.sent_at)} in pass {claim.pass_id}; the listing settles it",
        )
    for seen in story.sightings:
        shown = record(seen.status, seen.status_code, seen.disposition, chapter.dispositions)
        yield "seen", f"{moment(seen.seen_at)}: {shown}"
    if len(story.changes) == MOST:
        yield "change", f"the last {MOST:,}; `syncd changes` has those before"
    for change in story.changes:
        yield "change", _change(change)
    yield "next", foretell(chapter)


def _source(chapter: Chapter) -> Iterator[tuple[str, str]]:
    look = chapter.look
    if look is None:
        return
    if look.source_error:
        yield "source", look.source_error.sentence()
    else:
        yield "source", _row(look.row) if look.row else "needs no call: the query has no row of the customer"
    numbers = chapter.numbers
    if numbers is not None:
        missing = numbers.error.sentence() if numbers.error else "the query has none of the customer"
        yield "phone", ", ".join(map(plain, numbers.found)) or missing


def _row(row: Row) -> str:
    version = f"; version {plain(row.version)}" if row.version is not None else ""
    if row.problem:
        return f"needs a call, but cannot be added: {row.problem}{version}"
    return f"needs a call {_when(row.call_at)}{version}"


def _when(time: datetime | None) -> str:
    return f"at {moment(time)}" if time else "as soon as possible"


def _suppressed(chapter: Chapter) -> Iterator[str]:
    look = chapter.look
    if look and look.on_the_list:
        yield "by the suppression query"
    for one in chapter.suppressions:
        yield _suppression(one, chapter.dispositions)
    if look and look.list_error:
        yield f"not known: {look.list_error.sentence()}"
    elif look and not look.on_the_list and not chapter.suppressions:
        yield "no"


def _suppression(one: Suppression, own: Mapping[int, str]) -> str:
    how = "by `syncd suppress`" if one.origin == "operator" else "by how an agent ended a call"
    return f"{how}: {plain(why_suppressed(one, own))}; since {moment(one.since)}, by {plain(one.by)}"


def _suppressed_record(one: SuppressedRecord) -> str:
    shown = f"was in the campaign when the list first showed it, {moment(one.shown_at)}; "
    if one.removed_at:
        return f"{shown}out {duration(one.removed_at - one.shown_at)} later"
    return shown + (f"not any more at {moment(one.left_at)}" if one.left_at else "not known to be out")


def _ledger(row: LedgerRow) -> str:
    told = [PRESENCE.get(row.presence, row.presence), "ours" if row.ours else "not ours"]
    if row.added_at:
        told.append(f"added {moment(row.added_at)}, to be called {_when(row.wanted_at)}")
    if row.version is not None:
        told.append(f"version {plain(row.version)}")
    if row.recalled_at:
        told.append(f"called again since {moment(row.recalled_at)}")
    told.append("called" if row.called else "not called yet")
    if row.called_version is not None and row.called:
        told.append(f"for version {plain(row.called_version)}")
    if row.absent:
        told.append("not in the last listing" if row.absent == 1 else "not in the last two listings")
    return "; ".join(told)


def _last_listed(chapter: Chapter, now: datetime) -> str:
    row, listed_at = chapter.story.ledger, chapter.listed_at
    read = f"the last whole listing is from {moment(listed_at)}, {ago(listed_at, now)}" if listed_at else ""
    if row is None or row.status is None:
        return f"never; {read}" if read else "never: no listing has been read whole yet"
    shown = record(row.status, row.status_code, row.disposition, chapter.dispositions)
    number = f"record {row.record_id}, " if row.record_id else ""
    return "; ".join(filter(None, (f"{number}{shown}", read)))


def _listed_now(chapter: Chapter) -> str:
    look = chapter.look
    if look is None:
        return ""
    if look.listed is None and look.dialer_error:
        return f"not known: {look.dialer_error.sentence()}"
    if look.listed is None:
        many = "unknown how many records" if look.records is None else counted(look.records, "record")
        asks = f", {counted(ceil(look.records / PAGE_SIZE), 'request')}" if look.records else ""
        return f"not read, for the campaign has {many}{asks}; --listing reads it"
    if look.listed.record is None:
        return "no" if look.listed.whole else "not shown, but the listing was not whole"
    seen = look.listed.record
    return f"record {seen.record_id}, {record(seen.status, seen.status_code, seen.disposition, chapter.dispositions)}"


def _approved(one: LetThrough, now: datetime) -> str:
    given = f"{one.kind} ({one.digest}) by {plain(one.by)} at {moment(one.at)}; "
    if one.used_at:
        return f"{given}sent at {moment(one.used_at)}"
    return given + (f"until {moment(one.expires_at)}" if one.expires_at > now else "expired unused")


def _change(entry: Entry) -> str:
    return f"{moment(entry.at)}: {journal_words.told(entry, f' in pass {entry.pass_id}')}"
