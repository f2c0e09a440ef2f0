"""Columns written as arrays: what PostgreSQL reads is what was written."""

from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from syncd.state.arrays import array


def read_back(url: str, values: Sequence[object], kind: str) -> object:
    with psycopg.connect(url, options="-c timezone=UTC") as connection:
        row = connection.execute(f"SELECT %s::{kind}[]", (array(values),)).fetchone()  # type: ignore[arg-type]
    return row[0] if row else None


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("bigint", [1, None, -(2**63), 2**63 - 1]),
        ("boolean", [True, None, False]),
        ("timestamptz", [datetime(2026, 11, 24, 9, 30, 15, 123456, tzinfo=UTC), None]),
        ("text", ["", None, "NULL", "null", '"', "\\", '\\"', "{", "}", ",", " a ", "'", "\n\t", "%s", "Łódź ☎"]),
        ("text", []),
    ],
)
def test_values_arrive_as_they_are(database: str, kind: str, values: list[object]) -> None:
    assert read_back(database, values, kind) == values


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
@given(st.lists(st.none() | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))))
def test_any_text_arrives_as_it_is(database: str, values: list[str | None]) -> None:
    assert read_back(database, values, "text") == values
