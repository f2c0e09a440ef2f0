"""The state: reachable, of this version, and does its server keep a lock?"""

from collections.abc import Sequence
from typing import Final

from syncd.cli.check.findings import Finding, Mark
from syncd.config import StateSettings
from syncd.errors import StateUnavailable
from syncd.state.database import Database
from syncd.state.inspection import Rights, Schema, keeps_sessions, rights_in, schema_of
from syncd.state.opening import open_state

SUBJECT: Final = "state"

_POOLED: Final = Finding(
    SUBJECT,
    Mark.WRONG,
    "statements of one connection reach different sessions, so that the lock of a campaign would not hold: "
    "a pooler in transaction or statement mode",
    "let [state] url name the server itself, or a pooler in session mode",
)


async def check_state(settings: StateSettings) -> Sequence[Finding]:
    """Return what is to be said of the state. Nothing is migrated."""
    try:
        async with open_state(settings) as database:
            return await _look_at(database)
    except StateUnavailable as error:
        return [Finding.of_error(SUBJECT, error)]


async def _look_at(database: Database) -> Sequence[Finding]:
    schema, rights = await schema_of(database), await rights_in(database)
    findings = [_of_schema(database.schema, schema, rights)]
    if not rights.temporary_tables:
        findings.append(
            Finding(
                SUBJECT,
                Mark.WRONG,
                "the user may not make temporary tables, in which a pass compares",
                "GRANT TEMPORARY ON DATABASE ... TO the user",
            )
        )
    if not await keeps_sessions(database):
        findings.append(_POOLED)
    return findings


def _of_schema(name: str, schema: Schema, rights: Rights) -> Finding:
    match schema:
        case Schema.CURRENT:
            return Finding(SUBJECT, Mark.GOOD, f"reachable, schema {name} is up to date")
        case Schema.MISSING if not rights.create_schema:
            return Finding(
                SUBJECT,
                Mark.WRONG,
                f"reachable; the schema {name} is not there, and the user may not make it",
                f"CREATE SCHEMA {name} AUTHORIZATION the user, or GRANT CREATE ON DATABASE ... TO the user",
            )
        case Schema.MISSING | Schema.OLD:
            how = "not there yet" if schema is Schema.MISSING else "older than this syncd"
            advice = "run `syncd migrate`; `run` and `once` do it too"
            return Finding(SUBJECT, Mark.ADVICE, f"reachable; the schema {name} is {how}", advice)
        case Schema.UNKNOWN:
            what = f"reachable; the schema {name} was made by a newer syncd"
            return Finding(SUBJECT, Mark.WRONG, what, "install that version here too")
