"""Columns of a batch as PostgreSQL's literals for arrays.

The driver writes an array value by value, and asks of each what type it has and what to escape. Here what is the same
for a whole column is asked once: recording what became of a batch is mostly the writing of its columns.
"""

from collections.abc import Collection


def array(values: Collection[object]) -> str:
    """Return the literal of an array of numbers, times, texts or truths, to be cast to its type by the statement."""
    texts = [None if value is None else str(value) for value in values]
    joined = "".join(text for text in texts if text)
    if "\\" in joined or '"' in joined:
        texts = [text and text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    return "{" + ",".join(["NULL" if text is None else f'"{text}"' for text in texts]) + "}"
