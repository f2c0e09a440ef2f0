"""Lines of keys."""

import tomllib
from collections.abc import Iterator
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from syncd.config.lines import key_lines

TEXT = '''# a comment with key = "value"
top = 1   # [not.a.table]

[tenants.acme]
username = "a # b"
"quoted key" = 'x'
query = """
[not.a.table]
every = "5m" \\"""
""""
literal = \'\'\'
a = 1 \'\'\'\'\'
list = [ # first
  "a, [b]",
  { inner = 1, other = [2, 3] },

  3,
]
day = 1979-05-27 07:32:00
guard = { few = 1, deep.er = 2 }
dotted . "k.ey" = 5

  [ tenants . "a.c" . dispositions ]
2001 = "x"
[tenants]
late = true
[[many]]
k = 1
[[many]]
other = 2
'''


def test_every_way_to_write_a_key_has_its_line() -> None:
    assert key_lines(TEXT) == {
        ("top",): 2,
        ("tenants",): 25,
        ("tenants", "acme"): 4,
        ("tenants", "acme", "username"): 5,
        ("tenants", "acme", "quoted key"): 6,
        ("tenants", "acme", "query"): 7,
        ("tenants", "acme", "literal"): 11,
        ("tenants", "acme", "list"): 13,
        ("tenants", "acme", "list", 0): 14,
        ("tenants", "acme", "list", 1): 15,
        ("tenants", "acme", "list", 1, "inner"): 15,
        ("tenants", "acme", "list", 1, "other"): 15,
        ("tenants", "acme", "list", 1, "other", 0): 15,
        ("tenants", "acme", "list", 1, "other", 1): 15,
        ("tenants", "acme", "list", 2): 17,
        ("tenants", "acme", "day"): 19,
        ("tenants", "acme", "guard"): 20,
        ("tenants", "acme", "guard", "few"): 20,
        ("tenants", "acme", "guard", "deep"): 20,
        ("tenants", "acme", "guard", "deep", "er"): 20,
        ("tenants", "acme", "dotted"): 21,
        ("tenants", "acme", "dotted", "k.ey"): 21,
        ("tenants", "a.c"): 23,
        ("tenants", "a.c", "dispositions"): 23,
        ("tenants", "a.c", "dispositions", "2001"): 24,
        ("tenants", "late"): 26,
        ("many",): 27,
        ("many", "k"): 28,
        ("many", "other"): 30,
    }


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
scalar = st.one_of(text, st.booleans(), st.integers(-(10**6), 10**6), st.floats(), st.datetimes())
value = st.recursive(
    scalar, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3), max_leaves=8
)
document = st.dictionaries(text, st.dictionaries(text, value, max_size=4), max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(document)
@example({"a": {"'\"]": ["]", "}", "#", "'''", '"""', {"=": []}]}})
def test_whatever_a_file_says_each_of_its_keys_is_found_where_it_stands(
    as_toml, tables: dict[str, dict[str, Any]]
) -> None:
    lines, expected = [], {}
    for name, table in tables.items():
        lines.append(f"[{as_toml(name)}]")
        expected[(name,)] = len(lines)
        for key, one in table.items():
            lines.append(f"{as_toml(key)} = {as_toml(one)} # {key.split()}")
            for path in paths_in(one):
                expected[(name, key, *path)] = len(lines)
    text = "\n".join(lines)
    assert set(tomllib.loads(text)) == set(tables)
    assert key_lines(text) == expected


def paths_in(one: Any) -> Iterator[tuple[str | int, ...]]:
    yield ()
    inner = enumerate(one) if isinstance(one, list) else one.items() if isinstance(one, dict) else ()
    for key, below in inner:
        yield from ((key, *path) for path in paths_in(below))
