"""From the file to the settings: found, read, checked as a whole, and built."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from syncd.config.campaigns import read_campaigns
from syncd.config.document import read_document
from syncd.config.layout import SECTIONS, layout
from syncd.config.problems import Problems, SettingError
from syncd.config.rules import (
    check_accounts,
    check_campaign,
    check_identities,
    check_references,
    check_state,
    check_tenant,
)
from syncd.config.sections import Entry, Section, named_sections, note_unknown, plain_section
from syncd.config.settings import (
    CampaignSettings,
    Config,
    NotifySettings,
    ServiceSettings,
    SourceSettings,
    StateSettings,
    TenantSettings,
)
from syncd.config.surroundings import Surroundings
from syncd.errors import ConfigError, ConfigProblem

WORKING_CONFIG: Final = Path("config.toml")
SYSTEM_CONFIG: Final = Path("/etc/syncd/config.toml")
_COPY_THE_EXAMPLE: Final = "copy config.example.toml and edit it"


def find_config(explicit: Path | None, environ: Mapping[str, str]) -> Path:
    """Return the file that --config, $SYNCD_CONFIG, ./config.toml or /etc/syncd/config.toml names, in this order.

    Raise ConfigError where none does. A file that was named is returned whether it is there or not.
    """
    if explicit is not None:
        return explicit
    if named := environ.get("SYNCD_CONFIG"):
        return Path(named)
    for path in (WORKING_CONFIG, SYSTEM_CONFIG):
        if path.exists():
            return path
    wrong = f"there is no such file, nor {WORKING_CONFIG} in this folder"
    raise ConfigError(ConfigProblem(str(SYSTEM_CONFIG), None, "", wrong, _COPY_THE_EXAMPLE))


def load_config(path: Path, *, environ: Mapping[str, str] = os.environ, secrets: bool = True) -> Config:
    """Return the settings of the file. Raise ConfigError with everything that is wrong with it, by line.

    With ``secrets`` false only the form of secrets is checked: another process, with its own environment and rights,
    is going to read them.
    """
    found = _loaded(path, environ, secrets)
    if not isinstance(found, Config):
        raise ConfigError(*found)
    return found


def _loaded(path: Path, environ: Mapping[str, str], secrets: bool) -> Config | tuple[ConfigProblem, ...]:
    """Problems are returned, not raised: no traceback leads through a frame that holds what the file says."""
    document = read_document(path)
    if not document.values:
        return (ConfigProblem(str(path), None, "", "is empty", _COPY_THE_EXAMPLE),)
    problems = Problems(str(path), document.lines)
    sections = _read(document.values, Surroundings(path.absolute().parent, environ, secrets), problems)
    _check(sections, problems)
    return problems.all() or _built(path, sections)


@dataclass(frozen=True, slots=True)
class _Sections:
    state: Section
    service: Section
    notify: Section
    tenants: Mapping[str, Section]
    sources: Mapping[str, Section]
    campaigns: Mapping[str, Section]


def _read(values: Mapping[str, Any], at: Surroundings, problems: Problems) -> _Sections:
    keys = layout(at)
    top = {name: Entry(value, (name,)) for name, value in values.items()}
    note_unknown(top, SECTIONS, keys, problems)
    state = plain_section("state", top, keys, problems)
    if "directory" not in state.written:
        try:
            state.values["directory"] = at.default_directory()
        except SettingError as error:
            problems.add(state.where("directory"), error.faults[0].wrong, error.faults[0].right)
    return _Sections(
        state=state,
        service=plain_section("service", top, keys, problems),
        notify=plain_section("notify", top, keys, problems),
        tenants=named_sections("tenants", top, keys, problems),
        sources=named_sections("sources", top, keys, problems),
        campaigns=read_campaigns(top, keys, problems),
    )


def _check(sections: _Sections, problems: Problems) -> None:
    check_state(sections.state, problems)
    for tenant in sections.tenants.values():
        check_tenant(tenant, problems)
    check_accounts(sections.tenants, problems)
    for campaign in sections.campaigns.values():
        check_campaign(campaign, problems)
        check_references(campaign, sections.tenants, sections.sources, problems)
    check_identities(sections.campaigns, sections.tenants, problems)


def _built(path: Path, sections: _Sections) -> Config:
    return Config(
        path=path,
        state=StateSettings(**_renamed(sections.state, "schema", "schema_name")),
        service=ServiceSettings(**sections.service.values),
        notify=NotifySettings(**sections.notify.values),
        tenants=MappingProxyType(
            {
                name: TenantSettings(name=name, **_renamed(section, "platform", "base_url"))
                for name, section in sections.tenants.items()
            }
        ),
        sources=MappingProxyType(
            {name: SourceSettings(name=name, **section.values) for name, section in sections.sources.items()}
        ),
        campaigns=MappingProxyType(
            {
                name: CampaignSettings(name=name, **_renamed(section, "query_file", "query"))
                for name, section in sections.campaigns.items()
            }
        ),
    )


def _renamed(section: Section, key: str, attribute: str) -> dict[str, Any]:
    """Return the values by attribute; two keys may be two ways to say one thing."""
    return {attribute if name == key else name: value for name, value in section.values.items()}
