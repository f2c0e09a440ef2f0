"""The example that a user copies: every key, and its default."""

import dataclasses
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from syncd.config import (
    CampaignSettings,
    GuardSettings,
    NotifySettings,
    ServiceSettings,
    SourceSettings,
    StateSettings,
    TenantSettings,
    load_config,
)
from syncd.config.layout import SECTIONS, layout
from syncd.config.surroundings import Surroundings

EXAMPLE = Path(__file__).parents[3] / "config.example.toml"

TABLES = {
    "state": ("state",),
    "service": ("service",),
    "notify": ("notify",),
    "tenants": ("tenants", "acme"),
    "sources": ("sources", "crm"),
    "campaigns": ("campaigns", "renewals"),
    "guard": ("campaigns", "renewals", "guard"),
}
SETTINGS = {
    "state": StateSettings,
    "service": ServiceSettings,
    "notify": NotifySettings,
    "tenants": TenantSettings,
    "sources": SourceSettings,
    "campaigns": CampaignSettings,
    "guard": GuardSettings,
}
WRITTEN_ANOTHER_WAY = {
    "state": {"schema_name": "schema"},
    "tenants": {"base_url": "platform"},
    "campaigns": {"query": "query_file"},
}
"""Attributes with another key, or with a second one."""


EXAMPLES = (
    "base_url",
    "query_file",
    "cron",
    "list_every",
    "suppress",
    "suppress_source",
    "password",
    "directory",
    "2001",
)
"""Keys that have no default, or stand for another: what is shown is an example."""


def complete_text() -> str:
    """Return the example with the keys that are left out in it."""
    return re.sub(r"^# (?=[a-z_0-9]+ = )", "", EXAMPLE.read_text(), flags=re.MULTILINE)


def complete() -> dict[str, Any]:
    return tomllib.loads(complete_text())


def table(section: str) -> dict[str, Any]:
    found = complete()
    for name in TABLES[section]:
        found = found[name]
    return found


def keys_of(section: str) -> set[str]:
    return set(layout(Surroundings(Path(), {}, secrets=False))[section])


def test_the_example_loads_as_it_is() -> None:
    config = load_config(EXAMPLE, environ={}, secrets=False)
    assert list(config.campaigns) == ["renewals"]


def test_the_example_has_every_section_in_the_order_of_the_settings() -> None:
    assert tuple(complete()) == SECTIONS


@pytest.mark.parametrize("section", TABLES)
def test_the_example_has_every_key_and_no_other(section) -> None:
    assert set(table(section)) == keys_of(section)


@pytest.mark.parametrize("section", TABLES)
def test_every_key_is_a_setting_and_every_setting_a_key(section) -> None:
    attributes = {field.name for field in dataclasses.fields(SETTINGS[section])} - {"name"}
    other = WRITTEN_ANOTHER_WAY.get(section, {})
    assert attributes - other.keys() | set(other.values()) == keys_of(section) - (other.keys() & keys_of(section))


@pytest.mark.parametrize("section", TABLES)
def test_every_key_of_the_example_is_explained(section) -> None:
    lines = EXAMPLE.read_text().splitlines()
    for key in table(section):
        places = [number for number, line in enumerate(lines) if re.match(rf"(# )?{key} = |\[.*\.{key}\]$", line)]
        assert places
        for number in places:
            above = lines[number - 1]
            assert above.startswith(("# ", "[defaults]")) or lines[number].startswith("["), f"{key} is not explained"


def test_what_the_example_shows_is_the_default(tmp_path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(re.sub(rf"^({'|'.join(EXAMPLES)}) = .*\n", "", complete_text(), flags=re.MULTILINE))
    config = load_config(path, environ={}, secrets=False)
    assert config.service == ServiceSettings()
    assert config.notify == NotifySettings()
    state = config.state
    assert state == StateSettings(url=state.url, directory=state.directory)
    tenant = config.tenants["acme"]
    assert tenant == TenantSettings(
        name="acme",
        base_url=tenant.base_url,
        username=tenant.username,
        action_token=tenant.action_token,
        data_token=tenant.data_token,
    )
    source = config.sources["crm"]
    assert source == SourceSettings(name="crm", url=source.url)
    campaign = config.campaigns["renewals"]
    assert campaign == CampaignSettings(name="renewals", id=125, tenant="acme", source="crm", query=campaign.query)
