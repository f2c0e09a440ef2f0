"""The sources: does each connect, and does each query give the columns that its campaign needs?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from syncd.cli.check.findings import Finding, Mark
from syncd.config import CampaignSettings, Config, MatchOn, RecallWhen, SourceSettings
from syncd.errors import SourceError
from syncd.source import QueryRows, SourceRows, open_source
from syncd.source.driver import check_driver
from syncd.source.reader import BATCH_ROWS


@dataclass(frozen=True, slots=True)
class Query:
    """One query of a campaign."""

    campaign: CampaignSettings
    key: str
    text: str

    @property
    def subject(self) -> str:
        return f"campaign {self.campaign.name}, {self.key}"


def check_drivers(config: Config) -> list[Finding]:
    """Return for each source whether its driver is there. Connects to nothing."""
    return [_driver(settings) for settings in config.sources.values()]


async def check_source(config: Config, name: str) -> Sequence[Finding]:
    """Return what is to be said of a source and of the queries that run against it, at most one batch of each read."""
    settings, subject = config.sources[name], f"source {name}"
    try:
        async with open_source(settings):
            pass
    except SourceError as error:
        return [Finding.of_error(subject, error)]
    queries = list(_queries(config, name))
    if not queries:
        return [Finding(subject, Mark.ADVICE, "connects; no campaign uses it")]
    findings = [Finding(subject, Mark.GOOD, "connects")]
    for query in queries:
        findings += await _query(settings, query)
    return findings


def _driver(settings: SourceSettings) -> Finding:
    subject = f"source {settings.name}"
    try:
        check_driver(settings)
    except SourceError as error:
        return Finding.of_error(subject, error)
    return Finding(subject, Mark.GOOD, "its driver is installed")


def _queries(config: Config, source: str) -> Iterator[Query]:
    for campaign in config.campaigns.values():
        if campaign.source == source:
            yield Query(campaign, "query", campaign.query)
        if campaign.suppress is not None and campaign.suppress_source == source:
            yield Query(campaign, "suppress", campaign.suppress)


async def _query(settings: SourceSettings, query: Query) -> list[Finding]:
    try:
        async with open_source(settings) as session:
            rows = session.read(query.text)
            first = await anext(rows, None)
            if rows.rows < BATCH_ROWS:
                await anext(rows, None)  # the end, so that it is known that this is all
    except SourceError as error:
        return [Finding.of_error(query.subject, error)]
    count = f"{rows.rows:,} row{'' if rows.rows == 1 else 's'}"
    what = f"{count if rows.complete else f'the first {count}'} with {', '.join(sorted(rows.columns))}"
    return list(_concerns(query, rows, first, what)) or [Finding(query.subject, Mark.GOOD, what)]


def _concerns(query: Query, rows: QueryRows, first: SourceRows | None, what: str) -> Iterator[Finding]:
    """Yield what is not as it should be."""

    def concern(mark: Mark, wrong: str, advice: str) -> Finding:
        return Finding(query.subject, mark, f"{what}; {wrong}", advice)

    campaign, desired = query.campaign, query.key == "query"
    if campaign.match_on is MatchOn.PHONE and "phone" not in rows.columns:
        yield concern(Mark.WRONG, 'match_on = "phone" needs a column phone', "write SELECT <your column> AS phone")
    if rows.invalid:
        samples = ", ".join(rows.invalid_samples)
        yield concern(Mark.ADVICE, f"{rows.invalid:,} have no usable customer_id: {samples}", "they are never sent")
    if problems := sum(row.problem is not None for row in first or ()):
        yield concern(Mark.ADVICE, f"{problems:,} have a schedule_at that is no date-time", "they are never sent")
    if desired and campaign.recall is RecallWhen.ON_VERSION and "version" not in rows.columns:
        yield concern(Mark.ADVICE, 'recall = "on-version" needs a column version', "nobody is recalled without it")
    if desired and not rows.rows and campaign.guard.min_rows:
        yield concern(Mark.ADVICE, f"min_rows is {campaign.guard.min_rows}", "the guard would hold what this empties")
