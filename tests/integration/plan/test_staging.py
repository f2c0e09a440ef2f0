"""The staged tables: what went in block by block is what stands there, and each customer once."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from syncd.dialer.api import Record
from syncd.source import SourceRow, SourceRows
from syncd.state import staging
from syncd.state.database import Connection

pytestmark = pytest.mark.asyncio(loop_scope="module")

SOON = datetime(2024, 7, 1, 9, 0, 0, 250_000, tzinfo=UTC)
PROBLEM = "schedule_at is not a date-time"

HOSTILE = ("", "\\N", "\\.", "a\tb", "a\nb\r", "\\t", "NULL", "\u2028", "\U0001f4de", "\x01", "'")
"""Texts that COPY would take for something else, were they not written for it."""


def in_columns(rows: list[SourceRow]) -> SourceRows:
    """Make a block of rows."""
    return SourceRows(
        [row.customer for row in rows],
        [row.call_at for row in rows],
        [row.version for row in rows],
        [row.phone_key for row in rows],
        [row.problem for row in rows],
    )


async def staged(connection: Connection, *blocks: list[SourceRow]) -> list[tuple[object, ...]]:
    """Stage blocks of desired rows and return what the table then holds."""
    await staging.begin_desired(connection)
    for block in blocks:
        await staging.stage_desired(connection, in_columns(block))
    return await desired(connection)


async def desired(connection: Connection) -> list[tuple[object, ...]]:
    cursor = await connection.execute(
        "SELECT customer, wanted_at, version, phone_key, problem FROM desired ORDER BY customer, wanted_at NULLS FIRST"
    )
    return await cursor.fetchall()


async def test_a_block_is_staged_as_it_was_cleaned_whichever_of_its_columns_hold_something(
    connection: Connection,
) -> None:
    nothing = [SourceRow(n, None, None, None, None) for n in range(1, 4)]
    something = [
        SourceRow(11, SOON, None, None, None),
        SourceRow(12, None, "v1", None, None),
        SourceRow(13, None, None, "079460123", None),
        SourceRow(14, None, None, None, PROBLEM),
    ]
    alone = [[row._replace(customer=row.customer + 10)] for row in something]
    everything = [SourceRow(2**63 - n, SOON, "v1", "079460123", PROBLEM) for n in (3, 2, 1)]
    found = await staged(connection, nothing, something, *alone, everything, nothing[:0])
    assert found == [*nothing, *something, *(row for block in alone for row in block), *everything]


async def test_texts_are_staged_letter_by_letter(connection: Connection) -> None:
    versions = [SourceRow(n, None, text, None, None) for n, text in enumerate(HOSTILE, 1)]
    among_others = [SourceRow(n, None, text, None, text) for n, text in enumerate((None, *HOSTILE, None), 101)]
    assert await staged(connection, versions, among_others) == [*versions, *among_others]


async def test_times_are_staged_to_the_microsecond_from_the_first_to_the_last_year(connection: Connection) -> None:
    times = [datetime.min.replace(tzinfo=UTC), SOON, SOON + timedelta(microseconds=1), datetime.max.replace(tzinfo=UTC)]
    rows = [SourceRow(n, moment, None, None, None) for n, moment in enumerate(times, 1)]
    assert await staged(connection, rows) == rows


async def test_the_earliest_of_a_customers_rows_stays_whatever_order_they_came_in(connection: Connection) -> None:
    later = SOON + timedelta(hours=1)
    kept = [
        SourceRow(1, None, "at once", None, None),
        SourceRow(2, SOON, "a", None, None),
        SourceRow(3, SOON, None, None, None),
        SourceRow(4, later, "alone", None, None),
    ]
    more = [
        SourceRow(1, SOON, "timed", None, None),
        SourceRow(2, SOON, "b", None, None),
        SourceRow(2, later, "A", None, None),
        SourceRow(3, SOON, "a", None, None),
    ]
    for seed in range(10):
        rows = [*kept, *more]
        random.Random(seed).shuffle(rows)
        await staged(connection, rows[:3], rows[3:])
        assert await staging.end_desired(connection, len(rows), rising=False) == len(more)
        assert await desired(connection) == kept


async def test_rows_that_came_in_rising_order_are_all_kept(connection: Connection) -> None:
    rows = [SourceRow(n, None, "v1", None, None) for n in range(1, 1001)]
    await staged(connection, rows[:400], rows[400:])
    assert await staging.end_desired(connection, len(rows), rising=True) == 0
    assert await desired(connection) == rows


async def test_of_the_listing_too_every_page_is_staged_as_it_was_given(connection: Connection) -> None:
    bare = Record(1, None, None, None, (), "")
    full = Record(2, 3, 4, 2001, ("442079460123",), "7")
    for match_on, page, customers in (
        ("record-id", [bare, full], [1, 2]),
        ("ext-trans-data", [bare, full], [None, 7]),
        ("phone", [bare, full], [None, None]),
        ("record-id", [full], [2]),
        ("ext-trans-data", [bare], [None]),
        ("phone", [], []),
    ):
        await staging.begin_listing(connection)
        await staging.stage_listing(connection, page, match_on)
        cursor = await connection.execute(
            "SELECT customer, record_id, status, status_code, disposition FROM listing ORDER BY record_id"
        )
        assert await cursor.fetchall() == [
            (customer, record.record_id, record.status, record.status_code, record.disposition)
            for customer, record in zip(customers, page, strict=True)
        ]


@pytest.mark.parametrize("statuses", [[0, 3, 1], [3, 0, 1], [0, 1, 3], [3], [3, 3]])
async def test_a_record_that_one_page_shows_completed_is_completed_whatever_the_others_show(
    connection: Connection, statuses: list[int]
) -> None:
    await staging.begin_listing(connection)
    for status in statuses:
        await staging.stage_listing(
            connection, [Record(1, status, None, None, (), ""), Record(2, 0, 0, 0, (), "")], "record-id"
        )
    await staging.end_listing(connection, 1, "record-id")
    cursor = await connection.execute("SELECT record_id, status FROM listing ORDER BY record_id")
    assert await cursor.fetchall() == [(1, 3), (2, 0)]


async def test_of_a_record_that_is_on_several_pages_the_last_one_counts(connection: Connection) -> None:
    await staging.begin_listing(connection)
    for status, record_id in ((0, 1), (0, 2), (2, 1), (1, 2), (1, 1), (None, 2)):
        await staging.stage_listing(connection, [Record(record_id, status, None, None, (), "")], "record-id")
    await staging.end_listing(connection, 1, "record-id")
    cursor = await connection.execute("SELECT record_id, status FROM listing ORDER BY record_id")
    assert await cursor.fetchall() == [(1, 1), (2, None)]
