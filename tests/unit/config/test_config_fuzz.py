"""Whatever a file holds: settings, or a ConfigError that gives nothing away."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.config import Config, load_config
from syncd.config.layout import SECTIONS, layout
from syncd.config.surroundings import Surroundings
from syncd.errors import ConfigError

MARK = "geheim-7f3a"
PATHS = {"directory", "query_file"}
"""Keys whose value is shown, since it says where to look."""

KEYS = {section: sorted(keys) for section, keys in layout(Surroundings(Path(), {}, secrets=False)).items()}
ALL_KEYS = sorted({key for keys in KEYS.values() for key in keys})
HEADERS = {"tenants": "tenants.acme", "sources": "sources.crm", "campaigns": "campaigns.renewals"}

fuzz = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def load(path: Path) -> Config | ConfigError:
    try:
        return load_config(path, environ={"ACTION": "value", "DATA": "value"})
    except ConfigError as error:
        return error


@fuzz
@given(st.binary(max_size=300))
@example(b"\xef\xbb\xbf")
@example(b"[[[[")
@example(b"a = 9999-99-99")
@example(b'"\\ud800" = 1')
def test_no_bytes_raise_anything_but_a_config_error(tmp_path, content) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(content)
    found = load(path)
    assert isinstance(found, ConfigError)
    assert found.problems


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
telling = st.sampled_from(
    ["", "env:DATA", "file:", "~", "5m", "acme", "crm", "0 0 31 2 *", "https://[", "http://a:b", "a\0"]
)
scalar = st.one_of(
    text, telling, st.booleans(), st.integers(), st.just(10**400), st.floats(), st.datetimes(), st.dates(), st.times()
)
value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=5
)
table = st.dictionaries(st.sampled_from(ALL_KEYS) | text, value, max_size=8)
document = st.dictionaries(
    st.sampled_from(SECTIONS) | text,
    table | st.dictionaries(st.sampled_from(["acme", "crm"]) | text, table, max_size=2) | value,
    max_size=7,
)


@fuzz
@given(document)
def test_no_toml_raises_anything_but_a_config_error(tmp_path, as_toml, values: dict[str, Any]) -> None:
    path = tmp_path / "config.toml"
    path.write_text("".join(f"{as_toml(key)} = {as_toml(one)}\n" for key, one in values.items()), encoding="utf-8")
    found = load(path)
    assert isinstance(found, Config) or found.problems
    for problem in getattr(found, "problems", ()):
        assert problem.line or problem.key in ("", "campaigns")


@pytest.mark.parametrize("section", KEYS)
@fuzz
@given(data=st.data())
def test_no_value_of_any_key_is_repeated(file, as_toml, section, data) -> None:
    key = data.draw(st.sampled_from([key for key in KEYS[section] if key not in PATHS]))
    marked = st.sampled_from([MARK, f"://{MARK}", f"u:{MARK}@h", f"https://u:{MARK}@h", f"{MARK}:1", f"{MARK}\n\0"])
    shaped = (
        marked | marked.map(lambda one: [one]) | marked.map(lambda one: {"x": one}) | marked.map(lambda one: [[one]])
    )
    header = "campaigns.renewals.guard" if section == "guard" else HEADERS.get(section, section)
    file.reset().set(header, **{key: as_toml(data.draw(shaped))})
    file.path.write_text(file.text())
    found = load(file.path)
    assert isinstance(found, Config) or MARK not in f"{found} {found!r} {found.problems!r}"
