"""Sections: which keys were written where, and what could be read of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeAlias

from syncd.config.layout import Keys
from syncd.config.problems import KeyPath, Problems, SettingError, shown


@dataclass(frozen=True, slots=True)
class Entry:
    """A value and where it was written: a campaign's may stand in [defaults]."""

    value: object
    path: KeyPath


Table: TypeAlias = Mapping[str, Entry]


@dataclass(frozen=True, slots=True)
class Section:
    """One section after reading: ``values`` holds the keys that were right."""

    path: KeyPath
    written: Table
    values: dict[str, Any]

    def where(self, *keys: str) -> KeyPath:
        """Return where the first of ``keys`` that stands in the section itself was written, or one would be."""
        paths = [self.written[key].path for key in keys if key in self.written]
        own = [path for path in paths if path[: len(self.path)] == self.path]
        return next(iter(own + paths), (*self.path, keys[0]))


def entries(value: object, path: KeyPath, problems: Problems) -> dict[str, Entry]:
    """Return the keys of a table; anything but a table is a problem, and has none."""
    if not isinstance(value, dict):
        _note_no_section(path, shown(path), problems)
        return {}
    return {key: Entry(one, (*path, key)) for key, one in value.items()}


def plain_section(name: str, top: Table, layout: Mapping[str, Keys], problems: Problems) -> Section:
    """Read a section that occurs once; left out, it is empty."""
    table = entries(top[name].value, (name,), problems) if name in top else {}
    return read_section((name,), table, layout[name], layout, problems)


def named_tables(kind: str, top: Table, layout: Mapping[str, Keys], problems: Problems) -> dict[str, Table]:
    """Return the tables of a section that occurs once for each name, like [campaigns.renewals]."""
    if kind not in top:
        return {}
    if not isinstance(top[kind].value, dict):
        _note_no_section((kind,), f"{kind}.NAME", problems)
        return {}
    tables: dict[str, Table] = {}
    for name, entry in entries(top[kind].value, (kind,), problems).items():
        if not name.isprintable() or name != name.strip() or not name or name.startswith("-"):
            problems.add(entry.path, "is no name that a command could be given", "use letters and digits")
        if isinstance(entry.value, dict):
            tables[name] = entries(entry.value, entry.path, problems)
        elif name in layout[kind]:
            problems.add(entry.path, "stands in no section with a name", f"write [{kind}.NAME] above it")
        else:
            _note_no_section(entry.path, shown(entry.path), problems)
    return tables


def named_sections(kind: str, top: Table, layout: Mapping[str, Keys], problems: Problems) -> dict[str, Section]:
    """Read a section that occurs once for each name."""
    return {
        name: read_section((kind, name), table, layout[kind], layout, problems)
        for name, table in named_tables(kind, top, layout, problems).items()
    }


def read_section(path: KeyPath, table: Table, keys: Keys, layout: Mapping[str, Keys], problems: Problems) -> Section:
    """Read every key of a table; note those that are unknown, wrong or missing."""
    note_unknown(table, keys, layout, problems)
    values: dict[str, Any] = {}
    for name, key in keys.items():
        example = f"write it like {name} = {key.example}"
        if name not in table:
            if key.required:
                problems.add((*path, name), "is missing", example)
            continue
        entry = table[name]
        try:
            values[name] = key.read(entry.value)
        except SettingError as error:
            for fault in error.faults:
                problems.add((*entry.path, *fault.within), fault.wrong, fault.right or example)
    return Section(path, table, values)


def note_unknown(table: Table, known: Iterable[str], layout: Mapping[str, Keys], problems: Problems) -> None:
    """Note what does not belong in a table, with where it does, or what may be meant."""
    known = list(known)
    for name, entry in table.items():
        if name not in known:
            wrong = "is not a key of this section" if len(entry.path) > 1 else "is not a section of this file"
            problems.add(entry.path, wrong, _advice(name, known, layout))


def _note_no_section(path: KeyPath, title: str, problems: Problems) -> None:
    problems.add(path, "must be a section", f"write its keys under [{title}]")


def did_you_mean(name: str, names: Iterable[str]) -> str | None:
    """Return a question naming the closest of ``names``, None when none is close."""
    close = get_close_matches(name, list(names), n=1)
    return f'did you mean "{close[0]}"?' if close else None


def _advice(name: str, known: list[str], layout: Mapping[str, Keys]) -> str:
    homes = [_TITLES.get(section, f"[{section}]") for section, keys in layout.items() if name in keys]
    if homes:
        return f"it belongs in {' or '.join(homes)}"
    return did_you_mean(name, known) or f"write one of {', '.join(known)}"


_TITLES = {
    "tenants": "[tenants.NAME]",
    "sources": "[sources.NAME]",
    "campaigns": "[campaigns.NAME]",
    "guard": "[campaigns.NAME.guard]",
}
