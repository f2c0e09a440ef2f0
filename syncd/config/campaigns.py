"""Campaigns: each section laid over [defaults], its guard key by key."""

from collections.abc import Mapping
from typing import Final

from syncd.config.layout import DEFAULTS, GUARD, NOT_BY_DEFAULT, Key, Keys
from syncd.config.problems import KeyPath, Problems
from syncd.config.sections import Entry, Section, Table, entries, named_tables, read_section
from syncd.config.settings import GuardSettings

_SCHEDULE: Final = {"every", "cron"}


def read_campaigns(top: Table, layout: Mapping[str, Keys], problems: Problems) -> dict[str, Section]:
    """Read every campaign, and what [defaults] says even where no campaign uses it."""
    keys = layout["campaigns"]
    shared = {name: Key(key.read, key.example) for name, key in keys.items() if name not in NOT_BY_DEFAULT}
    written = entries(top[DEFAULTS].value, (DEFAULTS,), problems) if DEFAULTS in top else {}
    _read_campaign((DEFAULTS,), written, _limits(written), shared, layout, problems)
    defaults = {name: entry for name, entry in written.items() if name in shared}
    tables = named_tables("campaigns", top, layout, problems)
    if "campaigns" not in top or top["campaigns"].value == {}:
        problems.add(("campaigns",), "is missing", "add a section like [campaigns.renewals]")
    return {
        name: _read_campaign(
            ("campaigns", name), _over(defaults, own), _limits(defaults) | _limits(own), keys, layout, problems
        )
        for name, own in tables.items()
    }


def _read_campaign(
    path: KeyPath, table: Table, limits: Table, keys: Keys, layout: Mapping[str, Keys], problems: Problems
) -> Section:
    campaign = read_section(path, table, keys, layout, problems)
    guard = read_section((*path, GUARD), limits, layout[GUARD], layout, problems)
    campaign.values[GUARD] = GuardSettings(**guard.values)
    return campaign


def _over(defaults: Table, own: Table) -> Table:
    """Return a campaign's keys laid over the defaults; a schedule of its own takes the place of one of either kind."""
    replaced = _SCHEDULE if _SCHEDULE & own.keys() else set()
    return {name: entry for name, entry in defaults.items() if name not in replaced} | dict(own)


def _limits(table: Table) -> dict[str, Entry]:
    guard = table.get(GUARD)
    if guard is None or not isinstance(guard.value, dict):
        return {}
    return {name: Entry(value, (*guard.path, name)) for name, value in guard.value.items()}
