"""A file to spoil: a small right configuration, section by section, and what loading it says."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from syncd.config import Config, load_config
from syncd.errors import ConfigError

RIGHT = {
    "state": {"directory": '"/var/lib/syncd"'},
    "tenants.acme": {
        "platform": '"na12"',
        "username": '"acmecorp01"',
        "action_token": '"env:ACTION"',
        "data_token": '"env:DATA"',
    },
    "sources.crm": {"url": '"sqlite:///crm.db"'},
    "campaigns.renewals": {"id": "125", "tenant": '"acme"', "source": '"crm"', "query": '"SELECT 1 AS customer_id"'},
}
ENVIRON = {"ACTION": "action-token", "DATA": "data-token"}


@dataclass
class File:
    """A configuration file in the making: sections of keys, each value as TOML."""

    folder: Path
    environ: dict[str, str] = field(default_factory=lambda: dict(ENVIRON))
    sections: dict[str, dict[str, str]] = field(
        default_factory=lambda: {name: dict(keys) for name, keys in RIGHT.items()}
    )

    @property
    def path(self) -> Path:
        return self.folder / "config.toml"

    def set(self, section: str, **keys: str | None) -> "File":
        """Set keys of a section; None leaves a key out."""
        table = self.sections.setdefault(section, {})
        for key, value in keys.items():
            table.pop(key, None)
            if value is not None:
                table[key] = value
        return self

    def reset(self) -> "File":
        """Make the file right again."""
        self.sections = {name: dict(keys) for name, keys in RIGHT.items()}
        return self

    def text(self) -> str:
        return "\n".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items())
            for name, keys in self.sections.items()
        )

    def load(self, text: str | None = None, *, secrets: bool = True) -> Config:
        self.path.write_text(self.text() if text is None else text, encoding="utf-8")
        return load_config(self.path, environ=self.environ, secrets=secrets)

    def problems(self, text: str | None = None, *, secrets: bool = True) -> list[str]:
        """Return the sentences about the file, without its path; the line comes first."""
        with pytest.raises(ConfigError) as caught:
            self.load(text, secrets=secrets)
        return [str(problem).removeprefix(f"{self.path}:").strip() for problem in caught.value.problems]

    def line_of(self, section: str, key: str | None = None) -> int:
        """Return on which line a section begins, or a key of it stands."""
        lines = self.text().split("\n")
        start = lines.index(f"[{section}]")
        if key is None:
            return start + 1
        return next(number for number, line in enumerate(lines[start:], start + 1) if line.startswith(f"{key} = "))


@pytest.fixture
def file(tmp_path: Path) -> File:
    return File(tmp_path)


@pytest.fixture(scope="session")
def as_toml() -> Callable[[Any], str]:
    return toml_of


def toml_of(value: Any) -> str:
    """Return a value as TOML on one line."""
    match value:
        case str():
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
        case bool():
            return str(value).lower()
        case list():
            return f"[{', '.join(map(toml_of, value))}]"
        case dict():
            return f"{{ {', '.join(f'{toml_of(key)} = {toml_of(inner)}' for key, inner in value.items())} }}"
        case _:
            return str(value)
