"""Temporary tables that a pass compares in: what the source and the listing said, in this connection alone.

They are temporary on purpose: a pass and a dry run stage alike, and nothing of them, phone keys above all, outlives the
connection, however it ends. Rows arrive in blocks, each its own COPY, so that no transaction waits for a network.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString, TypeVar, cast

from psycopg import AsyncCursor, sql

from syncd.dialer.api import Record
from syncd.phone import phone_key
from syncd.source import SourceRows
from syncd.source.rows import clean_customer
from syncd.state.database import Connection

TABLES: LiteralString = """
CREATE TEMPORARY TABLE desired (
    customer bigint NOT NULL, wanted_at timestamptz, version text, problem text, phone_key text
);
CREATE TEMPORARY TABLE suppressed_read (customer bigint NOT NULL, phone_key text);
CREATE TEMPORARY TABLE suppressed (customer bigint NOT NULL, PRIMARY KEY (customer));
CREATE TEMPORARY TABLE listing (
    customer bigint, record_id bigint NOT NULL, status smallint, status_code smallint, disposition integer,
    phone_keys text
);
CREATE TEMPORARY TABLE stray (record_id bigint NOT NULL);
CREATE TEMPORARY TABLE folded (customer bigint NOT NULL, disposition integer NOT NULL);
CREATE TEMPORARY TABLE news (
    customer bigint NOT NULL, record_id bigint, confirmed_pass bigint, disposition integer, status smallint,
    status_code smallint, absent smallint, presence text NOT NULL, called boolean NOT NULL, reopened boolean NOT NULL,
    tried boolean NOT NULL, called_version text, known boolean NOT NULL, sighted boolean NOT NULL,
    shown_status smallint, was_status smallint, was_disposition integer
);
CREATE TEMPORARY TABLE planned (
    customer    bigint NOT NULL,
    wanted_at   timestamptz,      -- the row's time
    send_at     timestamptz,      -- the time to send; null: as soon as possible
    park_until  timestamptz,
    row_hash    bigint,
    queue       smallint NOT NULL,-- a Queue
    kind        text,             -- null: no change, kept for its note or its count
    rule        text NOT NULL,
    park_reason text,
    version     text,
    presence    text,             -- the ledger's word when it was planned
    stand       text,
    called      boolean NOT NULL,
    unlisted    boolean NOT NULL, -- the last whole listing does not show it
    note        boolean NOT NULL, -- the ledger has something to remember of this reading
    freed       boolean NOT NULL DEFAULT false -- approved by a person
);
CREATE TEMPORARY TABLE held_now (
    customer bigint NOT NULL, kind text NOT NULL, rule text NOT NULL, wanted_at timestamptz
);
"""

NAMES: Final = ("desired", "suppressed_read", "suppressed", "listing", "stray", "folded", "news", "planned", "held_now")

FEW_ROWS: Final = 500
"""Without statistics Postgres takes a table for one of some hundred rows or more."""

PUT_IN_FORCE: LiteralString = """
WITH named AS MATERIALIZED (
    SELECT customer FROM suppressed_read
    UNION
    SELECT customer FROM suppression WHERE account IN ('', %(account)s)
), gone AS (
    DELETE FROM suppressed s WHERE NOT EXISTS (SELECT FROM named n WHERE n.customer = s.customer)
), new AS (
    INSERT INTO suppressed
    SELECT customer FROM named n WHERE NOT EXISTS (SELECT FROM suppressed s WHERE s.customer = n.customer)
)
SELECT count(*) FROM named
"""
"""One statement: at no moment is the list in force half of one."""

KEEP_WAITING: LiteralString = """
INSERT INTO suppressed
SELECT customer FROM suppressed_record
WHERE campaign = %(campaign)s AND removed_at IS NULL AND left_at IS NULL
ON CONFLICT DO NOTHING
"""

COUNT_DOUBLES: LiteralString = """
SELECT coalesce(sum(rows - 1), 0) FROM (SELECT count(*) AS rows FROM desired GROUP BY customer) d
"""
"""Rows beyond the first of their customer."""

KEEP_ONE_OF_A_RECORD: LiteralString = """
DELETE FROM listing l USING (
    SELECT s.ctid, row_number() OVER (
        PARTITION BY record_id ORDER BY s.status IS NOT DISTINCT FROM 3 DESC, s.ctid DESC) AS place
    FROM listing s JOIN (SELECT record_id FROM listing GROUP BY record_id HAVING count(*) > 1) r USING (record_id)) s
WHERE l.ctid = s.ctid AND s.place > 1
"""
"""Of a record that was seen twice, on two pages, what was seen last. But a call that was seen to be made, and that the
tenant put back into its queue between the two pages, is not forgotten: the next listing shows the record open again."""

PUT_ASIDE: LiteralString = """
WITH gone AS (DELETE FROM listing WHERE customer IS NULL RETURNING record_id) INSERT INTO stray TABLE gone
"""

KEEP_ONE_EACH: LiteralString = """
WITH gone AS (
    DELETE FROM listing l USING (
        SELECT s.ctid, row_number() OVER (
            PARTITION BY customer ORDER BY s.status IS NOT DISTINCT FROM 3, s.record_id DESC) AS place
        FROM listing s JOIN (SELECT customer FROM listing GROUP BY customer HAVING count(*) > 1) c USING (customer)) r
    WHERE l.ctid = r.ctid AND r.place > 1
    RETURNING l.customer, l.disposition
)
INSERT INTO folded SELECT customer, disposition FROM gone WHERE disposition IS NOT NULL
"""
"""Of two records of one customer that which can still ring: it decides. What an agent said of the other counts."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What became of a listing's records when they were matched to customers."""

    records: int
    """Different records."""
    doubles: int
    unmatched: int
    """Records that belong to no customer under the key."""
    ambiguous: int
    """Records whose key fits two customers, and so fits none."""


async def create(connection: Connection) -> None:
    """Create the temporary tables."""
    await connection.execute(TABLES)


async def clear(connection: Connection) -> None:
    """Empty the temporary tables, and give back every lock that the connection may still hold."""
    await _empty(connection, *NAMES)
    await connection.execute("SELECT pg_advisory_unlock_all()")


async def begin_desired(connection: Connection) -> None:
    """Forget the last reading of the desired rows."""
    await _empty(connection, "desired")


async def stage_desired(connection: Connection, rows: SourceRows) -> None:
    """Add a block of desired rows."""
    await _copy(
        connection,
        "desired",
        customer=_numbers(rows.customers),
        wanted_at=_times(rows.call_at),
        version=_texts(rows.versions),
        problem=_texts(rows.problems),
        phone_key=_texts(rows.phone_keys),
    )


async def end_desired(connection: Connection, rows: int, *, rising: bool) -> int:
    """Fold two rows for one customer into one, the earliest time (none is earliest); return how many were too many.

    ``rows`` were staged. Where they came in strictly ``rising`` order of customer, there are no two for one.
    """
    doubles = 0 if rising else await _number(await connection.execute(COUNT_DOUBLES))
    if doubles:
        await connection.execute(
            """
            DELETE FROM desired d USING (
                SELECT ctid, row_number() OVER (
                    PARTITION BY customer ORDER BY wanted_at NULLS FIRST, version NULLS FIRST) AS place
                FROM desired) ranked
            WHERE d.ctid = ranked.ctid AND ranked.place > 1
            """
        )
    await _analyze(connection, "desired", rows - doubles)
    return doubles


async def begin_suppressed(connection: Connection) -> None:
    """Forget a reading of the suppression query that did not reach its end."""
    await _empty(connection, "suppressed_read")


async def stage_suppressed(connection: Connection, rows: SourceRows) -> None:
    """Add a block of suppressed rows; they count once :func:`end_suppressed` says so."""
    await _copy(connection, "suppressed_read", customer=_numbers(rows.customers), phone_key=_texts(rows.phone_keys))


async def end_suppressed(connection: Connection, account: str) -> int:
    """Put what was read, with ``syncd suppress`` and the tenant's dispositions, into force; return its length."""
    length = await _number(await connection.execute(PUT_IN_FORCE, {"account": account}))
    await _analyze(connection, "suppressed", length)
    return length


async def keep_suppressed(connection: Connection, account: str, campaign: int) -> int:
    """Leave the list in force as it is, but for what was suppressed in the state since; return its length.

    Whom an earlier pass's list named and who is not out yet stays suppressed, though this pass has read no list at all.
    """
    await add_suppressed(connection, account)
    await connection.execute(KEEP_WAITING, {"campaign": campaign})
    return await _number(await connection.execute("SELECT count(*) FROM suppressed"))


async def add_suppressed(connection: Connection, account: str) -> None:
    """Add to the list in force what was suppressed in the state since."""
    await connection.execute(
        "INSERT INTO suppressed SELECT customer FROM suppression WHERE account IN ('', %s) ON CONFLICT DO NOTHING",
        (account,),
    )


async def begin_listing(connection: Connection) -> None:
    """Forget the last listing."""
    await _empty(connection, "listing", "stray", "folded")


async def stage_listing(connection: Connection, records: Sequence[Record], match_on: str) -> None:
    """Add a page of the listing, with the customer that its key names; a phone key is matched later."""
    ids = _numbers([record.record_id for record in records])
    customers, keys = None, None
    if match_on == "record-id":
        customers = ids
    elif match_on == "ext-trans-data":
        customers = _numbers([clean_customer(record.ext_trans_data) for record in records])
    else:
        keys = _texts([",".join(filter(None, map(phone_key, record.phones))) for record in records])
    await _copy(
        connection,
        "listing",
        customer=customers,
        record_id=ids,
        status=_numbers(_within(SMALLINT, [record.status for record in records])),
        status_code=_numbers(_within(SMALLINT, [record.status_code for record in records])),
        disposition=_numbers(_within(INTEGER, [record.disposition for record in records])),
        phone_keys=keys,
    )


async def end_listing(connection: Connection, campaign: int, match_on: str) -> Matched:
    """Fold records seen twice, match phone keys, and leave one row a customer in ``listing``.

    Records that belong to nobody under the key are put aside as ``stray``.
    """
    doubles = (await connection.execute(KEEP_ONE_OF_A_RECORD)).rowcount
    counted = await connection.execute("SELECT count(*), count(*) FILTER (WHERE customer IS NULL) FROM listing")
    records, nobodys = await _counts(counted)
    ambiguous = await _match_phones(connection, campaign) if match_on == "phone" else 0
    unmatched = (await connection.execute(PUT_ASIDE)).rowcount if nobodys else 0
    if match_on != "record-id":
        await connection.execute(KEEP_ONE_EACH)
    await _analyze(connection, "listing", records)
    return Matched(records=records, doubles=doubles, unmatched=unmatched, ambiguous=ambiguous)


async def _match_phones(connection: Connection, campaign: int) -> int:
    """Match by the record id that the ledger knows, else by phone key; return how many keys fitted two customers."""
    await connection.execute(
        """
        UPDATE listing s SET customer = l.customer
        FROM ledger l WHERE l.campaign = %s AND l.record_id = s.record_id AND l.presence = 'in'
        """,
        (campaign,),
    )
    await connection.execute(
        """
        WITH keys AS (
            SELECT phone_key, min(customer) AS customer, count(DISTINCT customer) AS customers
            FROM (SELECT customer, phone_key FROM desired UNION ALL SELECT customer, phone_key FROM suppressed_read) k
            WHERE phone_key IS NOT NULL GROUP BY phone_key
        ), fitting AS (
            SELECT s.record_id, min(k.customer) AS customer,
                   count(DISTINCT k.customer) + count(*) FILTER (WHERE k.customers > 1) AS customers
            FROM listing s
            CROSS JOIN LATERAL unnest(string_to_array(s.phone_keys, ',')) AS p(phone_key)
            JOIN keys k USING (phone_key)
            WHERE s.customer IS NULL GROUP BY s.record_id
        )
        UPDATE listing s
        SET customer = CASE WHEN f.customers = 1 THEN f.customer END,
            phone_keys = CASE WHEN f.customers = 1 THEN NULL ELSE 'ambiguous' END
        FROM fitting f WHERE f.record_id = s.record_id
        """
    )
    cursor = await connection.execute("SELECT count(*) FROM listing WHERE phone_keys = 'ambiguous'")
    return await _number(cursor)


# COPY's text format, a column at a time: what is the same for a whole block is not asked for each of its values. A
# column that holds nothing in a block is None, and is not written.

T = TypeVar("T")
Column = Sequence[str] | None

NULL = "\\N"
SMALLINT, INTEGER = 2**15, 2**31

_TO_ESCAPE = re.compile(r"[\\\t\n\r\0]")
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\0": None})


def _numbers(values: Sequence[int | None]) -> Column:
    return _written(values, str)


def _times(values: Sequence[datetime | None]) -> Column:
    return _written(values, datetime.isoformat)


def _texts(values: Sequence[str | None]) -> Column:
    to_escape = _TO_ESCAPE.search("".join(filter(None, values)))
    return _written(values, (lambda text: text.translate(_ESCAPES)) if to_escape else str)


def _written(values: Sequence[T | None], write: Callable[[T], str]) -> Column:
    nothing = values.count(None)
    if nothing == len(values) > 0:
        return None
    if nothing:
        return [NULL if value is None else write(value) for value in values]
    return list(map(write, cast("Sequence[T]", values)))


def _within(size: int, values: Sequence[int | None]) -> Sequence[int | None]:
    """A number outside of its column's type is none that anyone defines: kept as the largest, an unknown one."""
    known = [value for value in values if value is not None]
    if not known or (-size <= min(known) and max(known) < size):
        return values
    return [None if value is None else max(-size, min(size - 1, value)) for value in values]


async def _empty(connection: Connection, *tables: LiteralString) -> None:
    """Truncate those that are not empty: a dry run, which fills each table once, may not truncate."""
    truncate = "".join(f" IF EXISTS (SELECT FROM {table}) THEN TRUNCATE {table}; END IF;" for table in tables)
    await connection.execute(f"DO $$ BEGIN{truncate} END $$")


async def _copy(connection: Connection, table: LiteralString, **columns: Column) -> None:
    written = {name: column for name, column in columns.items() if column is not None}
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, written))
    )
    lines = map("\t".join, zip(*written.values(), strict=True))
    async with connection.cursor() as cursor, cursor.copy(statement) as copy:
        await copy.write("".join(f"{line}\n" for line in lines))


async def _analyze(connection: Connection, table: LiteralString, rows: int) -> None:
    """Let Postgres look at a table that was filled anew. Of a few rows it need know no more than that they are few."""
    if rows > FEW_ROWS:
        await connection.execute(sql.SQL("ANALYZE {}").format(sql.Identifier(table)))


async def _number(cursor: AsyncCursor[tuple[object, ...]]) -> int:
    [number] = await _counts(cursor)
    return number


async def _counts(cursor: AsyncCursor[tuple[object, ...]]) -> list[int]:
    """Return the counts of a cursor's only row."""
    return [int(str(value)) for value in await cursor.fetchone() or ()]
