"""Columns of a batch as PostgreSQL's literals for arrays.

The driver writes an array value by value, and asks of each what type it has and what to escape. Here a value is written
once, however often it stands in a column, as most of what is recorded of a batch does.
"""

from collections.abc import Collection, Hashable
from datetime import timedelta


def array(values: Collection[Hashable]) -> str:
    """Return the literal of an array of numbers, times, spans, texts or truths, to be cast by the statement."""
    different = set(values)
    if len(different) > len(values) // 2:
        return "{" + ",".join(map(_element, values)) + "}"
    written = {value: _element(value) for value in different}
    return "{" + ",".join(map(written.__getitem__, values)) + "}"


def _element(value: object) -> str:
    if type(value) is int:
        return str(value)
    if value is None:
        return "NULL"
    text = f"{value.total_seconds():f} s" if isinstance(value, timedelta) else str(value)
    if "\\" in text or '"' in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
