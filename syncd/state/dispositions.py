"""The tenants' own words for their dispositions, as the configuration has them, for whoever reads the views."""

from collections.abc import Mapping
from typing import LiteralString

from syncd.state.database import Connection

KEEP: LiteralString = """
WITH named AS (
    SELECT * FROM unnest(%(codes)s::integer[], %(words)s::text[]) AS n (code, words)
), forgotten AS (
    DELETE FROM disposition WHERE account = %(account)s AND code <> ALL (%(codes)s::integer[])
)
INSERT INTO disposition (account, code, words)
SELECT %(account)s, n.code, n.words FROM named n
LEFT JOIN disposition d ON d.account = %(account)s AND d.code = n.code
WHERE d.words IS DISTINCT FROM n.words
-- Tenants' passes run side by side: in one order, so that none waits for another that waits for it.
ORDER BY n.code
ON CONFLICT (account, code) DO UPDATE SET words = excluded.words
"""


async def keep(connection: Connection, account: str, words: Mapping[int, str]) -> None:
    """Make the state's words for a tenant's dispositions those of the configuration; writes what differs alone."""
    await connection.execute(KEEP, {"account": account, "codes": list(words), "words": list(words.values())})


async def words_of(connection: Connection, account: str) -> dict[int, str]:
    """Return a tenant's words for its dispositions, as its last pass knew them."""
    cursor = await connection.execute("SELECT code, words FROM disposition WHERE account = %s", (account,))
    return {int(str(code)): str(words) for code, words in await cursor.fetchall()}
